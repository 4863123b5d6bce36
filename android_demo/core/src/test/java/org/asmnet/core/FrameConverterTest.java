package org.asmnet.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.asmnet.core.FrameConverter.Plane;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FrameConverterTest {
    private final FrameConverter converter = new FrameConverter();
    private final Picture picture = new Picture();

    private void assertPicture(String name) {
        int[] shape = Golden.shape(name);
        assertEquals(shape[0], picture.height);
        assertEquals(shape[1], picture.width);
        assertArrayEquals(Golden.bytes(name),
                Arrays.copyOf(picture.rgb, 3 * picture.width * picture.height));
    }

    @ParameterizedTest
    @CsvSource({"0, false", "90, false", "180, false", "270, false",
        "0, true", "90, true", "180, true", "270, true"})
    void framesBecomeUprightPictures(int rotation, boolean mirror) {
        int[] rect = Golden.ints("frame/rect");
        byte[] y = Golden.bytes("frame/y");
        byte[] uv = Golden.bytes("frame/uv");
        int stride = Golden.shape("frame/y")[1];
        int uvStride = Golden.shape("frame/uv")[1];
        String suffix = rotation + (mirror ? "/mirror" : "");
        // A camera's planes end with their last sample, not with a whole row.
        ByteBuffer u = ByteBuffer.allocateDirect(10 * uvStride + 29);
        u.put(uv, 1, u.capacity()).rewind();
        converter.yuv(new Plane().set(ByteBuffer.wrap(y), stride, 1),
                new Plane().set(u, uvStride, 2),
                new Plane().set(ByteBuffer.wrap(uv), uvStride, 2),
                rect[0], rect[1], rect[2], rect[3], rotation, mirror, picture);
        assertPicture("frame/yuv/" + suffix);

        converter.rgba(ByteBuffer.wrap(Golden.bytes("frame/rgba")), Golden.shape("frame/rgba")[1],
                13, 9, rotation, mirror, picture);
        assertPicture("frame/rgba/" + suffix);
    }

    @Test
    void colorsAreThoseOfPython() {
        byte[] y = new byte[1];
        byte[] u = new byte[1];
        byte[] v = new byte[1];
        Plane[] planes = new Plane[3];
        byte[][] samples = {y, u, v};
        for (int i = 0; i < 3; i++) {
            planes[i] = new Plane().set(ByteBuffer.wrap(samples[i]), 1, 1);
        }
        byte[] expected = Golden.bytes("frame/colors");
        for (int n = 0; n < 52 * 52 * 52; n++) {
            y[0] = (byte) (5 * (n / (52 * 52)));
            u[0] = (byte) (5 * (n / 52 % 52));
            v[0] = (byte) (5 * (n % 52));
            converter.yuv(planes[0], planes[1], planes[2], 0, 0, 1, 1, 0, false, picture);
            assertArrayEquals(Arrays.copyOfRange(expected, 3 * n, 3 * n + 3),
                    Arrays.copyOf(picture.rgb, 3));
        }
    }

    @Test
    void whatCannotBeAFrameIsRefused() {
        Plane small = new Plane().set(ByteBuffer.allocate(15), 4, 1);
        Plane half = new Plane().set(ByteBuffer.allocate(4), 2, 1);
        assertThrows(AsmnetException.class,
                () -> converter.yuv(small, half, half, 0, 0, 4, 4, 0, false, picture));
        assertThrows(AsmnetException.class,
                () -> converter.rgba(ByteBuffer.allocate(64), 16, 4, 4, 45, false, picture));
        assertThrows(AsmnetException.class,
                () -> converter.rgba(ByteBuffer.allocate(63), 16, 4, 4, 0, false, picture));
        assertThrows(AsmnetException.class,
                () -> converter.rgba(ByteBuffer.allocate(64), 16, 0, 4, 0, false, picture));
    }
}
