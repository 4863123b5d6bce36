package org.asmnet.core;

/** Where the time of one frame goes, stage by stage. */
public final class Stopwatch {
    /** What is timed; the tracker's own under the same names as in Python. */
    public enum Stage {
        /** Camera frame to upright RGB. */
        CONVERT,
        /** The detector: searching for faces, and verifying those that are followed. */
        DETECT,
        /** Cutting crops out. */
        CROP,
        /** The landmark network, with its input and output tables. */
        NETWORK,
        /** One-Euro filters. */
        SMOOTH,
        /** Picture and overlay onto the screen. */
        DRAW
    }

    private final long[] nanos = new long[Stage.values().length];

    /** Start anew. */
    public void clear() {
        java.util.Arrays.fill(nanos, 0);
    }

    /** Add nanoseconds to a stage. */
    public void add(Stage stage, long nanoseconds) {
        nanos[stage.ordinal()] += nanoseconds;
    }

    /** Add the time since {@code start}, a {@link System#nanoTime}; returns the time now. */
    public long since(long start, Stage stage) {
        long now = System.nanoTime();
        nanos[stage.ordinal()] += now - start;
        return now;
    }

    /** Nanoseconds of a stage. */
    public long nanos(Stage stage) {
        return nanos[stage.ordinal()];
    }
}
