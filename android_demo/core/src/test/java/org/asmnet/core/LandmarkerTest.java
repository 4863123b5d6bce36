package org.asmnet.core;

import static org.asmnet.core.Golden.assertNear;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import org.asmnet.core.Quantization.Type;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** From a crop to landmarks and pose in the picture. */
class LandmarkerTest {
    private final ModelSpec spec = ModelSpec.read(Golden.resource("contract.tflite"), "contract");
    private final Fake network = new Fake(spec.inputSize, Type.FLOAT32, 0, 0);
    private final Picture grey = new Picture().resize(9, 9);
    private final Face face = new Face(spec.landmarkScheme.count);

    LandmarkerTest() {
        Arrays.fill(grey.rgb, (byte) 200);
    }

    @Test
    void aFaceComesToItsPlaceInThePicture() {
        network.answers.put(spec.landmarksTensor, Golden.floats("face/units"));
        network.answers.put(spec.poseTensor, Golden.floats("face/raw_pose"));
        Crop crop = Golden.crop("face/crop"); // which is turned
        new Landmarker(network, spec).locate(grey, crop, face);
        assertNear(Golden.floats("face/landmarks"), face.landmarks, 1e-3f);
        assertNear(Golden.floats("face/pose"), face.pose, 1e-4f);
        assertEquals(crop.toString(), face.crop.toString());
    }

    @Test
    void aDetectedFaceIsSeenTwice() {
        float[] units = Golden.floats("face/units");
        network.answers.put(spec.landmarksTensor, units);
        network.answers.put(spec.poseTensor, Golden.floats("face/raw_pose"));
        Detection seen = new Detection(0);
        seen.score = 0.75;
        seen.box[2] = 6;
        seen.box[3] = 6;
        Face found = new Landmarker(network, spec).locate(grey, seen);
        float[] first = new float[units.length];
        seen.toCrop(spec.margin, new Crop()).toPicture(units, first);
        Crop second = new Crop().next(first, spec.margin);
        assertEquals(second.toString(), found.crop.toString());
        second.toPicture(units, first);
        assertNear(first, found.landmarks, 1e-4f);
        assertEquals(0.75, found.score, 1e-9);
    }

    @Test
    void pointsInOnePlaceAreStillACrop() {
        Crop crop = new Crop().next(new float[] {5, 5, 5, 5}, 1.25);
        assertEquals(new Crop(5, 5, 8, 0).toString(), crop.toString());
    }

    @Test
    void aFloatNetworkSeesStandardizedPixels() {
        new Landmarker(network, spec).locate(grey, new Crop(4, 4, 5, 0), face);
        assertEquals((200 - spec.mean) / spec.std, network.values[0], 1e-6);
        assertEquals(network.values[0], network.values[network.values.length - 1]);
    }

    @ParameterizedTest
    @ValueSource(ints = {-3, 2})
    void anIntegerNetworkSeesLevels(int zeroPoint) {
        Fake integers = new Fake(spec.inputSize, Type.INT8, 0.02f, zeroPoint);
        new Landmarker(integers, spec).locate(grey, new Crop(4, 4, 5, 0), face);
        double exact = (200 - spec.mean) / spec.std / 0.02 + zeroPoint;
        assertEquals(exact, integers.levels[0], 0.51);
        assertEquals(integers.levels[0], integers.levels[integers.levels.length - 1]);
    }

    @Test
    void aNetworkOfAnotherSizeThanItsContractIsRefused() {
        Fake small = new Fake(64, Type.FLOAT32, 0, 0);
        String said = assertThrows(AsmnetException.class, () -> new Landmarker(small, spec))
                .getMessage();
        assertEquals("the network takes 64 pixels, its contract says " + spec.inputSize
                + "; export it again", said);
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.NEGATIVE_INFINITY, 1e6f})
    void aDamagedNetworkIsOneSentence(float answer) {
        for (String damaged : new String[] {spec.landmarksTensor, spec.poseTensor}) {
            network.answers.clear();
            float[] values = new float[damaged.equals(spec.poseTensor) ? 3 : face.landmarks.length];
            values[values.length - 1] = answer;
            network.answers.put(damaged, values);
            Landmarker landmarker = new Landmarker(network, spec);
            String said = assertThrows(AsmnetException.class,
                    () -> landmarker.locate(grey, new Crop(4, 4, 5, 0), face)).getMessage();
            assertEquals(spec.name + " answers " + answer + ", which no sound network does; "
                    + "its file is damaged: get or export it again", said);
        }
    }
}
