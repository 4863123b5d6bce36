package org.asmnet.core;

import static org.asmnet.core.Golden.assertNear;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class FaceTrackerTest {
    private final byte[] contract = Golden.resource("contract.tflite");
    private final ModelSpec spec = ModelSpec.read(contract, "contract");
    private final int[] shape = Golden.shape("track/frames");
    private final byte[] frames = Golden.bytes("track/frames");
    private final double[] times = Golden.doubles("track/times");

    @Test
    void theClipIsFollowedAsInPython() {
        int[] order = new int[times.length];
        for (int n = 0; n < order.length; n++) {
            order[n] = n;
        }
        replay("track", spec, order);
    }

    @Test
    void blinksAndYawnsAreToldAsInPython() {
        int[] order = new int[times.length];
        for (int n = 0; n < order.length; n++) {
            order[n] = n;
        }
        replay("blinking", spec, order);
    }

    @Test
    void wrongAnswersAndLeapsAreTakenAsInPython() {
        replay("nervous", spec, Golden.ints("nervous/order"));
    }

    private void replay(String clip, ModelSpec spec, int[] order) {
        Recorded landmarks = Recorded.landmarks(clip, spec);
        Recorded detector = Recorded.detector(clip);
        FaceTracker tracker = new FaceTracker(
                new Landmarker(landmarks, spec), new FaceDetector(detector), 2, true);
        double[] times = Golden.doubles(clip + "/times");
        int[] counts = Golden.ints(clip + "/counts");
        int[] ids = Golden.ints(clip + "/ids");
        double[] scores = Golden.doubles(clip + "/scores");
        float[] points = Golden.floats(clip + "/points");
        float[] poses = Golden.floats(clip + "/poses");
        float[] positions = Golden.floats(clip + "/positions");
        double[] eyes = Golden.doubles(clip + "/eyes");
        double[] mouths = Golden.doubles(clip + "/mouths");
        List<String> events = new ArrayList<>();
        Picture frame = new Picture().resize(shape[2], shape[1]);
        int length = 3 * frame.width * frame.height;
        int face = 0;
        for (int n = 0; n < times.length; n++) {
            System.arraycopy(frames, order[n] * length, frame.rgb, 0, length);
            List<Face> faces = tracker.update(frame, times[n]);
            assertEquals(counts[n], faces.size(), "faces in frame " + n);
            for (int i = 0; i < faces.size(); i++, face++) {
                Face found = faces.get(i);
                assertEquals(ids[face], found.id);
                assertEquals(scores[face], found.score, 2e-3);
                assertNear(Arrays.copyOfRange(points, 136 * face, 136 * face + 136),
                        found.landmarks, 0.01f);
                assertNear(Arrays.copyOfRange(poses, 3 * face, 3 * face + 3), found.pose, 1e-3f);
                assertNear(Arrays.copyOfRange(positions, 3 * face, 3 * face + 3), found.position,
                        0.1f);
                assertNear(Arrays.copyOfRange(eyes, 2 * face, 2 * face + 2), found.eyes, 1e-3);
                assertEquals(mouths[face], found.mouth, 1e-3);
                for (Event event : found.events) {
                    events.add(Arrays.toString(
                            new double[] {face, event.kind.ordinal(), event.start, event.end}));
                }
            }
        }
        List<String> expected = new ArrayList<>();
        for (int n = 0; n < Golden.shape(clip + "/events")[0]; n++) {
            expected.add(Arrays.toString(Golden.doubles(clip + "/events", n)));
        }
        assertEquals(expected, events);
        assertEquals(landmarks.recordedRuns(), landmarks.runs);
        assertEquals(detector.recordedRuns(), detector.runs);
    }

    @Test
    void followingFacesMakesNoGarbage() {
        assertEquals(0, Garbage.least(this::mostGarbage), "bytes in a frame");
    }

    /** The most bytes allocated in a frame in which two faces are followed and nobody is new. */
    private long mostGarbage() {
        FaceTracker tracker = new FaceTracker(new Landmarker(Recorded.landmarks("track", spec), spec),
                new FaceDetector(Recorded.detector("track")), 2, true);
        // A camera's frames: the same pictures through the converter.
        FrameConverter converter = new FrameConverter();
        ByteBuffer rgba = ByteBuffer.allocateDirect(4 * shape[1] * shape[2]);
        Picture frame = new Picture();
        long most = 0;
        for (int n = 0; n < times.length; n++) {
            for (int i = 0; i < shape[1] * shape[2]; i++) {
                for (int c = 0; c < 3; c++) {
                    rgba.put(4 * i + c, frames[3 * (n * shape[1] * shape[2] + i) + c]);
                }
            }
            double t = times[n];
            long made = Garbage.bytes(() -> {
                converter.rgba(rgba, 4 * shape[2], shape[2], shape[1], 0, false, frame);
                tracker.update(frame, t);
            });
            if (t > 24.95) {
                most = Math.max(most, made);
            }
        }
        return most;
    }
}
