package org.asmnet.web;

import org.teavm.jso.JSBody;
import org.teavm.jso.JSByRef;
import org.teavm.jso.typedarrays.Int8Array;

/** JavaScript's bytes as Java's, without the copy that TeaVM makes of an exported method's array. */
final class Bytes {
    private Bytes() {}

    /** The same memory. */
    @JSBody(params = "array", script = "return array;")
    @JSByRef
    static native byte[] of(Int8Array array);
}
