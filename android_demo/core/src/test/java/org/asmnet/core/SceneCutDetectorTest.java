package org.asmnet.core;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Cuts between scenes. */
class SceneCutDetectorTest {
    private final SceneCutDetector cuts = new SceneCutDetector();

    /** A scene of its own for each seed; `light` is added to every pixel. */
    private static Picture scene(int seed, int width, int height, int light) {
        Picture picture = new Picture().resize(width, height);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                double across = (seed + 1.0) * 20 * x / width;
                double waves = Math.cos(across + 3.0 * seed * y / height);
                int at = 3 * (y * width + x);
                picture.rgb[at] = picture.rgb[at + 1] = picture.rgb[at + 2] =
                        (byte) (110 + light + 90 * waves);
            }
        }
        return picture;
    }

    @ParameterizedTest
    @CsvSource({"160, 120", "120, 160", "163, 125", "15, 9"})
    void anotherSceneIsACut(int width, int height) {
        assertFalse(cuts.isNext(scene(0, width, height, 0)), "the first frame");
        assertFalse(cuts.isNext(scene(0, width, height, 0)));
        assertTrue(cuts.isNext(scene(1, width, height, 0)));
        assertFalse(cuts.isNext(scene(1, width, height, 0)));
    }

    @Test
    void moreLightIsNoCut() {
        cuts.isNext(scene(0, 160, 120, 0));
        assertFalse(cuts.isNext(scene(0, 160, 120, 50)));
    }

    @Test
    void afterAResetTheNextFrameIsTheFirst() {
        cuts.isNext(scene(0, 160, 120, 0));
        cuts.reset();
        assertFalse(cuts.isNext(scene(1, 160, 120, 0)));
    }
}
