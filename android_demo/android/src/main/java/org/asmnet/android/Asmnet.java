package org.asmnet.android;

import android.content.Context;
import android.graphics.Bitmap;
import android.media.Image;
import java.io.Closeable;
import java.util.ArrayList;
import java.util.List;
import org.asmnet.core.AsmnetException;
import org.asmnet.core.Crop;
import org.asmnet.core.Face;
import org.asmnet.core.FaceDetector;
import org.asmnet.core.FaceTracker;
import org.asmnet.core.HeadPosition;
import org.asmnet.core.Landmarker;
import org.asmnet.core.ModelSpec;
import org.asmnet.core.Picture;
import org.asmnet.core.Stopwatch;

/**
 * Landmarks and head pose of faces, from camera frames or single pictures.
 *
 * <pre>
 *     ModelFile model = ModelFile.asset(context, "asmnet-spatial-68-112-int8.tflite");
 *     Asmnet asmnet = Asmnet.open(context, model, new Asmnet.Options());
 *     List&lt;Face&gt; faces = asmnet.track(image, rotation, image.getTimestamp() / 1e9);
 * </pre>
 *
 * <p>Opening takes about a tenth of a second and a frame some milliseconds: not on the main
 * thread. Any thread may call, one is served at a time; {@link #close} waits for a running call.
 */
public final class Asmnet implements Closeable {
    /** The face detector's file, an asset of this library. */
    public static final String DETECTOR = "face_detection_short_range.tflite";
    /** The file of the detector of turned faces, another asset. */
    public static final String TURNED_DETECTOR = "face_detection_yunet.tflite";

    private static final double SCORE = 0.5;

    /** How to run. */
    public static final class Options {
        private int threads = 2;
        private LiteRtInterpreter.Delegate delegate = LiteRtInterpreter.Delegate.XNNPACK;
        private int maxFaces = 1;
        private boolean smoothing = true;
        private double fov = HeadPosition.FIELD_OF_VIEW;

        /** The defaults: two threads, XNNPACK, one face, smoothed, a field of view of 65 degrees. */
        public Options() {}

        /** Threads of one inference, 1 or more. */
        public Options threads(int threads) {
            this.threads = threads;
            return this;
        }

        /** What computes the landmarks; the detectors always run on XNNPACK. */
        public Options delegate(LiteRtInterpreter.Delegate delegate) {
            this.delegate = delegate;
            return this;
        }

        /** So many faces are tracked at most; cost grows with the faces that are there. */
        public Options maxFaces(int maxFaces) {
            this.maxFaces = maxFaces;
            return this;
        }

        /** Whether tracked points and pose pass through One-Euro filters. */
        public Options smoothing(boolean smoothing) {
            this.smoothing = smoothing;
            return this;
        }

        /**
         * The camera's field of view, degrees along the picture's longer side, 1 to 170; the
         * distances of {@link Face#position} depend on it.
         */
        public Options fov(double fov) {
            this.fov = fov;
            return this;
        }
    }

    private final LiteRtInterpreter network;
    private final LiteRtInterpreter detectorInterpreter;
    private final LiteRtInterpreter turnedInterpreter;
    private final Landmarker landmarker;
    private final FaceDetector detector;
    private final FaceTracker tracker;
    private final Frames frames = new Frames();
    private final Picture picture = new Picture();
    private boolean closed;

    private Asmnet(LiteRtInterpreter network, LiteRtInterpreter detectorInterpreter,
            LiteRtInterpreter turnedInterpreter, ModelSpec spec, Options options) {
        this.network = network;
        this.detectorInterpreter = detectorInterpreter;
        this.turnedInterpreter = turnedInterpreter;
        landmarker = new Landmarker(network, spec);
        detector = new FaceDetector(detectorInterpreter);
        tracker = new FaceTracker(landmarker, detector, new FaceDetector(turnedInterpreter),
                options.maxFaces, options.smoothing, options.fov);
        // A network that lacks an output of its contract must fail here, not in the first frame.
        landmarker.locate(picture.resize(1, 1), new Crop(0, 0, 1, 0),
                new Face(spec.landmarkScheme.count));
    }

