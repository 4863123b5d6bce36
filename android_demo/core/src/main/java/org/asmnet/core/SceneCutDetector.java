package org.asmnet.core;

/** Tells where a video cuts to another scene: there tracks end. */
final class SceneCutDetector {
    private static final double CUT_CORRELATION = 0.15;

    // The whole picture, coarsely: now and in the frame before.
    private float[] seen = new float[0];
    private float[] before = new float[0];
    private boolean hasSeen;

    /** The next frame is the first. */
    void reset() {
        hasSeen = false;
    }

    /** Whether this is another picture altogether than the one before. */
    boolean isNext(Picture frame) {
        int down = Math.max(1, frame.height / 16);
        int across = Math.max(1, frame.width / 16);
        int count = ((frame.height + down - 1) / down) * ((frame.width + across - 1) / across);
        float[] spare = before;
        before = seen;
        seen = spare.length == count ? spare : new float[count];
        int n = 0;
        for (int y = 0; y < frame.height; y += down) {
            for (int x = 0; x < frame.width; x += across) {
                seen[n++] = frame.rgb[3 * (y * frame.width + x) + 1] & 255;
            }
        }
        Association.zscore(seen);
        boolean cut = hasSeen && Association.correlation(seen, before) < CUT_CORRELATION;
        hasSeen = true;
        return cut;
    }
}
