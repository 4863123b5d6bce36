package org.asmnet.web;

import org.asmnet.core.AsmnetException;
import org.asmnet.core.HeadPosition;
import org.teavm.jso.JSExceptions;
import org.teavm.jso.JSExport;
import org.teavm.jso.JSObject;
import org.teavm.jso.typedarrays.Int8Array;

/**
 * What JavaScript may call: the module's functions.
 *
 * <p>Arrays are handed over by reference.  The compiled code does not check their bounds, so sizes
 * are checked where they come in.
 */
public final class Exports {
    static final String DETECTOR = "the face detector";

    private Exports() {}

    /**
     * Read a model's contract.
     *
     * @param file the whole {@code .tflite} file
     * @param name of it, for messages
     * @throws AsmnetException it is damaged or foreign; the message is fit for showing
     */
    @JSExport
    public static WebModel read(Int8Array file, String name) {
        return new WebModel(Bytes.of(file), name);
    }

    /** The outputs of the face detector's file. */
    @JSExport
    public static WebTensor[] detectorOutputs(Int8Array file) {
        return WebTensor.outputs(Bytes.of(file), DETECTOR);
    }

    /** The field of view of a camera about which nothing is known, degrees. */
    @JSExport
    public static double fieldOfView() {
        return HeadPosition.FIELD_OF_VIEW;
    }

    /** The message of what a call threw, if it is one for users; null otherwise. */
    @JSExport
    public static String message(JSObject thrown) {
        Throwable error = JSExceptions.getJavaException(thrown);
        return error instanceof AsmnetException ? error.getMessage() : null;
    }
}
