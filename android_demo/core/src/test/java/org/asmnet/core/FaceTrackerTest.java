package org.asmnet.core;

import static org.asmnet.core.Golden.assertNear;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
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
            }
        }
        assertEquals(landmarks.recordedRuns(), landmarks.runs);
        assertEquals(detector.recordedRuns(), detector.runs);
    }

    @Test
    void followingFacesMakesNoGarbage() {
        mostGarbage(); // the virtual machine allocates too, whatever runs for the first time
        assertEquals(0, mostGarbage(), "bytes in a frame");
    }

    /** The most bytes allocated in a frame in which two faces are followed and nobody is new. */
    private long mostGarbage() {
        FaceTracker tracker = new FaceTracker(new Landmarker(Recorded.landmarks("track", spec), spec),
                new FaceDetector(Recorded.detector("track")), 2, true);
        // A camera's frames: the same pictures through the converter.
        FrameConverter converter = new FrameConverter();
        ByteBuffer rgba = ByteBuffer.allocateDirect(4 * shape[1] * shape[2]);
        Picture frame = new Picture();
        ThreadMXBean meter = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long thread = Thread.currentThread().getId();
        long most = 0;
        for (int n = 0; n < times.length; n++) {
            for (int i = 0; i < shape[1] * shape[2]; i++) {
                for (int c = 0; c < 3; c++) {
                    rgba.put(4 * i + c, frames[3 * (n * shape[1] * shape[2] + i) + c]);
                }
            }
            long before = meter.getThreadAllocatedBytes(thread);
            converter.rgba(rgba, 4 * shape[2], shape[2], shape[1], 0, false, frame);
            tracker.update(frame, times[n]);
            long made = meter.getThreadAllocatedBytes(thread) - before;
            if (times[n] > 24.95) {
                most = Math.max(most, made);
            }
        }
        return most;
    }

    @Test
    void comparisonsAreThoseOfPython() {
        byte[] pixels = Golden.bytes("association/thumbnails");
        float[][] thumbnails = new float[2][3 * 256];
        for (int n = 0; n < 2; n++) {
            Association.thumbnail(
                    Arrays.copyOfRange(pixels, 768 * n, 768 * n + 768), 16, thumbnails[n]);
        }
        assertEquals(Golden.doubles("association/correlation")[0],
                Association.correlation(thumbnails[0], thumbnails[1]), 1e-6);

        float[] odd = new float[3 * 256];
        Association.thumbnail(Golden.bytes("association/odd"), 100, odd);
        // A level more or less where Python rounds the other way.
        assertNear(Golden.floats("association/odd/thumbnail"), odd, 0.02f);

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

        int[] sizes = Golden.ints("association/sizes");
        for (int n = 0; n < sizes.length / 2; n++) {
            int width = sizes[2 * n];
            int height = sizes[2 * n + 1];
            String key = "association/regions/" + n;
            int count = Association.searchRegions(width, height);
            assertEquals(Golden.shape(key)[0] + 1, count);
            for (int i = 1; i < count; i++) {
                Crop crop = Association.searchRegion(width, height, i, new Crop());
                assertNear(Golden.doubles(key, i - 1),
                        new double[] {crop.cx, crop.cy, crop.side}, 1e-9);
            }
        }
    }
}
