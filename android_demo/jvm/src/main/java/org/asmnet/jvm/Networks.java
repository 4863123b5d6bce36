package org.asmnet.jvm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Paths;
import org.asmnet.core.AsmnetException;
import org.asmnet.core.FaceDetector;
import org.asmnet.core.FaceTracker;
import org.asmnet.core.HeadPosition;
import org.asmnet.core.Landmarker;
import org.asmnet.core.ModelSpec;

/**
 * The networks of a command, from {@code --model}, {@code --detector}, {@code --turned} (none by
 * default) and {@code --threads}.
 */
final class Networks implements AutoCloseable {
    /** The landmark network's contract. */
    final ModelSpec spec;
    /** Runs the landmark network. */
    final TfliteInterpreter landmarks;
    /** Runs the detector. */
    final TfliteInterpreter detector;
    /** Runs the detector of turned faces; null without. */
    final TfliteInterpreter turned;

    Networks(Arguments arguments) throws IOException {
        int threads = arguments.integer("threads", 1, 1);
        String model = arguments.text("model");
        byte[] content = content(model);
        spec = ModelSpec.read(content, model);
        landmarks = new TfliteInterpreter(content, model, threads);
        String file = arguments.text("detector");
        detector = new TfliteInterpreter(content(file), file, threads);
        String other = arguments.text("turned", null);
        turned = other == null ? null : new TfliteInterpreter(content(other), other, threads);
    }

    /** The tracker of {@code --faces} faces (default 2), seen by a camera of {@code --fov}. */
    FaceTracker tracker(Arguments arguments) {
        return new FaceTracker(new Landmarker(landmarks, spec), new FaceDetector(detector),
                turned == null ? null : new FaceDetector(turned),
                arguments.integer("faces", 2, 1), true,
                arguments.number("fov", HeadPosition.FIELD_OF_VIEW, 1));
    }

    /** A file's bytes. */
    static byte[] content(String file) throws IOException {
        try {
            return Files.readAllBytes(Paths.get(file));
        } catch (NoSuchFileException error) {
            throw new AsmnetException("there is no file " + file);
        } catch (IOException error) {
            throw new AsmnetException("cannot read " + file + ": " + error.getMessage());
        }
    }

    @Override
    public void close() {
        landmarks.close();
        detector.close();
        if (turned != null) {
            turned.close();
        }
    }
}
