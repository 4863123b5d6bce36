package org.asmnet.jvm;

import java.io.File;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.asmnet.core.Face;
import org.asmnet.core.FaceTracker;
import org.asmnet.core.Picture;
import org.asmnet.core.Trace;

/** Tracks faces through a video's frames and writes the records of {@code docs/output.md}. */
public final class Run {
    private static final String USAGE = String.join("\n",
            "Track faces through frames; writes one JSON line a frame.",
            "",
            "  --model FILE     landmark network with its contract (.tflite)",
            "  --detector FILE  face_detection_short_range.tflite",
            "  --turned FILE    face_detection_yunet.tflite, for turned faces; default none",
            "  --frames FILE    PPM pictures one after another; - is standard input:",
            "                   ffmpeg -i VIDEO -f image2pipe -c:v ppm - | ...",
            "  --out FILE       receives the lines",
            "  --fps N          frames a second, default 30",
            "  --faces N        so many at most, default 2",
            "  --fov N          the camera's field of view, degrees along the longer side, default 65",
            "  --threads N      of one inference, default 1",
            "  --source NAME    in the lines, default that of the frames");

    private Run() {}

    /** See the usage. */
    public static void main(String[] words) {
        Arguments.run(USAGE, words, Run::run);
    }

    private static void run(Arguments arguments) throws IOException {
        String frames = arguments.text("frames");
        double fps = arguments.number("fps", 30, 1e-3);
        Picture picture = new Picture();
        try (Networks networks = new Networks(arguments);
                PpmFrames source = new PpmFrames(frames)) {
            FaceTracker tracker = networks.tracker(arguments);
            String name = arguments.text("source", new File(frames).getName());
            Output.write(arguments.text("out"), file -> {
                Writer lines = new OutputStreamWriter(file, StandardCharsets.US_ASCII);
                Trace trace = new Trace(lines, name);
                for (int n = 0; source.next(picture); n++) {
                    List<Face> faces = tracker.update(picture, n / fps);
                    trace.write(n, n / fps, picture.width, picture.height, faces);
                }
                lines.flush();
            });
        }
    }
}
