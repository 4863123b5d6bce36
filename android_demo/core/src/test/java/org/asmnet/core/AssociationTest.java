package org.asmnet.core;

import static org.asmnet.core.Golden.assertNear;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What tells faces apart, and where they are searched. */
class AssociationTest {
    private static final int CELLS = Association.THUMBNAIL * Association.THUMBNAIL;

    private static float[] thumbnail(byte[] pixels, int size) {
        float[] result = new float[3 * CELLS];
        Association.thumbnail(pixels, size, result);
        return result;
    }

    @Test
    void thumbnailsCorrelateAsInPython() {
        byte[] pixels = Golden.bytes("association/thumbnails");
        float[] one = thumbnail(Arrays.copyOf(pixels, 3 * CELLS), 16);
        float[] other = thumbnail(Arrays.copyOfRange(pixels, 3 * CELLS, 6 * CELLS), 16);
        assertEquals(Golden.doubles("association/correlation")[0],
                Association.correlation(one, other), 1e-6);
    }

    @Test
    void aSideThatSixteenDoesNotDivideIsAveragedAsInPython() {
        // A level more or less where Python rounds the other way.
        assertNear(Golden.floats("association/odd/thumbnail"),
                thumbnail(Golden.bytes("association/odd"), 100), 0.02f);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void aThumbnailHasTheWholeLevelsNextToTheMeans(int cell) {
        byte[] small = Arrays.copyOf(Golden.bytes("association/thumbnails"), 3 * CELLS);
        int size = cell * Association.THUMBNAIL;
        byte[] large = new byte[3 * size * size];
        for (int i = 0; i < large.length; i++) {
            int row = i / 3 / size;
            int column = i / 3 % size;
            int from = 3 * (row / cell * Association.THUMBNAIL + column / cell) + i % 3;
            // A pixel of each second block is a level brighter or darker: a mean just beside.
            boolean odd = cell > 1 && row % (2 * cell) == 0 && column % cell == 0;
            int level = small[from] & 255;
            large[i] = (byte) (odd ? level + (level < 128 ? 1 : -1) : level);
        }
        float[] levels = new float[small.length];
        for (int i = 0; i < levels.length; i++) {
            levels[i] = small[i] & 255;
        }
        Association.zscore(levels);
        assertNear(levels, thumbnail(large, size), 1e-6f);
    }

    @Test
    void pairsOfBoxesAreSuspiciousAsInPython() {
        float[] boxes = Golden.floats("association/boxes");
        byte[] suspicious = Golden.bytes("association/suspicious");
        double[] pair = new double[8];
        for (int n = 0; n < suspicious.length; n++) {
            for (int i = 0; i < 8; i++) {
                pair[i] = boxes[8 * n + i];
            }
            assertEquals(suspicious[n] == 1, Association.suspicious(Arrays.copyOf(pair, 4),
                    Arrays.copyOfRange(pair, 4, 8), 120, 100), "pair " + n);
        }
    }

    /** From a box with sides of 10 in a picture of 100 x 100. */
    @ParameterizedTest
    @CsvSource({
        "40, 40, 10, false",
        "42.5, 40, 10, false", "42.6, 40, 10, true", // a quarter of its side to the right
        "40, 37.5, 10, false", "40, 37.4, 10, true", // or up
        "38.8, 38.8, 12.4, false", "38.75, 38.75, 12.5, true", // a quarter larger
        "41, 41, 8.1, false", "41, 41, 8, true", // or smaller
    })
    void aFaceMovesAndGrowsByLessThanAQuarter(
            double left, double top, double side, boolean suspicious) {
        assertEquals(suspicious, Association.suspicious(new double[] {40, 40, 50, 50},
                new double[] {left, top, left + side, top + side}, 100, 100));
    }

    @ParameterizedTest
    @CsvSource({"-4, 40, false", "-4.01, 40, true", "96, 40, true", "94, 40, false",
        "40, -4, false", "40, -5, true", "40, 94, false", "40, 95, true", "-30, -30, true"})
    void threeFifthsOfAFaceAreInThePicture(double left, double top, boolean suspicious) {
        double[] box = {left, top, left + 10, top + 10};
        assertEquals(suspicious, Association.suspicious(box, box, 100, 100));
    }

    @Test
    void aCropsBoxIsAroundItsCentre() {
        double[] box = new double[4];
        Association.squareBox(new Crop(50, 40, 20, 0), box);
        assertArrayEquals(new double[] {40, 30, 60, 50}, box);
    }

    @Test
    void regionsAreThoseOfPython() {
        int[] sizes = Golden.ints("association/sizes");
        for (int n = 0; n < sizes.length / 2; n++) {
            int width = sizes[2 * n];
            int height = sizes[2 * n + 1];
            String key = "association/regions/" + n;
            int count = Association.searchRegions(width, height);
            assertEquals(Golden.shape(key)[0] + 1, count);
            assertNull(Association.searchRegion(width, height, 0, new Crop()), "the whole picture");
            for (int i = 1; i < count; i++) {
                Crop crop = Association.searchRegion(width, height, i, new Crop());
                assertNear(Golden.doubles(key, i - 1),
                        new double[] {crop.cx, crop.cy, crop.side}, 1e-9);
            }
        }
    }
}
