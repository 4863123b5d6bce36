package org.asmnet.core;

/**
 * Cuts crops out of pictures: {@code extract} of {@code core/crop.py} with its numpy kernels.
 *
 * <p>A crop at least twice as large as the output is first averaged over k x k blocks,
 * k = floor(side / size): bilinear sampling alone would skip pixels, and skipped pixels are
 * jitter of the landmarks. Keeps its buffers: one per thread.
 */
public final class Resampler {
    private final double[] matrix = new double[6];
    private byte[] blocks = new byte[0];
    // Of an upright crop: offset of the pixel to the left, and the right one's share.
    private int[] columns = new int[0];
    private float[] shares = new float[0];
    // The pixels to sample: a rectangle of `from`, its first byte and the bytes of a row.
    private byte[] from;
    private int first;
    private int stride;
    private int width;
    private int height;

    /**
     * Cut a crop out of a picture and resample it bilinearly.
     *
     * @param picture where from
     * @param crop where; it may reach outside
     * @param size output side in pixels
     * @param padded outside the picture: true black (the detector was trained on letterboxed
     *     pictures), false the edge pixels repeated
     * @param result (size, size, 3) RGB, receives the pixels
     * @throws AsmnetException the crop is not a finite square
     */
    public void extract(Picture picture, Crop crop, int size, boolean padded, byte[] result) {
        double sum = crop.cx + crop.cy + crop.side + crop.angle;
        if (Double.isNaN(sum) || Double.isInfinite(sum) || !(crop.side > 0)) {
            throw new AsmnetException("expected a finite crop with a positive side, got " + crop);
        }
        from = picture.rgb;
        first = 0;
        stride = 3 * picture.width;
        width = picture.width;
        height = picture.height;
        crop.matrix(size, matrix);
        int k = (int) Math.floor(crop.side / size);
        if (k > 1) {
            shrink(picture, crop, k);
        }
        warp(size, padded, result);
        from = null;
    }

    /** Sample means of k x k blocks instead, of the picture's part under the crop. */
    private void shrink(Picture picture, Crop crop, int k) {
        // Half the diagonal of the turned square, and two blocks for the bilinear reach.
        double radians = crop.angle * Crop.RADIANS;
        double reach = crop.side / 2 * (Math.abs(Math.cos(radians)) + Math.abs(Math.sin(radians)))
                + 2 * (double) k;
        int x0 = clip(Math.floor(crop.cx - reach), 0, Math.max(width - k, 0));
        int y0 = clip(Math.floor(crop.cy - reach), 0, Math.max(height - k, 0));
        int x1 = Math.min(width, clip(Math.ceil(crop.cx + reach), x0 + k, Math.max(width, x0 + k)));
        int y1 = Math.min(height,
                clip(Math.ceil(crop.cy + reach), y0 + k, Math.max(height, y0 + k)));
        first = y0 * stride + 3 * x0;
        width = x1 - x0;
        height = y1 - y0;
        if (width < k || height < k) {
            shift(1, x0, y0);
            return;
        }
        // Block i covers picture pixels x0 + k*i .. x0 + k*i + k-1, centred at + (k-1)/2.
        shift(k, x0 + (k - 1) / 2.0, y0 + (k - 1) / 2.0);
        width /= k;
        height /= k;
        if (blocks.length < 3 * width * height) {
            // Room for the largest this picture can give, so that a moving crop never grows it.
            blocks = new byte[3 * (picture.width / 2) * (picture.height / 2)];
        }
        average(k);
        from = blocks;
        first = 0;
        stride = 3 * width;
    }

    private void average(int k) {
        // (sum + area / 2) / area, rounded down: exact, for a quarter of a level is more than the
        // error of a double.  No long, which JavaScript has to emulate.
        double inverse = 1.0 / (k * k);
        double half = k * k / 2.0 + 0.25;
        byte[] pixels = from;
        int n = 0;
        for (int row = 0; row < height; row++) {
            for (int column = 0; column < width; column++) {
                int corner = first + row * k * stride + 3 * column * k;
                int r = 0;
                int g = 0;
                int b = 0;
                for (int y = 0; y < k; y++) {
                    int at = corner + y * stride;
                    for (int end = at + 3 * k; at < end; at += 3) {
                        r += pixels[at] & 255;
                        g += pixels[at + 1] & 255;
                        b += pixels[at + 2] & 255;
                    }
                }
                blocks[n++] = (byte) (int) ((r + half) * inverse);
                blocks[n++] = (byte) (int) ((g + half) * inverse);
                blocks[n++] = (byte) (int) ((b + half) * inverse);
            }
        }
    }

    /** matrix = matrix x (scale k, then move by x, y). */
    private void shift(int k, double x, double y) {
        for (int i = 0; i < 6; i += 3) {
            matrix[i + 2] += matrix[i] * x + matrix[i + 1] * y;
            matrix[i] *= k;
            matrix[i + 1] *= k;
        }
    }

