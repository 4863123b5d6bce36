package org.asmnet.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The made-up scenes of {@code golden/scenes.py}, in which each decision of the tracker matters. */
class SceneTest {
    private final ModelSpec spec = ModelSpec.read(Golden.resource("contract.tflite"), "contract");
    private double[] people;

    @Test
    void facesAreFoundFollowedLostAndKnownAgainAsInPython() {
        replay("scene", null);
    }

    @Test
    void turnedFacesAreFoundAsInPython() {
        replay("turned", Recorded.turnedDetector("turned"));
    }

    private void replay(String scene, Recorded turned) {
        Recorded landmarks = Recorded.landmarks(scene, spec);
        Recorded detector = Recorded.detector(scene);
        FaceTracker tracker = new FaceTracker(new Landmarker(landmarks, spec),
                new FaceDetector(detector), turned == null ? null : new FaceDetector(turned), 2, true,
                HeadPosition.FIELD_OF_VIEW);
        people = Golden.doubles(scene + "/people");
        int[] counts = Golden.ints(scene + "/counts");
        int[] ids = Golden.ints(scene + "/ids");
        double[] scores = Golden.doubles(scene + "/scores");
        float[] boxes = Golden.floats(scene + "/boxes");
        float[] yaws = Golden.floats(scene + "/yaws");
        Picture picture = new Picture();
        int shown = 0;
        int face = 0;
        for (int n = 0; n < counts.length; n++) {
            double[] frame = Golden.doubles(scene + "/frames", n);
            paint(picture, frame, shown);
            shown += (int) frame[4];
            String when = "frame " + n;
            List<Integer> found = new ArrayList<>();
            for (Face seen : tracker.update(picture, frame[0])) {
                found.add(seen.id);
                if (found.size() > counts[n]) {
                    continue;
                }
                assertEquals(scores[face], seen.score, 2e-3, when);
                assertEquals(yaws[face], seen.pose[0], 1e-3, when);
                double[] box = seen.box(new double[4]);
                for (int i = 0; i < 4; i++) {
                    assertEquals(boxes[4 * face + i], box[i], 0.01, when);
                }
                face++;
            }
            int[] expected = Arrays.copyOfRange(ids, face - found.size(), face);
            assertArrayEquals(expected, found.stream().mapToInt(id -> id).toArray(), when);
            assertEquals(counts[n], found.size(), when);
        }
        assertEquals(landmarks.recordedRuns(), landmarks.runs);
        assertEquals(detector.recordedRuns(), detector.runs);
        if (turned != null) {
            assertEquals(turned.recordedRuns(), turned.runs);
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY})
    void aTimeThatIsNoneIsOneSentence(double t) {
        Picture picture = new Picture().resize(9, 9);
        FaceTracker tracker = new FaceTracker(
                new Landmarker(Recorded.landmarks("scene", spec), spec),
                new FaceDetector(Recorded.detector("scene")), 2, true);
        String said = assertThrows(AsmnetException.class, () -> tracker.update(picture, t))
                .getMessage();
        assertEquals("a frame's time must be a number of seconds, not " + t, said);
    }

    /** Stripes for the background and for each face: see {@code tests/edge_runtime/scene.py}. */
    private void paint(Picture picture, double[] frame, int first) {
        int width = (int) frame[1];
        int height = (int) frame[2];
        picture.resize(width, height);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                double waves = 14 * Math.PI * x / width + 6 * Math.PI * y / height;
                set(picture, x, y, 60, waves + frame[3] * Math.PI / 180);
            }
        }
        for (int n = first; n < first + (int) frame[4]; n++) {
            double[] face = Arrays.copyOfRange(people, 6 * n, 6 * n + 6);
            double side = spec.margin * face[2];
            int bottom = Math.min((int) Math.rint(face[1] + 0.6 * side), height);
            int right = Math.min((int) Math.rint(face[0] + 0.6 * side), width);
            for (int y = Math.max((int) Math.rint(face[1] - 0.6 * side), 0); y < bottom; y++) {
                for (int x = Math.max((int) Math.rint(face[0] - 0.6 * side), 0); x < right; x++) {
                    double waves = (x - face[0]) / side * face[3] + (y - face[1]) / side * face[4];
                    set(picture, x, y, 100, 2 * Math.PI * waves + face[5] * Math.PI / 180);
                }
            }
        }
    }

    private static void set(Picture picture, int x, int y, double contrast, double waves) {
        byte grey = (byte) Math.rint(128 + contrast * Math.cos(waves));
        Arrays.fill(picture.rgb, 3 * (y * picture.width + x),
                3 * (y * picture.width + x) + 3, grey);
    }
}
