package org.asmnet.jvm;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.asmnet.core.Face;
import org.asmnet.core.FaceDetector;
import org.asmnet.core.FaceTracker;
import org.asmnet.core.FrameConverter;
import org.asmnet.core.Landmarker;
import org.asmnet.core.Overlay;
import org.asmnet.core.Picture;
import org.asmnet.core.Stopwatch.Stage;

/** Times the core's own work on a video's frames: everything but the networks. */
public final class Benchmark {
    private static final String USAGE = String.join("\n",
            "Time the core's own work, from camera frame to overlay: the networks run in the first",
            "pass alone; then their answers are replayed.  One thread; for each frame the least",
            "time of all passes counts.",
            "",
            "  --model FILE     landmark network with its contract (.tflite)",
            "  --detector FILE  face_detection_short_range.tflite",
            "  --frames FILE    PPM pictures one after another; - is standard input",
            "  --fps N          frames a second, default 30",
            "  --faces N        so many at most, default 2",
            "  --rotation N     0, 90, 180 or 270: the camera's, default 0",
            "  --warmup N       passes before those that count, default 3",
            "  --passes N       passes that count, default 5",
            "  --threads N      of the networks, default 1");
    private static final Stage[] STAGES = Stage.values();

    private final List<CameraFrame> frames;
    private final double fps;
    private final FrameConverter converter = new FrameConverter();
    private final Picture picture = new Picture();
    private final FaceTracker tracker;
    private final Overlay overlay;
    private final ThreadMXBean meter = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    // For each frame: nanoseconds by stage and in all, the least of all passes.
    private final List<long[]> times = new ArrayList<>();
    private int passes;
    private int clean;
    private int born;
    private long mostOther;

    private Benchmark(List<CameraFrame> frames, double fps, FaceTracker tracker, Overlay overlay) {
        this.frames = frames;
        this.fps = fps;
        this.tracker = tracker;
        this.overlay = overlay;
    }

    /** See the usage. */
    public static void main(String[] words) {
        Arguments.run(USAGE, words, Benchmark::run);
    }

    private static void run(Arguments arguments) throws IOException {
        List<CameraFrame> frames = new ArrayList<>();
        int rotation = arguments.integer("rotation", 0, 0);
        Picture picture = new Picture();
        try (PpmFrames source = new PpmFrames(arguments.text("frames"))) {
            while (source.next(picture)) {
                frames.add(new CameraFrame(picture, rotation));
            }
        }
        try (Networks networks = new Networks(arguments)) {
            Replay landmarks = new Replay(networks.landmarks);
            Replay detector = new Replay(networks.detector);
            FaceTracker tracker = new FaceTracker(new Landmarker(landmarks, networks.spec),
                    new FaceDetector(detector), arguments.integer("faces", 2, 1), true);
            Benchmark benchmark = new Benchmark(frames, arguments.number("fps", 30, 1e-3), tracker,
                    new Overlay(networks.spec.landmarkScheme));
            int warmup = 1 + arguments.integer("warmup", 3, 1);
            int passes = arguments.integer("passes", 5, 1);
            for (int pass = 0; pass < warmup + passes; pass++) {
                benchmark.pass(pass >= warmup);
                landmarks.rewind();
                detector.rewind();
            }
            System.out.printf("%s, pictures of %d x %d, rotation %d: %d frames, %d passes%n%n",
                    networks.spec.name, picture.width, picture.height, rotation,
                    frames.size(), passes);
            benchmark.print();
        }
    }

    private void pass(boolean counts) {
        tracker.reset();
        long thread = Thread.currentThread().getId();
        int newest = -1;
        for (int n = 0; n < frames.size(); n++) {
            long before = meter.getThreadAllocatedBytes(thread);
            long start = System.nanoTime();
            frames.get(n).convert(converter, picture);
            long converted = System.nanoTime();
            List<Face> faces = tracker.update(picture, n / fps);
            long drawn = System.nanoTime();
            overlay.set(faces, picture.width, picture.height, false);
            long end = System.nanoTime();
            long bytes = meter.getThreadAllocatedBytes(thread) - before;
            tracker.watch.add(Stage.CONVERT, converted - start);
            tracker.watch.add(Stage.DRAW, end - drawn);
            boolean isNew = false;
            for (int i = 0; i < faces.size(); i++) {
                isNew |= faces.get(i).id > newest;
                newest = Math.max(newest, faces.get(i).id);
            }
            if (!counts) {
                continue;
            }
            long[] row = new long[STAGES.length + 1];
            for (Stage stage : STAGES) {
                row[stage.ordinal()] = tracker.watch.nanos(stage);
            }
            row[STAGES.length] = end - start;
            keep(n, row);
            if (bytes == 0) {
                clean++;
            } else if (isNew) {
                born++;
            } else {
                mostOther = Math.max(mostOther, bytes);
            }
        }
        passes += counts ? 1 : 0;
    }

    private void keep(int n, long[] row) {
        if (n == times.size()) {
            times.add(row);
        }
        long[] least = times.get(n);
        for (int i = 0; i < row.length; i++) {
            least[i] = Math.min(least[i], row[i]);
        }
    }

    private void print() {
        System.out.printf("%-9s%9s%9s%9s%9s  ms%n", "stage", "median", "mean", "99 %", "most");
        for (Stage stage : STAGES) {
            line(stage.name().toLowerCase(Locale.ROOT), stage.ordinal());
        }
        line("all", STAGES.length);
        int all = passes * frames.size();
        System.out.printf("%nframes without garbage: %d of %d; with a new face: %d; others: %d, "
                + "of %d bytes at most%n", clean, all, born, all - clean - born, mostOther);
    }

    private void line(String name, int n) {
        long[] sorted = times.stream().mapToLong(row -> row[n]).sorted().toArray();
        System.out.printf("%-9s%9.3f%9.3f%9.3f%9.3f%n", name, sorted[sorted.length / 2] / 1e6,
                Arrays.stream(sorted).average().orElse(0) / 1e6,
                sorted[(int) (0.99 * (sorted.length - 1))] / 1e6, sorted[sorted.length - 1] / 1e6);
    }
}