    /** matrix = its inverse: from pixels of the crop to pixels of the picture. */
    private void invert() {
        double a = matrix[0];
        double b = matrix[1];
        double c = matrix[2];
        double d = matrix[3];
        double e = matrix[4];
        double f = matrix[5];
        double scale = 1 / (a * e - b * d);
        matrix[0] = e * scale;
        matrix[1] = -b * scale;
        matrix[2] = (b * f - c * e) * scale;
        matrix[3] = -d * scale;
        matrix[4] = a * scale;
        matrix[5] = (c * d - a * f) * scale;
    }

    private void warp(int size, boolean padded, byte[] result) {
        invert();
        boolean upright = matrix[1] == 0 && matrix[3] == 0;
        if (upright) {
            columns(size);
        }
        for (int row = 0; row < size; row++) {
            // Along a row both coordinates rise or fall throughout: its ends tell for all.
            if (isInside(0, row) && isInside(size - 1, row)) {
                if (upright) {
                    warpUpright(size, row, result);
                } else {
                    warpInside(size, row, result);
                }
            } else {
                warpAnywhere(size, row, padded, result);
            }
        }
    }

    private double x(int column, int row) {
        return matrix[0] * column + matrix[1] * row + matrix[2];
    }

    private double y(int column, int row) {
        return matrix[3] * column + matrix[4] * row + matrix[5];
    }

    private boolean isInside(int column, int row) {
        double x = x(column, row);
        double y = y(column, row);
        return x >= 0 && x < width - 1 && y >= 0 && y < height - 1;
    }

    /** Where each column of an upright crop lies: the same in all rows. */
    private void columns(int size) {
        if (columns.length != size) {
            columns = new int[size];
            shares = new float[size];
        }
        for (int column = 0; column < size; column++) {
            double x = x(column, 0);
            columns[column] = 3 * (int) x;
            shares[column] = (float) (x - (int) x);
        }
    }

    private void warpUpright(int size, int row, byte[] result) {
        byte[] pixels = from;
        int[] lefts = columns;
        float[] toRights = shares;
        double y = y(0, row);
        float toBottom = (float) (y - (int) y);
        float toTop = 1 - toBottom;
        int upper = first + (int) y * stride;
        int n = 3 * row * size;
        for (int column = 0; column < size; column++, n += 3) {
            float toRight = toRights[column];
            blend(pixels, upper + lefts[column], toRight, toTop, toBottom, result, n);
        }
    }

    /** Four neighbours, from the upper left one on, by their shares. */
    private void blend(byte[] pixels, int upper, float toRight, float toTop, float toBottom,
            byte[] result, int n) {
        float toLeft = 1 - toRight;
        int lower = upper + stride;
        for (int c = 0; c < 3; c++) {
            float above = (pixels[upper + c] & 255) * toLeft
                    + (pixels[upper + c + 3] & 255) * toRight;
            float below = (pixels[lower + c] & 255) * toLeft
                    + (pixels[lower + c + 3] & 255) * toRight;
            result[n + c] = (byte) (int) (above * toTop + below * toBottom + 0.5f);
        }
    }

    private void warpInside(int size, int row, byte[] result) {
        // Locals, which the compiler keeps in registers.
        byte[] pixels = from;
        double xStep = matrix[0];
        double xRow = matrix[1] * row;
        double xStart = matrix[2];
        double yStep = matrix[3];
        double yRow = matrix[4] * row;
        double yStart = matrix[5];
        int n = 3 * row * size;
        for (int column = 0; column < size; column++, n += 3) {
            double x = xStep * column + xRow + xStart;
            double y = yStep * column + yRow + yStart;
            int left = (int) x;
            int top = (int) y;
            float toBottom = (float) (y - top);
            blend(pixels, first + top * stride + 3 * left, (float) (x - left), 1 - toBottom,
                    toBottom, result, n);
        }
    }

    private void warpAnywhere(int size, int row, boolean padded, byte[] result) {
        int n = 3 * row * size;
        for (int column = 0; column < size; column++) {
            double x = x(column, row);
            double y = y(column, row);
            double x0 = Math.floor(x);
            double y0 = Math.floor(y);
            float fx = (float) (x - x0);
            float fy = (float) (y - y0);
            // Black is what weighs nothing.
            float toLeft = padded && (x0 < 0 || x0 >= width) ? 0 : 1 - fx;
            float toRight = padded && (x0 < -1 || x0 >= width - 1) ? 0 : fx;
            float toTop = padded && (y0 < 0 || y0 >= height) ? 0 : 1 - fy;
            float toBottom = padded && (y0 < -1 || y0 >= height - 1) ? 0 : fy;
            int left = first + 3 * clip(x0, 0, width - 1);
            int right = first + 3 * clip(x0 + 1, 0, width - 1);
            int top = stride * clip(y0, 0, height - 1);
            int bottom = stride * clip(y0 + 1, 0, height - 1);
            for (int c = 0; c < 3; c++, n++) {
                float upper = (from[top + left + c] & 255) * toLeft
                        + (from[top + right + c] & 255) * toRight;
                float lower = (from[bottom + left + c] & 255) * toLeft
                        + (from[bottom + right + c] & 255) * toRight;
                result[n] = (byte) (upper * toTop + lower * toBottom + 0.5f);
            }
        }
    }

    private static int clip(double value, int low, int high) {
        return (int) Math.min(Math.max(value, low), high);
    }
}
