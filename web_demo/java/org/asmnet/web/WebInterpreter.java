package org.asmnet.web;

import org.asmnet.core.AsmnetException;
import org.asmnet.core.InputTensor;
import org.asmnet.core.Interpreter;
import org.asmnet.core.TfliteTensors;

/** A network that JavaScript runs, as the core wants it. */
final class WebInterpreter implements Interpreter {
    private final JsNetwork network;
    private final String name;
    private final InputTensor input;

    WebInterpreter(JsNetwork network, byte[] file, String name) {
        this.network = network;
        this.name = name;
        TfliteTensors tensors = new TfliteTensors(file, name);
        if (tensors.inputs.size() != 1) {
            throw new AsmnetException(name + " has " + tensors.inputs.size()
                    + " inputs, not 1; it is another model");
        }
        TfliteTensors.Tensor tensor = tensors.inputs.get(0);
        input = new InputTensor(name, tensor.shape, tensor.type, tensor.scale, tensor.zeroPoint);
    }

    @Override
    public InputTensor input() {
        return input;
    }

    @Override
    public void run(float[] picture) {
        network.runValues(picture);
    }

    @Override
    public void run(byte[] picture) {
        network.runLevels(picture);
    }

    @Override
    public void output(String output, float[] values) {
        if (!network.output(output, values)) {
            throw new AsmnetException(name + " has no output '" + output + "' of " + values.length
                    + " elements; it is another model");
        }
    }
}
