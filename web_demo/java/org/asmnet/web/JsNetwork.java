package org.asmnet.web;

import org.teavm.jso.JSByRef;
import org.teavm.jso.JSObject;

/** A network that JavaScript runs: see {@code package/litert.js}. */
interface JsNetwork extends JSObject {
    /** Run on levels, INT8 or UINT8. */
    void runLevels(@JSByRef byte[] input);

    /** Run on real numbers. */
    void runValues(@JSByRef float[] input);

    /** Fill an array with an output of the last run; false if there is none of that name and size. */
    boolean output(String name, @JSByRef float[] values);
}
