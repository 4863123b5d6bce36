package org.asmnet.core;

import static org.asmnet.core.Golden.assertNear;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.asmnet.core.Quantization.Type;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes into the networks, and what their answers mean. */
class NetworkTest {
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void tablesAreThoseOfPython(int n) {
        float scale = Golden.floats("table/scale")[n];
        int zero = Golden.ints("table/zero")[n];
        double mean = Golden.doubles("table/mean_std", n)[0];
        double std = Golden.doubles("table/mean_std", n)[1];
        String key = "table/" + n + "/";
        assertArrayEquals(Golden.bytes(key + "int8"),
                Quantization.inputTable(mean, std, Type.INT8, scale, zero));
        assertArrayEquals(Golden.bytes(key + "uint8"),
                Quantization.inputTable(mean, std, Type.UINT8, scale, zero + 128));
        assertArrayEquals(Golden.floats(key + "float32"), Quantization.floatTable(mean, std));

        byte[] levels = new byte[256];
        byte[] unsigned = new byte[256];
        for (int i = 0; i < 256; i++) {
            levels[i] = (byte) (i - 128);
            unsigned[i] = (byte) i;
        }
        float[] real = new float[256];
        Quantization.dequantize(levels, Type.INT8, scale, zero, real);
        assertArrayEquals(Golden.floats(key + "real"), real);
        Quantization.dequantize(unsigned, Type.UINT8, scale, zero + 128, real);
        assertArrayEquals(Golden.floats(key + "real"), real);
    }

    /** Two grey levels share one of the tensor's, so each second one lies between two. */
    @ParameterizedTest
    @CsvSource({"128, 0, 129, 1", "128, -64, 1, -127", "127, 63, 254, 127"})
    void halvesAreRoundedUpWhereNothingIsClipped(double mean, int zero, int pixel, int level) {
        assertEquals(level, Quantization.inputTable(mean, 1, Type.INT8, 2, zero)[pixel]);
    }

    @Test
    void posesTurnAsInPython() {
        float[] in = Golden.floats("pose/in");
        float[] out = Golden.floats("pose/out");
        double[] angles = Golden.doubles("pose/angle");
        for (int n = 0; n < angles.length; n++) {
            float[] pose = Arrays.copyOfRange(in, 3 * n, 3 * n + 3);
            Pose.rotate(pose, angles[n], new double[9], pose);
            assertNear(Arrays.copyOfRange(out, 3 * n, 3 * n + 3), pose, 1e-4f);
        }
    }

    @Test
    void anInputKnowsItsSizeAndHowItIsRounded() {
        int[] shape = {1, 4, 4, 3};
        InputTensor integers = new InputTensor("it", shape, Quantization.Type.INT8, 0.5f, -3);
        assertEquals(48, integers.count());
        assertEquals(-3, integers.zeroPoint);
        assertEquals(0, new InputTensor("it", shape, Quantization.Type.FLOAT32, 0.5f, -3).zeroPoint);
    }

    @Test
    void smoothingIsThatOfPython() {
        double[] parameters = Golden.doubles("smooth/parameters");
        OneEuro filter = new OneEuro(4, 2, parameters[0], parameters[1]);
        double[] times = Golden.doubles("smooth/times");
        float[] in = Golden.floats("smooth/in");
        float[] out = Golden.floats("smooth/out");
        float[] points = new float[8];
        for (int n = 0; n < times.length; n++) {
            filter.filter(Arrays.copyOfRange(in, 8 * n, 8 * n + 8), times[n], 80, points);
            assertNear(Arrays.copyOfRange(out, 8 * n, 8 * n + 8), points, 1e-4f);
        }
        filter.reset();
        filter.filter(new float[8], times[0], 80, points);
        assertArrayEquals(new float[8], points);
    }
}
