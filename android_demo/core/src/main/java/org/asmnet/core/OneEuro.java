package org.asmnet.core;

/**
 * The One-Euro filter: still points stay still, moving points are not late.
 *
 * <p>Casiez, Roussel, Vogel, "1 Euro Filter" (CHI 2012): a first-order low-pass whose cutoff
 * frequency grows with the speed of the signal. Speeds are measured in {@code scale} (a face
 * size) per second, so the same parameters serve every resolution, distance and frame rate.
 */
public final class OneEuro {
    /** Hz, of the filter on the speed itself. */
    public static final double SPEED_CUTOFF = 1.5;

    private final int dimensions;
    private final double minCutoff;
    private final double beta;
    private final double[] raw;
    private final double[] value;
    private final double[] velocity;
    private double time;
    private boolean started;

    /**
     * A filter of N points.
     *
     * @param count N
     * @param dimensions D; a point's D coordinates share one speed
     * @param minCutoff Hz, of a point at rest; lower has less jitter
     * @param beta Hz per (scale / second); higher follows movement faster
     */
    public OneEuro(int count, int dimensions, double minCutoff, double beta) {
        this.dimensions = dimensions;
        this.minCutoff = minCutoff;
        this.beta = beta;
        raw = new double[count * dimensions];
        value = new double[count * dimensions];
        velocity = new double[count * dimensions];
    }

    /** Forget the past: the next value passes unchanged. */
    public void reset() {
        started = false;
    }

    /**
     * Filter the next value.
     *
     * @param input (N, D)
     * @param time seconds, of any origin; a time before the last one resets the filter
     * @param scale what counts as one unit of distance, in units of the input
     * @param output (N, D), receives the result; may be {@code input}
     */
    public void filter(float[] input, double time, double scale, float[] output) {
        double step = started ? time - this.time : -1;
        if (step < 0) {
            for (int i = 0; i < raw.length; i++) {
                value[i] = input[i];
                velocity[i] = 0;
            }
        } else if (step > 0) {
            double slow = gain(SPEED_CUTOFF, step);
            for (int point = 0; point < raw.length; point += dimensions) {
                double square = 0;
                for (int i = point; i < point + dimensions; i++) {
                    velocity[i] += slow * ((input[i] - raw[i]) / (step * scale) - velocity[i]);
                    square += velocity[i] * velocity[i];
                }
                double gain = gain(minCutoff + beta * Math.sqrt(square), step);
                for (int i = point; i < point + dimensions; i++) {
                    value[i] += gain * (input[i] - value[i]);
                }
            }
        }
        for (int i = 0; i < raw.length; i++) {
            raw[i] = input[i];
            output[i] = (float) value[i];
        }
        this.time = time;
        started = true;
    }

    /** The share of the new value in a first-order low-pass (equation 1 of the paper). */
    private static double gain(double cutoff, double step) {
        return 1 / (1 + 1 / (2 * Math.PI * cutoff * step));
    }
}
