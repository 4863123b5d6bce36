package org.asmnet.web;

import java.util.List;
import org.asmnet.core.TfliteTensors;
import org.teavm.jso.JSExport;

/** An input or output of a network, for JavaScript. */
public final class WebTensor {
    private final TfliteTensors.Tensor tensor;

    private WebTensor(TfliteTensors.Tensor tensor) {
        this.tensor = tensor;
    }

    /** The outputs of a {@code .tflite} file, in its order. */
    static WebTensor[] outputs(byte[] file, String name) {
        List<TfliteTensors.Tensor> tensors = new TfliteTensors(file, name).outputs;
        WebTensor[] outputs = new WebTensor[tensors.size()];
        for (int i = 0; i < outputs.length; i++) {
            outputs[i] = new WebTensor(tensors.get(i));
        }
        return outputs;
    }

    /** As the contract names it. */
    @JSExport
    public String name() {
        return tensor.name;
    }

    /** As the file's signature calls it. */
    @JSExport
    public String signatureName() {
        return tensor.signatureName;
    }

    /** FLOAT32, INT8 or UINT8. */
    @JSExport
    public String type() {
        return tensor.type.name();
    }

    /** Quantization scale. */
    @JSExport
    public float scale() {
        return tensor.scale;
    }

    /** Quantization zero point. */
    @JSExport
    public int zeroPoint() {
        return tensor.zeroPoint;
    }
}
