package org.asmnet.core;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Crops at the border of a picture and beyond it, and crops that are made smaller. */
class ResamplerTest {
    private final Resampler resampler = new Resampler();

    /** A grey level of a pixel. */
    private interface Levels {
        int at(int x, int y);
    }

    private static Picture picture(int width, int height, Levels levels) {
        Picture picture = new Picture().resize(width, height);
        for (int i = 0; i < picture.rgb.length; i++) {
            picture.rgb[i] = (byte) levels.at(i / 3 % width, i / 3 / width);
        }
        return picture;
    }

    /** The red of an upright crop of 8 x 8 pixels, row by row. */
    private int[] extract(Picture picture, double cx, double cy, double side, boolean padded) {
        byte[] rgb = new byte[3 * 8 * 8];
        resampler.extract(picture, new Crop(cx, cy, side, 0), 8, padded, rgb);
        int[] red = new int[64];
        for (int i = 0; i < 64; i++) {
            red[i] = rgb[3 * i] & 255;
        }
        return red;
    }

    @ParameterizedTest
    @CsvSource({"-4, 6", "16, 6", "6, -4", "6, 16", "-9, 6", "21, 6", "6, -9", "6, 21"})
    void outsideThePictureItsEdgeIsRepeatedOrAllIsBlack(int left, int top) {
        Random random = new Random(1);
        int[] levels = random.ints(400, 1, 256).toArray();
        Picture picture = picture(20, 20, (x, y) -> levels[20 * y + x]);
        int[] repeated = extract(picture, left + 3.5, top + 3.5, 8, false);
        int[] padded = extract(picture, left + 3.5, top + 3.5, 8, true);
        for (int i = 0; i < 64; i++) {
            int x = left + i % 8;
            int y = top + i / 8;
            int edge = levels[20 * Math.min(Math.max(y, 0), 19) + Math.min(Math.max(x, 0), 19)];
            boolean inside = x >= 0 && x < 20 && y >= 0 && y < 20;
            assertEquals(edge, repeated[i], x + ", " + y);
            assertEquals(inside ? edge : 0, padded[i], x + ", " + y);
        }
    }

    @ParameterizedTest
    @CsvSource({"15, 15", "45, 15", "15, 45", "45, 45", "30, 30"})
    void aGradientStaysOneAtHalfItsSize(int cx, int cy) {
        int[] levels = extract(picture(60, 60, (x, y) -> 2 * x + y), cx, cy, 16, false);
        for (int i = 0; i < 64; i++) {
            double x = cx + 2 * (i % 8 - 3.5);
            double y = cy + 2 * (i / 8 - 3.5);
            assertEquals(2 * x + y, levels[i], 1);
        }
    }

    /** A crop pixel is a block of four by four; there are stripes within each. */
    @ParameterizedTest
    @CsvSource({"-60, 10, 90", "80, 10, 100", "10, -60, 90", "10, 80, 100"})
    void aLargeCropBesideThePictureShowsTheMeansAtItsEdge(int cx, int cy, int level) {
        boolean across = cy == 10;
        Picture stripes = picture(20, 20, (x, y) -> {
            int along = across ? x : y;
            return 60 * (along % 4) + (along < 10 ? 0 : 10);
        });
        for (int shown : extract(stripes, cx, cy, 32, false)) {
            assertEquals(level, shown);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aPictureAsNarrowAsABlockIsAveraged(boolean flat) {
        Picture strip = flat
                ? picture(300, 4, (x, y) -> 60 * y)
                : picture(4, 300, (x, y) -> 60 * x);
        for (int shown : extract(strip, flat ? 150 : 1.5, flat ? 1.5 : 150, 32, false)) {
            assertEquals(90, shown);
        }
    }

    @Test
    void aLargerPictureMayFollow() {
        extract(picture(16, 16, (x, y) -> 50), 7.5, 7.5, 16, false);
        for (int shown : extract(picture(80, 40, (x, y) -> 50), 40, 20, 16, false)) {
            assertEquals(50, shown);
        }
        for (int shown : extract(picture(80, 400, (x, y) -> 50), 40, 200, 80, false)) {
            assertEquals(50, shown);
        }
    }

    @Test
    void cropsOfPicturesOfOneSizeMakeNoGarbage() {
        Picture picture = picture(16, 16, (x, y) -> 50);
        Crop whole = new Crop(7.5, 7.5, 16, 0);
        byte[] result = new byte[3 * 8 * 8];
        assertEquals(0, Garbage.least(() -> Garbage.bytes(
                () -> resampler.extract(picture, whole, 8, false, result))));
    }
}
