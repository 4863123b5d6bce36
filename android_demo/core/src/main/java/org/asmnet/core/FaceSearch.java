package org.asmnet.core;

import java.util.List;
import org.asmnet.core.Stopwatch.Stage;

/**
 * When, where and with which detector a tracker searches.
 *
 * <p>The same decisions by the same constants as {@code edge_runtime/tracking/search.py}, where each
 * is explained. What a search found is overwritten by the next.
 */
final class FaceSearch {
    private static final double SEARCH_PAUSE = 0.1;
    private static final double SEARCH_MORE = 0.15;
    private static final double DETECT_SCALE = 2.0;

    private final FaceDetector detector;
    private final FaceDetector turned;
    private final Stopwatch watch;
    private FaceDetector asked;
    private double next;
    private double pause;
    private int turn;

    // Kept from call to call.
    private final Crop region = new Crop();
    private final Crop square = new Crop();
    private final double[] here = new double[4];

    /**
     * @param detector finds faces
     * @param turned finds faces that {@code detector} misses, above all turned ones; null does without
     * @param watch measures the stage DETECT
     */
    FaceSearch(FaceDetector detector, FaceDetector turned, Stopwatch watch) {
        this.detector = detector;
        this.turned = turned;
        this.watch = watch;
        asked = detector;
        reset();
    }

    /** The next frame is the first of a video. */
    void reset() {
        turn = 0;
        hurry(Double.NEGATIVE_INFINITY);
    }

    /** Search at a time, and often from then on. */
    void hurry(double t) {
        next = t;
        pause = 0;
    }

    /** Whether it is time to search again. */
    boolean isDue(double t) {
        return t >= next;
    }

    /** A search begins; {@link #look} and {@link #lookForTurned} say what each detector finds. */
    void begin() {
        turn++;
    }

    /** The search is over: when to begin the next, by whether any face is followed now. */
    void end(double t, boolean tracking) {
        pause = Math.min(2 * pause + 0.01, SEARCH_PAUSE);
        next = t + (tracking ? SEARCH_MORE : pause);
    }

    /** How many faces the first detector finds; none if it is not its turn. */
    int look(Picture frame, boolean tracking) {
        if (turned != null && turn % 2 == 0) {
            return 0;
        }
        int nth = turned == null ? turn : turn / 2;
        int regions = Association.searchRegions(frame.width, frame.height);
        if (tracking) { // nothing is urgent: one region a frame
            return detect(frame, part(frame, nth % regions), 0.5, false);
        }
        int found = detect(frame, null, 0.5, false);
        if (found == 0 && regions > 1) {
            return detect(frame, part(frame, 1 + nth % (regions - 1)), 0.5, false);
        }
        return found;
    }

    /** How many faces the detector of turned ones finds; none if it is not its turn. */
    int lookForTurned(Picture frame, boolean tracking) {
        boolean asks = turned != null && (turn % 2 == 0 || (turn == 1 && !tracking));
        return asks ? detect(frame, null, 0.5, true) : 0;
    }

    /** One of the faces just found. */
    Detection get(int index) {
        return asked.get(index);
    }

    /**
     * The face in one place, searched close up.
     *
     * @param frame the picture
     * @param place (4) left, top, right, bottom
     * @param threshold least score
     * @param asTurned ask the detector of turned faces, if there is one
     * @param tracks what fits one of them better is not it
     * @param but the track of {@code tracks} whose face is looked for; null for none
     * @return null if there is none
     */
    Detection near(Picture frame, double[] place, double threshold, boolean asTurned,
            List<Track> tracks, Track but) {
        double longer = Math.max(place[2] - place[0], place[3] - place[1]);
        region.set((place[0] + place[2]) / 2, (place[1] + place[3]) / 2,
                Math.max(longer, 8) * DETECT_SCALE, 0);
        Detection best = null;
        double most = 0.2;
        int found = detect(frame, region, threshold, asTurned);
        for (int i = 0; i < found; i++) {
            Association.squareBox(asked.get(i).toCrop(1.0, square), here);
            double overlap = FaceDetector.iou(here, place);
            if (overlap > most && !Track.overlaps(here, tracks, but, overlap)) {
                best = asked.get(i);
                most = overlap;
            }
        }
        return best;
    }

    private Crop part(Picture frame, int index) {
        return Association.searchRegion(frame.width, frame.height, index, region);
    }

    private int detect(Picture frame, Crop where, double threshold, boolean asTurned) {
        long start = System.nanoTime();
        asked = asTurned && turned != null ? turned : detector;
        int found = asked.detect(frame, where, threshold);
        watch.since(start, Stage.DETECT);
        return found;
    }
}
