package org.asmnet.core;

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

        private void check(int columns, int rows) {
            long last = (rows - 1L) * rowStride + (columns - 1L) * pixelStride;
            if (rowStride < 0 || pixelStride < 1 || last >= buffer.limit()) {
                throw new AsmnetException("a plane of " + buffer.limit() + " bytes is too small for "
                        + columns + " x " + rows + " samples");
            }
        }
    }

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
        byte[] rgb = result.rgb;
        for (int row = 0; row < height; row++) {
            int light = (top + row) * y.rowStride + left * y.pixelStride;
            int uRow = (top + row) / 2 * u.rowStride;
            int vRow = (top + row) / 2 * v.rowStride;
            int to = start + row * down;
            int toRed = 0;
            int toGreen = 0;
            int toBlue = 0;
            for (int column = 0; column < width; column++, to += right) {
                int chroma = (left + column) / 2;
                if (column == 0 || (left + column) % 2 == 0) {
                    int blue = (u.buffer.get(uRow + chroma * u.pixelStride) & 255) - 128;
                    int red = (v.buffer.get(vRow + chroma * v.pixelStride) & 255) - 128;
                    toRed = 91881 * red + 32768 >> 16;
                    toGreen = -22554 * blue - 46802 * red + 32768 >> 16;
                    toBlue = 116130 * blue + 32768 >> 16;
                }
                int grey = y.buffer.get(light + column * y.pixelStride) & 255;
                rgb[to] = clip(grey + toRed);
                rgb[to + 1] = clip(grey + toGreen);
                rgb[to + 2] = clip(grey + toBlue);
            }
        }
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

    private static byte clip(int value) {
        return (byte) (value < 0 ? 0 : Math.min(value, 255));
    }
}
