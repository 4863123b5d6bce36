package org.asmnet.core;

/**
 * How far eyes and mouth are open, relative to the person; blinks and yawns.
 *
 * <p>Follows one face from frame to frame, by the rules and constants of {@code core/signals.py},
 * where each is explained. Makes no garbage but an {@link Event} now and then.
 */
public final class SignalTracker {
    private static final double CLOSED = 0.5;
    private static final double LEAST_CLOSED = 0.2;
    private static final double MOST_CLOSED = 0.65;
    private static final double RISE = 0.3;
    private static final double FALL = 1.5;
    private static final double FORGET = 60.0;
    private static final double SHUT = 0.5;
    private static final double REOPENED = 0.65;
    private static final double LONGEST_BLINK = 0.6;
    private static final double WIDE_MOUTH = 30.0;
    private static final double YAWNING = 0.6;
    private static final double YAWNED = 0.45;
    private static final double SHORTEST_YAWN = 1.5;

    private final int[] points;
    // mm between the lids: what is open and what is closed for this person, by eye.
    private final double[] open = new double[2];
    private final double[] closed = new double[2];
    private double widest = WIDE_MOUTH;
    private double time = Double.NEGATIVE_INFINITY;
    // Seconds since when eyes are shut and the mouth is wide open; NaN while they are not.
    private double shut = Double.NaN;
    private double yawning = Double.NaN;

    /**
     * For a face that nobody has seen yet.
     *
     * @param scheme of its landmarks
     */
    public SignalTracker(Scheme scheme) {
        points = scheme.ibug68;
    }

    /**
     * The signals of the next frame.
     *
     * @param landmarks (N, 2) pixels, unsmoothed: blinks are quick
     * @param pixelsPerMm at the head's distance
     * @param t seconds, not before the last frame's
     * @param result receives eyes, mouth and the events that ended with this frame
     */
    public void update(float[] landmarks, double pixelsPerMm, double t, Face result) {
        double step = Math.max(t - time, 0.0);
        time = t;
        for (int eye = 0; eye < 2; eye++) {
            double gap = lids(landmarks, 36 + 6 * eye) / pixelsPerMm;
            result.eyes[eye] = openness(eye, gap, step);
        }
        double height = distance(landmarks, 62, 66); // between the inner lips
        double width = distance(landmarks, 60, 64);
        double relaxed = WIDE_MOUTH + (widest - WIDE_MOUTH) * Math.exp(-step / FORGET);
        widest = Math.max(height / pixelsPerMm, relaxed);
        result.mouth = height / pixelsPerMm / widest;
        result.events.clear();
        blinks((result.eyes[0] + result.eyes[1]) / 2, result);
        yawns(height / Math.max(width, 1e-6), result);
    }

    /** Openness of an eye, 0 to 1, whose lids are {@code gap} mm apart. */
    private double openness(int eye, double gap, double step) {
        if (Double.isInfinite(step)) {
            open[eye] = gap;
            closed[eye] = CLOSED * gap;
        }
        // While the eyes are shut, they tell little about how far they open.
        double fall = Double.isNaN(shut) ? FALL : FORGET;
        open[eye] += gain(step, gap > open[eye] ? RISE : fall) * (gap - open[eye]);
        double resting = closed[eye] + gain(step, FORGET) * (CLOSED * open[eye] - closed[eye]);
        double lowest = Math.min(Math.min(resting, MOST_CLOSED * open[eye]), gap);
        closed[eye] = Math.max(lowest, LEAST_CLOSED * open[eye]);
        double span = Math.max(open[eye] - closed[eye], 1e-6);
        return Math.min(Math.max((gap - closed[eye]) / span, 0.0), 1.0);
    }

    private void blinks(double openness, Face result) {
        if (Double.isNaN(shut)) {
            shut = openness < SHUT ? time : Double.NaN;
        } else if (openness > REOPENED) {
            if (time - shut <= LONGEST_BLINK) {
                result.events.add(new Event(Event.Kind.BLINK, shut, time));
            }
            shut = Double.NaN;
        }
    }

    private void yawns(double tallness, Face result) {
        if (Double.isNaN(yawning)) {
            yawning = tallness > YAWNING ? time : Double.NaN;
        } else if (tallness < YAWNED) {
            if (time - yawning >= SHORTEST_YAWN) {
                result.events.add(new Event(Event.Kind.YAWN, yawning, time));
            }
            yawning = Double.NaN;
        }
    }

    /** Pixels between the lids of the eye whose six points begin there; the mean of two places. */
    private double lids(float[] landmarks, int eye) {
        return (distance(landmarks, eye + 1, eye + 5) + distance(landmarks, eye + 2, eye + 4)) / 2;
    }

    /** Pixels between two of iBUG's points. */
    private double distance(float[] landmarks, int one, int other) {
        double x = (double) landmarks[2 * points[one]] - landmarks[2 * points[other]];
        double y = (double) landmarks[2 * points[one] + 1] - landmarks[2 * points[other] + 1];
        return Math.sqrt(x * x + y * y);
    }

    /** The share of the new value in a first-order low-pass. */
    private static double gain(double step, double seconds) {
        return 1.0 - Math.exp(-step / seconds);
    }
}
