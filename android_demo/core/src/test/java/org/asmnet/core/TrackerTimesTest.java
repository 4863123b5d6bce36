package org.asmnet.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.asmnet.core.Quantization.Type;
import org.junit.jupiter.api.Test;

/** When the tracker searches, verifies and forgets: each limit at its own value. */
class TrackerTimesTest {
    /** Centres and sides of the detector's faces, in parts of the square that it searches. */
    private static final double[][] PLACES = {
        {0.5, 0.5, 0.5}, {0.1, 0.1, 0.1}, {0.9, 0.1, 0.1}, {0.1, 0.9, 0.1}, {0.9, 0.9, 0.1}};

    private final ModelSpec spec = ModelSpec.read(Golden.resource("contract.tflite"), "contract");
    private final Fake landmarks = new Fake(spec.inputSize, Type.FLOAT32, 0, 0);
    private final Fake detector = new Fake(FaceDetector.SIZE, Type.FLOAT32, 0, 0);
    private final Picture picture = new Picture().resize(100, 100);

    TrackerTimesTest() {
        for (int i = 0; i < picture.rgb.length; i++) {
            picture.rgb[i] = (byte) (128 + 100 * Math.cos(i * 0.01) * Math.cos(i * 0.07));
        }
        seeFaces(1);
    }

    /** What the detector finds from now on, and landmarks that fill their crop as they should. */
    private void seeFaces(int count) {
        float[] regressors = new float[16 * FaceDetector.ANCHORS];
        float[] logits = new float[FaceDetector.ANCHORS];
        Arrays.fill(logits, -50);
        float[] anchors = FaceDetector.anchors(false);
        for (int n = 0; n < count; n++) {
            logits[n] = 5;
            for (int i = 0; i < 16; i += 2) {
                regressors[16 * n + i] = 128 * (float) (PLACES[n][0] - anchors[2 * n]);
                regressors[16 * n + i + 1] = 128 * (float) (PLACES[n][1] - anchors[2 * n + 1]);
            }
            regressors[16 * n + 2] = regressors[16 * n + 3] = 128 * (float) PLACES[n][2];
        }
        detector.answers.put("regressors", regressors);
        detector.answers.put("classificators", logits);
        landmarksFill(1 / spec.margin);
    }

    /** The landmarks' box from now on, as a part of the crop's side. */
    private void landmarksFill(double part) {
        float[] points = new float[2 * spec.landmarkScheme.count];
        points[0] = points[1] = (float) (-part / 2);
        points[2] = points[3] = (float) (part / 2);
        landmarks.answers.put(spec.landmarksTensor, points);
    }

    /** The face leaves: no detector finds it, and the landmarks shrink. */
    private void seeNobody() {
        seeFaces(0);
        landmarksFill(0.5 / spec.margin);
    }

    private FaceTracker tracker(int maxFaces) {
        return new FaceTracker(
                new Landmarker(landmarks, spec), new FaceDetector(detector), maxFaces, true);
    }

    private List<Integer> ids(FaceTracker tracker, double t) {
        return tracker.update(picture, t).stream().map(face -> face.id)
                .collect(Collectors.toList());
    }

    /** How often the detector runs in a frame. */
    private int searches(FaceTracker tracker, double t) {
        int before = detector.runs;
        tracker.update(picture, t);
        return detector.runs - before;
    }

    @Test
    void anEmptyPictureIsSearchedLessAndLessButTenTimesASecond() {
        seeNobody();
        FaceTracker tracker = tracker(1);
        double t = 0;
        assertEquals(1, searches(tracker, t));
        for (double pause : new double[] {0.01, 0.03, 0.07, 0.1, 0.1}) {
            assertEquals(0, searches(tracker, t + pause - 0.001), "before " + pause);
            t += pause;
            assertEquals(1, searches(tracker, t), "after " + pause);
        }
    }

