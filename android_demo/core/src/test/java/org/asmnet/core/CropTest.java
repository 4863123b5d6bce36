package org.asmnet.core;

import static org.asmnet.core.Golden.apart;
import static org.asmnet.core.Golden.assertNear;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CropTest {
    private final Resampler resampler = new Resampler();
    private Crop crop;
    private int size;

    private void read(int n) {
        double[] fields = Golden.doubles("crop/cases", n);
        crop = new Crop(fields[0], fields[1], fields[2], fields[3]);
        size = (int) fields[4];
    }

    private byte[] extract(boolean padded) {
        byte[] result = new byte[3 * size * size];
        resampler.extract(Golden.picture(), crop, size, padded, result);
        return result;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
    void geometryIsThatOfPython(int n) {
        read(n);
        double[] matrix = new double[6];
        crop.matrix(size, matrix);
        assertNear(Golden.doubles("crop/" + n + "/matrix"), matrix, 1e-10);
        float[] points = new float[40];
        crop.toPicture(Golden.floats("crop/units"), points);
        assertNear(Golden.floats("crop/" + n + "/points"), points, 1e-4f);
        float[] given = Golden.floats("crop/" + n + "/points");
        Crop around = new Crop().around(given, 1.25, crop.angle);
        assertNear(Golden.doubles("crop/" + n + "/around"),
                new double[] {around.cx, around.cy, around.side, around.angle}, 1e-9);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
    void pixelsAreThoseOfNumpy(int n) {
        read(n);
        assertArrayEquals(Golden.bytes("crop/" + n + "/numpy"), extract(false));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
    void pixelsAreWithinOneLevelOfOpenCv(int n) {
        read(n);
        assertEquals(0, apart(Golden.bytes("crop/" + n + "/opencv"), extract(false), 1), 1e-3);
        assertEquals(0, apart(Golden.bytes("crop/" + n + "/padded"), extract(true), 1), 1e-3);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4, 6, 10, 64, 100})
    void halfALevelIsRoundedUp(int k) {
        Picture stripes = new Picture().resize(8 * k, 8 * k);
        for (int i = 0; i < stripes.rgb.length; i++) {
            stripes.rgb[i] = (byte) (200 + i / 3 % 2);
        }
        byte[] result = new byte[3 * 8 * 8];
        resampler.extract(stripes, new Crop(4 * k - 0.5, 4 * k - 0.5, 8 * k, 0), 8, false, result);
        for (byte level : result) {
            assertEquals(201, level & 255);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 90, 180, 270})
    void theWholePictureAtItsOwnSizeIsOnlyTurned(int angle) {
        size = 20;
        Picture picture = new Picture().resize(size, size);
        new Random(1).nextBytes(picture.rgb);
        for (boolean padded : new boolean[] {false, true}) {
            byte[] result = new byte[3 * size * size];
            resampler.extract(picture, new Crop(9.5, 9.5, size, angle), size, padded, result);
            for (int i = 0; i < result.length; i++) {
                int column = i / 3 % size;
                int row = i / 3 / size;
                for (int turns = angle / 90; turns > 0; turns--) {
                    int before = column;
                    column = size - 1 - row;
                    row = before;
                }
                assertEquals(picture.rgb[3 * (row * size + column) + i % 3], result[i]);
            }
        }
    }

    @Test
    void aPictureNarrowerThanABlockIsSampledWithoutBlocks() {
        Picture tall = new Picture().resize(3, 500);
        for (int i = 0; i < tall.rgb.length; i++) {
            tall.rgb[i] = (byte) (i / 9 / 2);
        }
        byte[] result = new byte[3 * 16 * 16];
        resampler.extract(tall, new Crop(1, 300, 64, 0), 16, false, result);
        for (int i = 0; i < result.length; i++) {
            double expected = (300 + (i / (3 * 16) - 7.5) * 4) / 2;
            assertEquals(expected, result[i] & 255, 1);
        }
    }

    @Test
    void anImpossibleCropIsRefused() {
        size = 8;
        for (double side : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            crop = new Crop(0, 0, side, 0);
            String said = assertThrows(AsmnetException.class, () -> extract(false)).getMessage();
            assertEquals("expected a finite crop with a positive side, got Crop(cx=0.0, cy=0.0, "
                    + "side=" + side + ", angle=0.0)", said);
        }
    }
}
