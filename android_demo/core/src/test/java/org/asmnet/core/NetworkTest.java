package org.asmnet.core;

import static org.asmnet.core.Golden.assertNear;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import org.asmnet.core.Quantization.Type;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
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
    void aFaceComesToItsPlaceInThePicture() {
        Crop crop = Golden.crop("face/crop");
        float[] points = Golden.floats("face/units");
        crop.toPicture(points, points);
        assertNear(Golden.floats("face/landmarks"), points, 1e-3f);
        float[] pose = Golden.floats("face/raw_pose");
        Pose.rotate(pose, crop.angle, new double[9], pose);
        assertNear(Golden.floats("face/pose"), pose, 1e-4f);
    }

    @Test
    void anchorsAreThoseOfPython() {
        assertArrayEquals(Golden.floats("detector/anchors"), FaceDetector.anchors());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void detectionsAreThoseOfPython(int n) {
        String key = "detector/" + n + "/";
        FaceDetector detector = new FaceDetector(null);
        int found = 0;
        for (int again = 0; again < 2; again++) {
            found = detector.decode(Golden.floats(key + "regressors"),
                    Golden.floats(key + "logits"), Golden.crop(key + "region"),
                    Golden.doubles(key + "threshold")[0]);
        }
        assertEquals(Golden.shape(key + "boxes")[0], found);
        for (int i = 0; i < found; i++) {
            Detection face = detector.get(i);
            assertEquals(Golden.doubles(key + "scores")[i], face.score, 1e-6);
            assertNear(Golden.doubles(key + "boxes", i), face.box, 1e-3);
            assertNear(Golden.doubles(key + "keypoints", i), face.keypoints, 1e-3);
            Crop crop = face.toCrop(1.25, new Crop());
            assertNear(Golden.doubles(key + "crops", i),
                    new double[] {crop.cx, crop.cy, crop.side, crop.angle}, 2e-3);
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, -1e30f})
    void aDamagedDetectorIsOneSentence(float answer) {
        float[] regressors = new float[16 * FaceDetector.ANCHORS];
        float[] logits = new float[FaceDetector.ANCHORS];
        Arrays.fill(logits, -50);
        FaceDetector detector = new FaceDetector(null);
        Crop region = new Crop().set(50, 50, 100, 0);
        regressors[7] = answer;
        assertEquals(0, detector.decode(regressors, logits, region, 0.5));
        logits[0] = 3;
        assertDamaged("the face detector answers " + answer,
                () -> detector.decode(regressors, logits, region, 0.5));
        regressors[7] = 0;
        logits[895] = answer;
        assertDamaged("the face detector answers " + answer,
                () -> detector.decode(regressors, logits, region, 0.5));
    }

    @Test
    void aDamagedLandmarkNetworkIsOneSentence() {
        ModelSpec spec = ModelSpec.read(Golden.resource("contract.tflite"), "contract");
        for (String damaged : new String[] {spec.landmarksTensor, spec.poseTensor}) {
            Interpreter network = new Interpreter() {
                @Override
                public InputTensor input() {
                    return new InputTensor("n", new int[] {1, 224, 224, 3}, Type.FLOAT32, 0, 0);
                }

                @Override
                public void run(float[] input) {}

                @Override
                public void run(byte[] input) {}

                @Override
                public void output(String name, float[] values) {
                    values[values.length - 1] = name.equals(damaged) ? Float.NaN : 0;
                }
            };
            assertDamaged(spec.name + " answers NaN", () -> new Landmarker(network, spec).locate(
                    new Picture().resize(9, 9), new Crop().set(4, 4, 5, 0), new Face(68)));
        }
    }

    private static void assertDamaged(String start, Executable call) {
        String said = assertThrows(AsmnetException.class, call).getMessage();
        assertEquals(start + ", which no sound network does; its file is damaged: get or export it "
                + "again", said);
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