    /**
     * Load a model and the detectors.
     *
     * @param context to read the detectors from
     * @param model made by asmnet-export
     * @param options how to run
     * @throws AsmnetException the file is foreign, truncated or damaged, LiteRT or the delegate
     *     refuses it, or an option is out of range; the message is fit for showing
     */
    public static Asmnet open(Context context, ModelFile model, Options options) {
        if (options.maxFaces < 1) {
            throw new AsmnetException(options.maxFaces + " faces: give 1 or more");
        }
        ModelSpec spec = model.spec();
        LiteRtInterpreter network =
                new LiteRtInterpreter(model, options.threads, options.delegate);
        LiteRtInterpreter detectorInterpreter = null;
        LiteRtInterpreter turnedInterpreter = null;
        Asmnet opened = null;
        try {
            detectorInterpreter = new LiteRtInterpreter(ModelFile.asset(context, DETECTOR),
                    options.threads, LiteRtInterpreter.Delegate.XNNPACK);
            turnedInterpreter = new LiteRtInterpreter(ModelFile.asset(context, TURNED_DETECTOR),
                    options.threads, LiteRtInterpreter.Delegate.XNNPACK);
            opened = new Asmnet(network, detectorInterpreter, turnedInterpreter, spec, options);
            return opened;
        } finally {
            if (opened == null) {
                network.close();
                if (detectorInterpreter != null) {
                    detectorInterpreter.close();
                }
                if (turnedInterpreter != null) {
                    turnedInterpreter.close();
                }
            }
        }
    }

    /**
     * Faces in a camera's next frame.
     *
     * @param image YUV_420_888; the caller closes it
     * @param rotation degrees clockwise that make it upright, see {@link Frames#rotation}
     * @param seconds of its capture; image.getTimestamp() / 1e9
     * @return the faces in pixels of the upright picture, oldest first; valid until the next call
     * @throws AsmnetException the frame cannot be used
     */
    public synchronized List<Face> track(Image image, int rotation, double seconds) {
        long start = System.nanoTime();
        frames.convert(image, rotation, picture);
        long nanoseconds = System.nanoTime() - start;
        List<Face> faces = track(picture, seconds);
        tracker.watch.add(Stopwatch.Stage.CONVERT, nanoseconds);
        return faces;
    }

    /**
     * Faces in a video's next frame.
     *
     * @param frame upright
     * @param seconds since any origin; a time before the last frame's starts a new video
     * @return the faces, oldest first; valid until the next call
     */
    public synchronized List<Face> track(Picture frame, double seconds) {
        requireOpen();
        return tracker.update(frame, seconds);
    }

    /**
     * Faces in a single picture, each by itself: no tracking, no smoothing, and seen twice, the
     * second time around its landmarks.
     *
     * @param bitmap of any configuration, upright
     * @return the faces, the surest first; the caller's to keep
     */
    public synchronized List<Face> locate(Bitmap bitmap) {
        return locate(frames.convert(bitmap, picture));
    }

    /** See {@link #locate(Bitmap)}. */
    public synchronized List<Face> locate(Picture still) {
        requireOpen();
        List<Face> faces = new ArrayList<>();
        int found = detector.detect(still, null, SCORE);
        for (int i = 0; i < found; i++) {
            faces.add(landmarker.locate(still, detector.get(i)));
        }
        return faces;
    }

    /** The model's contract: landmark scheme, licence and more. */
    public ModelSpec spec() {
        return landmarker.spec;
    }

    /** Where the time of the last tracked frame went; read it on the thread that tracks. */
    public Stopwatch watch() {
        return tracker.watch;
    }

    /** Forget all faces: the next frame is the first of another video. */
    public synchronized void reset() {
        tracker.reset();
    }

    private void requireOpen() {
        if (closed) {
            throw new AsmnetException("this Asmnet is closed; open another");
        }
    }

    /** Free the native memory; twice does no harm. */
    @Override
    public synchronized void close() {
        closed = true;
        network.close();
        detectorInterpreter.close();
        turnedInterpreter.close();
    }
}
