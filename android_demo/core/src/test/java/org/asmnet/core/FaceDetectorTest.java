package org.asmnet.core;

import static org.asmnet.core.Golden.assertNear;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.asmnet.core.Quantization.Type;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** From the detector's answer to faces in the picture. */
class FaceDetectorTest {
    private final Fake network = new Fake(FaceDetector.SIZE, Type.FLOAT32, 0, 0);
    private final float[] regressors = new float[16 * FaceDetector.ANCHORS];
    private final float[] logits = new float[FaceDetector.ANCHORS];
    private final FaceDetector detector = new FaceDetector(network);
    private final Crop region = new Crop(50, 50, 100, 0);

    FaceDetectorTest() {
        Arrays.fill(logits, -50);
        network.answers.put("regressors", regressors);
        network.answers.put("classificators", logits);
    }

    @Test
    void anchorsAreThoseOfPython() {
        assertArrayEquals(Golden.floats("detector/anchors"), FaceDetector.anchors(false));
        assertArrayEquals(Golden.floats("turned/0/anchors"), FaceDetector.anchors(true));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void detectionsAreThoseOfPython(int n) {
        String key = "detector/" + n + "/";
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

    @Test
    void turnedDetectionsAreThoseOfPython() {
        int[] candidates = Golden.ints("turned/0/candidates");
        float[] known = Golden.floats("turned/0/regressors");
        float[] scores = new float[Golden.shape("turned/0/anchors")[0]];
        float[] boxes = new float[4 * scores.length];
        Arrays.fill(scores, -100);
        for (int i = 0; i < candidates.length; i++) {
            scores[candidates[i]] = Golden.floats("turned/0/logits")[i];
            System.arraycopy(known, 4 * i, boxes, 4 * candidates[i], 4);
        }
        Fake other = new Fake(FaceDetector.TURNED_SIZE, Type.FLOAT32, 0, 0);
        FaceDetector turned = new FaceDetector(other);
        assertEquals(1, turned.decode(boxes, scores, Golden.crop("turned/0/region"), 0.3));
        assertNear(Golden.doubles("turned/0/boxes", 0), turned.get(0).box, 1e-3);
        assertEquals(Golden.doubles("turned/0/scores")[0], turned.get(0).score, 1e-6);
        assertEquals(0, turned.get(0).keypoints.length);
        turned.detect(new Picture().resize(9, 9), null, 0.6);
        assertEquals(3 * FaceDetector.TURNED_SIZE * FaceDetector.TURNED_SIZE, other.values.length);
    }

    @Test
    void withoutARegionTheWholePictureIsSearchedOnBlack() {
        Picture white = new Picture().resize(200, 100);
        Arrays.fill(white.rgb, (byte) 255);
        logits[0] = 3; // the anchor in the upper left: half a cell of a sixteenth from the corner
        assertEquals(1, detector.detect(white, null, 0.5));
        assertEquals(99.5 + 200 * (0.5 / 16 - 0.5), detector.get(0).keypoints[0], 1e-4);
        assertEquals(49.5 + 200 * (0.5 / 16 - 0.5), detector.get(0).keypoints[1], 1e-4);
        int row = 3 * FaceDetector.SIZE;
        assertEquals(-1, network.values[31 * row], 1e-6);
        assertEquals(1, network.values[33 * row], 1e-6);
    }

    @Test
    void aRegionIsAllThatTheNetworkSees() {
        Picture picture = new Picture().resize(200, 100);
        Arrays.fill(picture.rgb, 3 * 200 * 50, 3 * 200 * 100, (byte) 255);
        logits[0] = 3;
        regressors[2] = regressors[3] = FaceDetector.SIZE / 4f; // a quarter of the region
        detector.detect(picture, new Crop(100, 74, 40, 0), 0.5);
        assertEquals(1, network.values[0], 1e-6);
        Detection face = detector.get(0);
        assertEquals(100 + 40 * (0.5 / 16 - 0.5), face.keypoints[0], 1e-4);
        assertEquals(10, face.box[2] - face.box[0], 1e-4);
    }

    @Test
    void aScoreAtTheThresholdIsEnough() {
        logits[0] = 0;
        assertEquals(1, detector.decode(regressors, logits, region, 0.5));
        assertEquals(0.5, detector.get(0).score, 1e-6);
        assertEquals(0, detector.decode(regressors, logits, region, 0.501));
    }

    @ParameterizedTest
    @CsvSource({"38.4, 2", "38.5, 1"})
    void boxesThatShareMoreThanThreeTenthsAreOneFace(float height, int faces) {
        // One as large as the region, one as wide and so high; both around the corner.
        float[] anchors = FaceDetector.anchors(false);
        for (int n = 0; n < 2; n++) {
            int anchor = n * 895;
            logits[anchor] = 3 - n;
            float[] box = {-128 * anchors[2 * anchor],
                -128 * anchors[2 * anchor + 1], 128, n == 0 ? 128 : height};
            System.arraycopy(box, 0, regressors, 16 * anchor, 4);
        }
        assertEquals(faces, detector.decode(regressors, logits, region, 0.5));
    }

    @Test
    void facesOfOneScoreComeInTheOrderOfTheirAnchors() {
        logits[0] = 3;
        logits[400] = 3;
        assertEquals(2, detector.decode(regressors, logits, region, 0.5));
        assertTrue(detector.get(0).keypoints[1] < detector.get(1).keypoints[1]);
    }

    @ParameterizedTest
    @CsvSource({"96, FLOAT32", "128, INT8"})
    void anotherNetworkIsRefused(int size, Type type) {
        String said = assertThrows(AsmnetException.class,
                () -> new FaceDetector(new Fake(size, type, 1, 0))).getMessage();
        assertEquals("the detector takes another input than 128 x 128 floats; it is another model",
                said);
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, -1e30f, 1e6f})
    void aDamagedNetworkIsOneSentence(float answer) {
        regressors[7] = answer;
        assertEquals(0, detector.decode(regressors, logits, region, 0.5), "nobody asked for it");
        logits[0] = 3;
        assertDamaged(answer);
        regressors[7] = 0;
        logits[895] = answer;
        assertDamaged(answer);
    }

    private void assertDamaged(float answer) {
        String said = assertThrows(AsmnetException.class,
                () -> detector.decode(regressors, logits, region, 0.5)).getMessage();
        assertEquals("the face detector answers " + answer + ", which no sound network does; "
                + "its file is damaged: get or export it again", said);
    }
}
