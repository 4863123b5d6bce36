package org.asmnet.core;

import static org.asmnet.core.Golden.assertNear;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where heads are, by several cameras. */
class HeadPositionTest {
    @ParameterizedTest
    @ValueSource(strings = {"ibug68", "wflw98"})
    void headsAreWherePythonPutsThem(String name) {
        String key = "head/" + name + "/";
        Scheme scheme = Scheme.of(name);
        float[] landmarks = Golden.floats(key + "landmarks");
        float[] poses = Golden.floats(key + "poses");
        int[] sizes = Golden.ints(key + "sizes");
        double[] fovs = Golden.doubles(key + "fovs");
        double[] place = new double[3];
        for (int n = 0; n < fovs.length; n++) {
            int first = 2 * scheme.count * n;
            new HeadPosition(scheme, fovs[n]).locate(
                    Arrays.copyOfRange(landmarks, first, first + 2 * scheme.count),
                    Arrays.copyOfRange(poses, 3 * n, 3 * n + 3),
                    sizes[2 * n], sizes[2 * n + 1], place);
            assertNear(Golden.doubles(key + "places", n), place, 1e-6);
        }
        assertTrue(fovs.length > 10);
    }

    @Test
    void theFieldOfViewIsThatOfTheLongerSide() {
        HeadPosition head = new HeadPosition(Scheme.IBUG68, 90);
        assertEquals(320, head.focalLength(640, 480), 1e-9);
        assertEquals(320, head.focalLength(480, 640), 1e-9);
    }

    @Test
    void pointsInOnePlaceAreNoError() {
        float[] landmarks = new float[2 * 68];
        for (int i = 0; i < 68; i++) {
            landmarks[2 * i] = 319.5f;
            landmarks[2 * i + 1] = 239.5f;
        }
        double[] place = new double[3];
        new HeadPosition(Scheme.IBUG68, 65).locate(landmarks, new float[3], 640, 480, place);
        for (double value : place) {
            assertTrue(Math.abs(value) < 1e12, Arrays.toString(place));
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.99, 170.1, -65, Double.NaN, Double.POSITIVE_INFINITY})
    void aFieldOfViewThatIsNoneIsOneSentence(double fov) {
        String said = assertThrows(AsmnetException.class,
                () -> new HeadPosition(Scheme.IBUG68, fov)).getMessage();
        assertEquals("a field of view is 1 to 170 degrees, not " + fov, said);
    }

    @ParameterizedTest
    @ValueSource(doubles = {1, 170})
    void theEndsOfTheRangeAreFieldsOfView(double fov) {
        assertTrue(new HeadPosition(Scheme.IBUG68, fov).focalLength(640, 480) > 0);
    }
}
