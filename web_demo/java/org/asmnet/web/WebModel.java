package org.asmnet.web;

import org.asmnet.core.AsmnetException;
import org.asmnet.core.Landmarker;
import org.asmnet.core.ModelSpec;
import org.asmnet.core.Sha256;
import org.teavm.jso.JSExport;
import org.teavm.jso.typedarrays.Int8Array;

/** A model file whose contract was read, for JavaScript. */
public final class WebModel {
    private final byte[] file;
    private final String name;
    private final ModelSpec spec;

    WebModel(byte[] file, String name) {
        this.file = file;
        this.name = name;
        spec = ModelSpec.read(file, name, Sha256::hex);
    }

    /** The network's outputs, in the file's order. */
    @JSExport
    public WebTensor[] outputs() {
        return WebTensor.outputs(file, name);
    }

    /**
     * A tracker.
     *
     * @param landmarks runs this model
     * @param detectorFile face_detection_short_range.tflite
     * @param detector runs that
     * @param turnedFile face_detection_yunet.tflite; null does without
     * @param turned runs that
     * @param maxFaces so many at most
     * @param fov the camera's field of view, degrees along the picture's longer side
     * @throws AsmnetException a file is damaged or foreign, or a number is out of range; the message
     *     is fit for showing
     */
    @JSExport
    public WebTracker tracker(JsNetwork landmarks, Int8Array detectorFile, JsNetwork detector,
            Int8Array turnedFile, JsNetwork turned, int maxFaces, double fov) {
        if (maxFaces < 1) {
            throw new AsmnetException(maxFaces + " faces: give 1 or more");
        }
        return new WebTracker(
                new Landmarker(new WebInterpreter(landmarks, file, name), spec),
                new WebInterpreter(detector, Bytes.of(detectorFile), Exports.DETECTOR),
                turnedFile == null ? null
                        : new WebInterpreter(turned, Bytes.of(turnedFile), Exports.DETECTOR),
                maxFaces, fov);
    }
}
