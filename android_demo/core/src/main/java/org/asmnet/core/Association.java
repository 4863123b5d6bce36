package org.asmnet.core;

/** What the tracker compares to tell faces, and where it searches. */
final class Association {
    // Suspicious: the share of the face inside the picture, the change of the box's size, and
    // the move of its centre (in box sides) from one frame to the next.
    static final double LEAST_INSIDE = 0.6;
    static final double MOST_GROWTH = 1.25;
    static final double MOST_MOVE = 0.25;
    static final double MIN_CORRELATION = 0.7;
    /** Side in pixels of a thumbnail. */
    static final int THUMBNAIL = 16;

    private Association() {}

    /** Bring values to zero mean and unit variance, in place. */
    static void zscore(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += value;
        }
        float mean = (float) (sum / values.length);
        double square = 0;
        for (int i = 0; i < values.length; i++) {
            values[i] -= mean;
            square += (double) values[i] * values[i];
        }
        float deviation = (float) Math.sqrt(square / values.length) + 1e-6f;
        for (int i = 0; i < values.length; i++) {
            values[i] /= deviation;
        }
    }

    /** The correlation of two thumbnails of zero mean and unit variance, -1 ... 1. */
    static double correlation(float[] thumbnail, float[] other) {
        double sum = 0;
        for (int i = 0; i < thumbnail.length; i++) {
            sum += (double) thumbnail[i] * other[i];
        }
        return sum / thumbnail.length;
    }

    /**
     * The pixels under a face, averaged to 16 x 16, with zero mean and unit variance.
     *
     * @param pixels (size, size, 3)
     * @param size side, at least 16
     * @param thumbnail (16, 16, 3) receives the values
     */
    static void thumbnail(byte[] pixels, int size, float[] thumbnail) {
        if (size % THUMBNAIL == 0) {
            averageWholePixels(pixels, size, thumbnail);
        } else {
            averageParts(pixels, size, thumbnail);
        }
        zscore(thumbnail);
    }

    private static void averageWholePixels(byte[] pixels, int size, float[] thumbnail) {
        int cell = size / THUMBNAIL;
        for (int to = 0; to < thumbnail.length; to += 3) {
            int red = 0;
            int green = 0;
            int blue = 0;
            int corner = 3 * cell * (to / 3 / THUMBNAIL * size + to / 3 % THUMBNAIL);
            for (int row = 0; row < cell; row++, corner += 3 * size) {
                for (int at = corner; at < corner + 3 * cell; at += 3) {
                    red += pixels[at] & 255;
                    green += pixels[at + 1] & 255;
                    blue += pixels[at + 2] & 255;
                }
            }
            double area = (double) cell * cell;
            thumbnail[to] = (float) Math.rint(red / area);
            thumbnail[to + 1] = (float) Math.rint(green / area);
            thumbnail[to + 2] = (float) Math.rint(blue / area);
        }
    }

    private static void averageParts(byte[] pixels, int size, float[] thumbnail) {
        double cell = (double) size / THUMBNAIL;
        for (int row = 0; row < THUMBNAIL; row++) {
            for (int column = 0; column < THUMBNAIL; column++) {
                double red = 0;
                double green = 0;
                double blue = 0;
                for (int y = (int) (row * cell); y < (row + 1) * cell; y++) {
                    double high = Math.min(y + 1, (row + 1) * cell) - Math.max(y, row * cell);
                    for (int x = (int) (column * cell); x < (column + 1) * cell; x++) {
                        double area = high * (Math.min(x + 1, (column + 1) * cell)
                                - Math.max(x, column * cell));
                        int at = 3 * (y * size + x);
                        red += area * (pixels[at] & 255);
                        green += area * (pixels[at + 1] & 255);
                        blue += area * (pixels[at + 2] & 255);
                    }
                }
                int to = 3 * (row * THUMBNAIL + column);
                thumbnail[to] = (float) Math.rint(red / (cell * cell));
                thumbnail[to + 1] = (float) Math.rint(green / (cell * cell));
                thumbnail[to + 2] = (float) Math.rint(blue / (cell * cell));
            }
        }
    }

    /**
     * Whether landmarks left the picture, changed size or jumped since the frame before.
     *
     * @param old (4) left, top, right, bottom in the frame before
     * @param now (4) in this frame
     * @param width of the frame
     * @param height of the frame
     */
    static boolean suspicious(double[] old, double[] now, int width, int height) {
        double area = Math.max((now[2] - now[0]) * (now[3] - now[1]), 1e-6);
        double size = Math.sqrt(Math.max((old[2] - old[0]) * (old[3] - old[1]), 1e-6));
        double growth = Math.sqrt(area) / size;
        double across = Math.abs(now[0] + now[2] - old[0] - old[2]) / 2;
        double down = Math.abs(now[1] + now[3] - old[1] - old[3]) / 2;
        double inside = Math.max(Math.min(now[2], width) - Math.max(now[0], 0), 0)
                * Math.max(Math.min(now[3], height) - Math.max(now[1], 0), 0);
        return inside < LEAST_INSIDE * area
                || !(1 / MOST_GROWTH < growth && growth < MOST_GROWTH)
                || Math.max(across, down) > MOST_MOVE * size;
    }

    /** How many regions a search goes through: the whole picture, and squares along it. */
    static int searchRegions(int width, int height) {
        double side = Math.min(width, height);
        int count = (int) Math.ceil((Math.max(width, height) / side - 0.25) / 0.75);
        return count < 2 ? 1 : 1 + count;
    }

    /**
     * The n-th region to search; neighbouring squares share at least a quarter of their side.
     *
     * @param n 0 for the whole picture, else up to {@link #searchRegions} - 1
     * @param result becomes the square
     * @return result; null for the whole picture
     */
    static Crop searchRegion(int width, int height, int n, Crop result) {
        if (n == 0) {
            return null;
        }
        double side = Math.min(width, height);
        double half = (side - 1) / 2;
        double step = (n - 1) / (double) (searchRegions(width, height) - 2);
        return result.set(half + (width - side) * step, half + (height - side) * step, side, 0);
    }

    /** The (4) left, top, right, bottom of an upright crop. */
    static void squareBox(Crop crop, double[] result) {
        double half = crop.side / 2;
        result[0] = crop.cx - half;
        result[1] = crop.cy - half;
        result[2] = crop.cx + half;
        result[3] = crop.cy + half;
    }
}