    @Test
    void moreFacesAreSearchedEverySixthOfASecondWhileThereIsRoom() {
        FaceTracker tracker = tracker(2);
        tracker.update(picture, 0);
        assertEquals(0, searches(tracker, 0.149));
        assertEquals(1, searches(tracker, 0.15));
        FaceTracker full = tracker(1);
        full.update(picture, 0);
        assertEquals(0, searches(full, 0.9));
    }

    @Test
    void aFaceThatStaysTheSameIsVerifiedOnceASecond() {
        FaceTracker tracker = tracker(1);
        tracker.update(picture, 0);
        assertEquals(0, searches(tracker, 0.999));
        assertEquals(1, searches(tracker, 1.0));
    }

    @Test
    void aGapOfMoreThanASecondBeginsAnew() {
        FaceTracker tracker = tracker(1);
        assertEquals(List.of(0), ids(tracker, 0));
        assertEquals(List.of(0), ids(tracker, 1.0));
        assertEquals(List.of(1), ids(tracker, 2.001));
    }

    @Test
    void aLostFaceIsKnownAgainForASecond() {
        FaceTracker tracker = tracker(1);
        for (double away : new double[] {0.999, 1.0}) {
            tracker.reset();
            seeFaces(1);
            int id = ids(tracker, 0).get(0);
            seeNobody();
            assertEquals(List.of(), ids(tracker, 0.5));
            seeFaces(1);
            assertEquals(List.of(away < 1 ? id : id + 1), ids(tracker, away));
        }
    }

    @Test
    void afterAResetAFaceIsAnotherOne() {
        FaceTracker tracker = tracker(1);
        assertEquals(List.of(0), ids(tracker, 0));
        tracker.reset();
        assertEquals(List.of(1), ids(tracker, 0.03));
    }

    @Test
    void asManyFacesAreFollowedAsWereAskedFor() {
        seeFaces(5);
        assertEquals(List.of(0, 1, 2, 3, 4), ids(tracker(5), 0));
        assertEquals(List.of(0, 1, 2), ids(tracker(3), 0));
    }

    @Test
    void facesThatAreKnownAgainComeOldestFirst() {
        FaceTracker tracker = tracker(2);
        seeFaces(2);
        assertEquals(List.of(0, 1), ids(tracker, 0));
        seeNobody();
        assertEquals(List.of(), ids(tracker, 0.5));
        seeFaces(2);
        detector.answers.get("classificators")[1] = 6; // the younger one is found first
        assertEquals(List.of(0, 1), ids(tracker, 0.6));
    }

    @Test
    void besideADetectorOfTurnedFacesTheOtherLooksFirstAndEachSecondTime() {
        Fake turned = new Fake(FaceDetector.TURNED_SIZE, Type.FLOAT32, 0, 0);
        float[] nobody = new float[FaceDetector.anchors(true).length / 2];
        Arrays.fill(nobody, -50);
        turned.answers.put("classificators", nobody);
        FaceTracker tracker = new FaceTracker(new Landmarker(landmarks, spec),
                new FaceDetector(detector), new FaceDetector(turned), 1, true, 65);
        assertEquals(List.of(0), ids(tracker, 0));
        tracker.reset();
        seeNobody();
        int[] runs = new int[4];
        for (int n = 0; n < 4; n++) {
            runs[n] = searches(tracker, 0.2 * n);
        }
        assertArrayEquals(new int[] {1, 0, 1, 0}, runs);
    }

    @Test
    void theWatchTellsTheLastFramesTime() {
        FaceTracker tracker = tracker(1);
        tracker.update(picture, 0);
        assertTrue(tracker.watch.nanos(Stopwatch.Stage.DETECT) > 0);
        tracker.update(picture, 0.03);
        assertEquals(0, tracker.watch.nanos(Stopwatch.Stage.DETECT));
        assertTrue(tracker.watch.nanos(Stopwatch.Stage.NETWORK) > 0);
    }
}
