package org.asmnet.jvm;

import java.nio.ByteBuffer;
import org.asmnet.core.AsmnetException;
import org.asmnet.core.FrameConverter;
import org.asmnet.core.FrameConverter.Plane;
import org.asmnet.core.Picture;

/** A picture as a phone's camera delivers it: lying, in YUV_420_888 with v and u interleaved. */
final class CameraFrame {
    private final ByteBuffer grey;
    private final ByteBuffer chroma;
    private final Plane y;
    private final Plane u;
    private final Plane v;
    private final int rotation;
    private final int width;
    private final int height;

    /**
     * Make a frame.
     *
     * @param picture what it shows
     * @param rotation 0, 90, 180 or 270: degrees clockwise that make the frame upright
     */
    CameraFrame(Picture picture, int rotation) {
        this.rotation = rotation;
        boolean upright = rotation % 180 == 0;
        width = (upright ? picture.width : picture.height) / 2 * 2;
        height = (upright ? picture.height : picture.width) / 2 * 2;
        grey = ByteBuffer.allocateDirect(width * height);
        chroma = ByteBuffer.allocateDirect(width * height / 2);
        for (int row = 0; row < height; row++) {
            for (int column = 0; column < width; column++) {
                int at = at(column, row, picture);
                double r = picture.rgb[at] & 255;
                double g = picture.rgb[at + 1] & 255;
                double b = picture.rgb[at + 2] & 255;
                double light = 0.299 * r + 0.587 * g + 0.114 * b;
                grey.put(row * width + column, level(light));
                if (row % 2 == 0 && column % 2 == 0) {
                    int to = row / 2 * width + column;
                    chroma.put(to, level(128 + (r - light) / 1.402));
                    chroma.put(to + 1, level(128 + (b - light) / 1.772));
                }
            }
        }
        y = new Plane().set(grey, width, 1);
        v = new Plane().set(chroma, width, 2);
        ByteBuffer behind = chroma.duplicate();
        behind.position(1);
        u = new Plane().set(behind.slice(), width, 2);
    }

    /** Where a pixel of the frame comes from. */
    private int at(int column, int row, Picture picture) {
        switch (rotation) {
            case 0:
                return 3 * (row * picture.width + column);
            case 90:
                return 3 * (column * picture.width + picture.width - 1 - row);
            case 180:
                return 3 * ((picture.height - row) * picture.width - 1 - column);
            case 270:
                return 3 * ((picture.height - 1 - column) * picture.width + row);
            default:
                throw new AsmnetException(
                        "--rotation " + rotation + " is none of 0, 90, 180, 270");
        }
    }

    private static byte level(double value) {
        return (byte) Math.rint(Math.max(0, Math.min(value, 255)));
    }

    /** Convert it as the app does. */
    void convert(FrameConverter converter, Picture result) {
        converter.yuv(y, u, v, 0, 0, width, height, rotation, false, result);
    }
}
