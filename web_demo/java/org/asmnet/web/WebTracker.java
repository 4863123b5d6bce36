package org.asmnet.web;

import java.io.IOException;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.asmnet.core.AsmnetException;
import org.asmnet.core.Crop;
import org.asmnet.core.Face;
import org.asmnet.core.FaceDetector;
import org.asmnet.core.FaceTracker;
import org.asmnet.core.Interpreter;
import org.asmnet.core.Landmarker;
import org.asmnet.core.ModelSpec;
import org.asmnet.core.Overlay;
import org.asmnet.core.Picture;
import org.asmnet.core.Stopwatch;
import org.asmnet.core.Trace;
import org.teavm.jso.JSExport;
import org.teavm.jso.JSObject;
import org.teavm.jso.typedarrays.Int8Array;

/** One video's faces, for JavaScript. */
public final class WebTracker {
    private static final double SCORE = 0.5;

    /** What draws: see {@code package/overlay.js}. */
    interface JsPen extends JSObject {
        void line(float x0, float y0, float x1, float y1, float width, int argb);

        void dot(float x, float y, float radius, int argb);

        void plate(float left, float top, float right, float bottom, int argb);

        void text(String text, float x, float baseline, float size, int argb);
    }

    private final Landmarker landmarker;
    private final ModelSpec spec;
    private final FaceDetector detector;
    private final FaceTracker tracker;
    private final Overlay overlay;
    private final Picture picture = new Picture();
    private List<Face> faces = new ArrayList<>();

    WebTracker(Landmarker landmarker, Interpreter detector, Interpreter turned, int maxFaces,
            double fov) {
        this.landmarker = landmarker;
        this.detector = new FaceDetector(detector);
        spec = landmarker.spec;
        tracker = new FaceTracker(landmarker, this.detector,
                turned == null ? null : new FaceDetector(turned), maxFaces, true, fov);
        overlay = new Overlay(spec.landmarkScheme);
    }

    /** Run the landmark network once: one that lacks an output must fail at once. */
    @JSExport
    public void tryOut() {
        landmarker.locate(picture.resize(1, 1), new Crop(0, 0, 1, 0), new Face(spec.landmarkScheme.count));
    }

    /** Name of the model, its landmark scheme, version and licence. */
    @JSExport
    public String[] about() {
        return new String[] {spec.name, spec.landmarkScheme.name, spec.version, spec.license};
    }

    /** Pairs of indices of landmarks to join. */
    @JSExport
    public int[] edges() {
        return spec.landmarkScheme.edges();
    }

    /**
     * Take a video's next frame.
     *
     * @param rgba (height, width, 4)
     * @param seconds since any origin
     * @return the record of docs/output.md, a line of JSON
     */
    @JSExport
    public String track(Int8Array rgba, int width, int height, int frame, double seconds,
            String source) {
        convert(Bytes.of(rgba), width, height);
        faces = tracker.update(picture, seconds);
        return record(frame, seconds, source);
    }

    /** The same for a picture: each face by itself and seen twice, neither tracked nor smoothed. */
    @JSExport
    public String locate(Int8Array rgba, int width, int height, String source) {
        convert(Bytes.of(rgba), width, height);
        faces = new ArrayList<>();
        int found = detector.detect(picture, null, SCORE);
        for (int i = 0; i < found; i++) {
            faces.add(landmarker.locate(picture, detector.get(i)));
        }
        return record(0, 0, source);
    }

    private void convert(byte[] rgba, int width, int height) {
        if (width < 1 || height < 1 || rgba.length != 4 * width * height) {
            throw new AsmnetException(rgba.length + " bytes are no picture of " + width + " x "
                    + height + " RGBA pixels");
        }
        byte[] rgb = picture.resize(width, height).rgb;
        int count = 3 * width * height;
        for (int to = 0, from = 0; to < count; to += 3, from += 4) {
            rgb[to] = rgba[from];
            rgb[to + 1] = rgba[from + 1];
            rgb[to + 2] = rgba[from + 2];
        }
    }

    private String record(int frame, double seconds, String source) {
        StringWriter line = new StringWriter();
        try {
            new Trace(line, source).write(frame, seconds, picture.width, picture.height, faces);
        } catch (IOException error) {
            throw new AssertionError(error); // a StringWriter throws none
        }
        return line.toString();
    }

    /** Draw the last answer, on the mirrored picture if so wished. */
    @JSExport
    public void draw(JsPen pen, boolean mirror) {
        overlay.set(faces, picture.width, picture.height, mirror);
        overlay.draw(new Overlay.Pen() {
            @Override
            public void line(float x0, float y0, float x1, float y1, float width, int argb) {
                pen.line(x0, y0, x1, y1, width, argb);
            }

            @Override
            public void dot(float x, float y, float radius, int argb) {
                pen.dot(x, y, radius, argb);
            }

            @Override
            public void plate(float left, float top, float right, float bottom, int argb) {
                pen.plate(left, top, right, bottom, argb);
            }

            @Override
            public void text(String text, float x, float baseline, float size, int argb) {
                pen.text(text, x, baseline, size, argb);
            }
        });
    }

    /** Milliseconds of the last frame: detect, crop, network, smooth. */
    @JSExport
    public double[] times() {
        double[] times = new double[4];
        Stopwatch.Stage[] stages = {Stopwatch.Stage.DETECT, Stopwatch.Stage.CROP,
            Stopwatch.Stage.NETWORK, Stopwatch.Stage.SMOOTH};
        for (int i = 0; i < 4; i++) {
            times[i] = tracker.watch.nanos(stages[i]) / 1e6;
        }
        return times;
    }

    /** Forget all faces: the next frame is the first of another video. */
    @JSExport
    public void reset() {
        tracker.reset();
    }
}
