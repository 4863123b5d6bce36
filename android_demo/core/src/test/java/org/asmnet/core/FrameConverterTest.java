package org.asmnet.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.asmnet.core.FrameConverter.Plane;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
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

    @ParameterizedTest
    @CsvSource({"9, 4, 4, true", "8, 4, 4, false", "9, 3, 4, false", "9, 4, 3, false"})
    void planesHoldTheirSamples(int y, int u, int v, boolean fit) {
        // Two by two pixels of a frame of three by three.
        assertFits(fit, () -> converter.yuv(plane(y, 3), plane(u, 2), plane(v, 2),
                1, 1, 2, 2, 0, false, picture));
    }

    @Test
    void theLastPixelOfAFrameThatJustFitsIsRead() {
        assertFits(true, () -> converter.yuv(plane(9, 3), plane(4, 2), plane(4, 2),
                2, 2, 1, 1, 0, false, picture));
    }

    @Test
    void aSingleRowNeedsNoStride() {
        assertFits(true, () -> converter.yuv(plane(2, 0), plane(1, 0), plane(1, 0),
                0, 0, 2, 1, 0, false, picture));
    }

    @Test
    void lightMayLieApartToo() {
        Plane apart = new Plane().set(ByteBuffer.wrap(new byte[] {10, 99, 20, 99, 30}), 6, 2);
        converter.yuv(apart, grey(), grey(), 0, 0, 3, 1, 0, false, picture);
        assertArrayEquals(new byte[] {10, 10, 10, 20, 20, 20, 30, 30, 30},
                Arrays.copyOf(picture.rgb, 9));
    }

    @ParameterizedTest
    @CsvSource({"-1, 1", "2, 0", "2, -1"})
    void planesGoForward(int rowStride, int pixelStride) {
        Plane plane = new Plane().set(ByteBuffer.allocate(99), rowStride, pixelStride);
        assertFits(false, () -> converter.yuv(plane, plane(99, 2), plane(99, 2),
                0, 0, 2, 2, 0, false, picture));
    }

    @ParameterizedTest
    @CsvSource({"0, 0, true", "-1, 0, false", "0, -1, false"})
    void aCropRectBeginsInsideTheFrame(int left, int top, boolean fits) {
        assertFits(fits, () -> converter.yuv(plane(16, 4), plane(4, 2), plane(4, 2),
                left, top, 2, 2, 0, false, picture));
    }

    @ParameterizedTest
    @CsvSource({"64, 16, 4, 0, true", "63, 16, 4, 0, false", "64, 15, 4, 0, false",
        "64, 16, 0, 0, false", "64, 16, 4, 45, false", "80, 20, 4, 0, true", "75, 20, 4, 0, false"})
    void anRgbaFrameHasAllItsPixels(
            int bytes, int stride, int width, int rotation, boolean fits) {
        ByteBuffer pixels = ByteBuffer.allocate(bytes);
        assertFits(fits,
                () -> converter.rgba(pixels, stride, width, 4, rotation, false, picture));
    }

    @Test
    void aBuffersPositionNeitherMattersNorMoves() {
        ByteBuffer bytes = ByteBuffer.wrap(new byte[] {10, 20, 30, 40});
        bytes.position(3);
        converter.yuv(new Plane().set(bytes, 2, 1), grey(), grey(), 0, 0, 2, 2, 0, false, picture);
        assertEquals(10, picture.rgb[0]);
        assertEquals(40, picture.rgb[9]);
        assertEquals(3, bytes.position());
    }

    @Test
    void framesOfOneSizeMakeNoGarbage() {
        Plane y = plane(16, 4);
        Plane u = plane(4, 2);
        Plane v = plane(4, 2);
        assertEquals(0, Garbage.least(() -> Garbage.bytes(
                () -> converter.yuv(y, u, v, 0, 0, 4, 4, 0, false, picture))));
    }

    private static Plane plane(int bytes, int rowStride) {
        return new Plane().set(ByteBuffer.allocate(bytes), rowStride, 1);
    }

    /** Chroma of up to 4 x 2 grey pixels. */
    private static Plane grey() {
        return new Plane().set(ByteBuffer.wrap(new byte[] {(byte) 128, (byte) 128}), 2, 1);
    }

    private static void assertFits(boolean fits, Executable convert) {
        if (fits) {
            assertDoesNotThrow(convert);
        } else {
            assertThrows(AsmnetException.class, convert);
        }
    }
}
