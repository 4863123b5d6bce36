package org.asmnet.android;

import android.graphics.Bitmap;
import android.graphics.ImageFormat;
import android.graphics.Rect;
import android.media.Image;
import org.asmnet.core.AsmnetException;
import org.asmnet.core.FrameConverter;
import org.asmnet.core.FrameConverter.Plane;
import org.asmnet.core.Picture;

/** Android's pictures to the core's and back. Keeps its buffers: one per thread. */
public final class Frames {
    private final FrameConverter converter = new FrameConverter();
    private final Plane y = new Plane();
    private final Plane u = new Plane();
    private final Plane v = new Plane();
    private int[] pixels = new int[0];

    /**
     * How far to turn a camera's frames to make them upright on the display.
     *
     * @param sensor CameraCharacteristics.SENSOR_ORIENTATION, degrees
     * @param display Display.getRotation() in degrees: 90 for Surface.ROTATION_90, ...
     * @param front whether the camera looks to where the display does
     * @return 0, 90, 180 or 270, clockwise
     */
    public static int rotation(int sensor, int display, boolean front) {
        return (front ? sensor + display : sensor - display + 360) % 360;
    }

    /**
     * Convert a camera's frame: its cropRect, upright.
     *
     * @param image YUV_420_888; the caller's to close, and no longer needed afterwards
     * @param rotation 0, 90, 180 or 270: degrees clockwise that make it upright
     * @param result receives the picture
     * @return result
     * @throws AsmnetException it has another format, or the rotation is none of the four
     */
    public Picture convert(Image image, int rotation, Picture result) {
        if (image.getFormat() != ImageFormat.YUV_420_888) {
            throw new AsmnetException("a frame has format " + image.getFormat() + ", not "
                    + "YUV_420_888 (35); open the ImageReader with ImageFormat.YUV_420_888");
        }
        Image.Plane[] planes = image.getPlanes();
        refer(planes[0], y);
        refer(planes[1], u);
        refer(planes[2], v);
        Rect crop = image.getCropRect();
        try {
            converter.yuv(y, u, v, crop.left, crop.top, crop.width(), crop.height(), rotation,
                    false, result);
        } finally {
            // Reading the memory of a closed image would crash the process.
            y.set(null, 0, 1);
            u.set(null, 0, 1);
            v.set(null, 0, 1);
        }
        return result;
    }

    private static void refer(Image.Plane from, Plane to) {
        to.set(from.getBuffer(), from.getRowStride(), from.getPixelStride());
    }

    /**
     * Convert a bitmap of any configuration; alpha is dropped.
     *
     * @param bitmap as it is to be seen: whoever decodes a photo turns it by its EXIF orientation
     * @param result receives the picture
     * @return result
     */
    public Picture convert(Bitmap bitmap, Picture result) {
        Bitmap readable = bitmap;
        if (bitmap.getConfig() != Bitmap.Config.ARGB_8888) {
            // Pixels of a HARDWARE bitmap, for one, cannot be read.
            readable = bitmap.copy(Bitmap.Config.ARGB_8888, false);
            if (readable == null) {
                throw new AsmnetException("a bitmap of configuration " + bitmap.getConfig()
                        + " cannot be converted to ARGB_8888; decode it as ARGB_8888");
            }
        }
        int width = readable.getWidth();
        int height = readable.getHeight();
        result.resize(width, height);
        int[] row = pixels(width);
        byte[] rgb = result.rgb;
        int n = 0;
        for (int line = 0; line < height; line++) {
            readable.getPixels(row, 0, width, 0, line, width, 1);
            for (int column = 0; column < width; column++) {
                rgb[n++] = (byte) (row[column] >> 16);
                rgb[n++] = (byte) (row[column] >> 8);
                rgb[n++] = (byte) row[column];
            }
        }
        if (readable != bitmap) {
            readable.recycle();
        }
        return result;
    }

    /**
     * Convert a picture for the screen.
     *
     * @param picture what to convert
     * @param reuse receives the picture if it is mutable and as large; may be null
     * @return reuse, or a new ARGB_8888 bitmap
     */
    public Bitmap bitmap(Picture picture, Bitmap reuse) {
        Bitmap result = reuse;
        if (reuse == null || reuse.isRecycled() || !reuse.isMutable()
                || reuse.getWidth() != picture.width || reuse.getHeight() != picture.height) {
            result = Bitmap.createBitmap(
                    picture.width, picture.height, Bitmap.Config.ARGB_8888);
        }
        int[] argb = pixels(picture.width * picture.height);
        picture.toArgb(argb);
        result.setPixels(argb, 0, picture.width, 0, 0, picture.width, picture.height);
        return result;
    }

    private int[] pixels(int count) {
        if (pixels.length < count) {
            pixels = new int[count];
        }
        return pixels;
    }
}
