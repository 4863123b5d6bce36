package org.asmnet.core;

import java.nio.Buffer;
import java.nio.ByteBuffer;

/**
 * Camera frames to upright RGB pictures.
 *
 * <p>YUV by BT.601, full range, in integers of 1/65536 (the factors of JFIF; cameras that write
 * JPEG use the same), with u and v relative to 128 and each sum rounded by adding 32768 before
 * {@code >> 16}:
 *
 * <pre>
 *     R = Y + ( 91881 v            ) / 65536       1.402
 *     G = Y + (-22554 u - 46802 v  ) / 65536       0.344136, 0.714136
 *     B = Y + (116130 u            ) / 65536       1.772
 * </pre>
 *
 * <p>clipped to 0..255. Each chroma sample serves its 2 x 2 pixels unchanged.
 */
public final class FrameConverter {
    /** One plane of a YUV_420_888 frame, as {@code android.media.Image.Plane} describes it. */
    public static final class Plane {
        private ByteBuffer buffer;
        private int rowStride;
        private int pixelStride;

        /**
         * Refer to a plane; nothing is copied.
         *
         * @param buffer its bytes, from index 0
         * @param rowStride bytes from a row to the next
         * @param pixelStride bytes from a sample to the next
         * @return this
         */
        public Plane set(ByteBuffer buffer, int rowStride, int pixelStride) {
            this.buffer = buffer;
            this.rowStride = rowStride;
            this.pixelStride = pixelStride;
            return this;
        }

        /**
         * Samples of a row, at 0, pixelStride, ...: copying is much faster than to ask for each.
         *
         * @param samples room for them; another array where it is too small
         * @return the room
         */
        private byte[] read(int column, int row, int count, byte[] samples) {
            int length = (count - 1) * pixelStride + 1;
            byte[] room = samples.length < length ? new byte[length] : samples;
            // As a Buffer: on Android before 9 a ByteBuffer has no position(int) of its own.
            int before = buffer.position();
            ((Buffer) buffer).position(row * rowStride + column * pixelStride);
            buffer.get(room, 0, length);
            ((Buffer) buffer).position(before);
            return room;
        }

        private void check(int columns, int rows) {
            long last = (rows - 1L) * rowStride + (columns - 1L) * pixelStride;
            if (rowStride < 0 || pixelStride < 1 || last >= buffer.limit()) {
                throw new AsmnetException("a plane of " + buffer.limit() + " bytes is too small for "
                        + columns + " x " + rows + " samples");
            }
        }
    }

    // A row of each plane.
    private byte[] light = new byte[0];
    private byte[] blue = new byte[0];
    private byte[] red = new byte[0];

    // Where the frame's first pixel goes, and the steps along its rows and columns, in bytes.
    private int start;
    private int right;
    private int down;

    /**
     * Convert a YUV_420_888 frame.
     *
     * @param y its first plane, one sample per pixel
     * @param u its second, one sample per 2 x 2 pixels
     * @param v its third
     * @param left cropRect, in frame pixels
     * @param top cropRect
     * @param width of the cropRect
     * @param height of the cropRect
     * @param rotation 0, 90, 180 or 270: degrees clockwise that make the frame upright
     * @param mirror swap left and right of the upright picture
     * @param result receives the picture
     * @throws AsmnetException the planes are too small, or the rotation is another
     */
    public void yuv(Plane y, Plane u, Plane v, int left, int top, int width, int height,
            int rotation, boolean mirror, Picture result) {
        turn(width, height, rotation, mirror, result);
        if (left < 0 || top < 0) {
            throw new AsmnetException("a cropRect at " + left + ", " + top + " is outside");
        }
        y.check(left + width, top + height);
        u.check((left + width + 1) / 2, (top + height + 1) / 2);
        v.check((left + width + 1) / 2, (top + height + 1) / 2);
        for (int row = 0; row < height; row++) {
            light = y.read(left, top + row, width, light);
            if (row == 0 || (top + row) % 2 == 0) {
                int samples = (left + width + 1) / 2 - left / 2;
                blue = u.read(left / 2, (top + row) / 2, samples, blue);
                red = v.read(left / 2, (top + row) / 2, samples, red);
            }
            row(y, u, v, left % 2, width, start + row * down, result.rgb);
        }
    }

    private void row(Plane y, Plane u, Plane v, int odd, int width, int first, byte[] rgb) {
        // Locals, which the compiler keeps in registers.
        byte[] grey = light;
        byte[] blues = blue;
        byte[] reds = red;
        int step = right;
        int to = first;
        int stepY = y.pixelStride;
        int stepU = u.pixelStride;
        int stepV = v.pixelStride;
        for (int column = -odd, sample = 0; column < width; column += 2, sample++) {
            int b = (blues[sample * stepU] & 255) - 128;
            int r = (reds[sample * stepV] & 255) - 128;
            int toRed = 91881 * r + 32768 >> 16;
            int toGreen = -22554 * b - 46802 * r + 32768 >> 16;
            int toBlue = 116130 * b + 32768 >> 16;
            if (column >= 0) {
                int value = grey[column * stepY] & 255;
                rgb[to] = clip(value + toRed);
                rgb[to + 1] = clip(value + toGreen);
                rgb[to + 2] = clip(value + toBlue);
                to += step;
            }
            if (column + 1 < width) {
                int value = grey[(column + 1) * stepY] & 255;
                rgb[to] = clip(value + toRed);
                rgb[to + 1] = clip(value + toGreen);
                rgb[to + 2] = clip(value + toBlue);
                to += step;
            }
        }
    }

    private static byte clip(int value) {
        return (byte) Math.max(0, Math.min(255, value));
    }

    /**
     * Convert an RGBA_8888 frame; alpha is dropped.
     *
     * @param pixels R G B A each, from index 0
     * @param rowStride bytes from a row to the next
     * @param width pixels
     * @param height pixels
     * @param rotation see {@link #yuv}
     * @param mirror see {@link #yuv}
     * @param result receives the picture
     * @throws AsmnetException the buffer is too small, or the rotation is not one of the four
     */
    public void rgba(ByteBuffer pixels, int rowStride, int width, int height,
            int rotation, boolean mirror, Picture result) {
        turn(width, height, rotation, mirror, result);
        if (rowStride < 4L * width || pixels.limit() < (height - 1L) * rowStride + 4L * width) {
            throw new AsmnetException("a buffer of " + pixels.limit() + " bytes is too small for "
                    + width + " x " + height + " RGBA pixels");
        }
        for (int row = 0; row < height; row++) {
            int from = row * rowStride;
            int to = start + row * down;
            for (int column = 0; column < width; column++, from += 4, to += right) {
                result.rgb[to] = pixels.get(from);
                result.rgb[to + 1] = pixels.get(from + 1);
                result.rgb[to + 2] = pixels.get(from + 2);
            }
        }
    }

    private void turn(int width, int height, int rotation, boolean mirror, Picture result) {
        // The frame's pixel (x, y) comes to (column, row) = first + x * along + y * across.
        int firstColumn = 0;
        int firstRow = 0;
        int columnAlong = 0;
        int rowAlong = 0;
        if (rotation == 0) {
            columnAlong = 1;
        } else if (rotation == 90) {
            firstColumn = height - 1;
            rowAlong = 1;
        } else if (rotation == 180) {
            firstColumn = width - 1;
            firstRow = height - 1;
            columnAlong = -1;
        } else if (rotation == 270) {
            firstRow = width - 1;
            rowAlong = -1;
        } else {
            throw new AsmnetException("rotation " + rotation + " is none of 0, 90, 180, 270");
        }
        int columnAcross = -rowAlong;
        int rowAcross = columnAlong;
        boolean upright = rotation % 180 == 0;
        result.resize(upright ? width : height, upright ? height : width);
        if (mirror) {
            firstColumn = result.width - 1 - firstColumn;
            columnAlong = -columnAlong;
            columnAcross = -columnAcross;
        }
        start = 3 * (firstRow * result.width + firstColumn);
        right = 3 * (rowAlong * result.width + columnAlong);
        down = 3 * (rowAcross * result.width + columnAcross);
    }
}
