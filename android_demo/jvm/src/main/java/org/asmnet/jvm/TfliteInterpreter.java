package org.asmnet.jvm;

import static org.bytedeco.tensorflowlite.global.tensorflowlite.*;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.asmnet.core.AsmnetException;
import org.asmnet.core.InputTensor;
import org.asmnet.core.Interpreter;
import org.asmnet.core.Quantization;
import org.asmnet.core.Quantization.Type;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.tensorflowlite.BuiltinOpResolverWithXNNPACK;
import org.bytedeco.tensorflowlite.InterpreterBuilder;
import org.bytedeco.tensorflowlite.TfLiteModel;
import org.bytedeco.tensorflowlite.TfLiteQuantizationParams;
import org.bytedeco.tensorflowlite.TfLiteTensor;

/**
 * A network on any JVM, by TensorFlow Lite; XNNPACK does the work on the CPU, as on a phone and in
 * Python.
 *
 * <p>Runs make no garbage. One thread at a time.
 */
public final class TfliteInterpreter implements Interpreter, AutoCloseable {
    private final String name;
    private final BytePointer content;
    private final BuiltinOpResolverWithXNNPACK operations;
    private final org.bytedeco.tensorflowlite.Interpreter interpreter;
    private final TfLiteTensor tensor;
    private final InputTensor input;
    // One of the two, in the input's type.
    private BytePointer levels;
    private FloatPointer values;
    private final Map<String, Output> outputs = new HashMap<>();

    /** An output tensor, and where it is copied to. */
    private static final class Output {
        final TfLiteTensor tensor;
        final Type type;
        final int count;
        final float scale;
        final int zeroPoint;
        final BytePointer bytes;
        final FloatPointer floats;
        final byte[] levels;

        Output(TfLiteTensor tensor, Type type) {
            this.tensor = tensor;
            this.type = type;
            TfLiteQuantizationParams quantization = TfLiteTensorQuantizationParams(tensor);
            scale = quantization.scale();
            zeroPoint = quantization.zero_point();
            long size = TfLiteTensorByteSize(tensor);
            count = (int) (type == Type.FLOAT32 ? size / 4 : size);
            bytes = new BytePointer(size);
            floats = new FloatPointer(bytes);
            levels = new byte[type == Type.FLOAT32 ? 0 : count];
        }
    }

    /**
     * A network with its memory.
     *
     * @param file the whole content of a {@code .tflite} file
     * @param name of the file, for messages
     * @param threads CPU threads of one inference
     * @throws AsmnetException the content is no TFLite model, uses operations that this TensorFlow
     *     Lite lacks, or takes something else than one square RGB picture
     */
    public TfliteInterpreter(byte[] file, String name, int threads) {
        if (threads < 1) {
            throw new AsmnetException(threads + " threads cannot run anything; give 1 or more");
        }
        Loader.load(org.bytedeco.tensorflowlite.global.tensorflowlite.class);
        this.name = name;
        content = new BytePointer(file);
        check(file.length);
        // The C API of this library leaves XNNPACK out, so its C++ API is asked; a FlatBuffer's
        // first four bytes tell where its root is.
        Pointer root = content.getPointer(content.getInt(0) & 0xffffffffL);
        operations = new BuiltinOpResolverWithXNNPACK();
        interpreter = new org.bytedeco.tensorflowlite.Interpreter((Pointer) null);
        try (InterpreterBuilder builder = new InterpreterBuilder(root, operations)) {
            if (builder.SetNumThreads(threads) != kTfLiteOk
                    || builder.apply(interpreter) != kTfLiteOk
                    || interpreter.AllocateTensors() != kTfLiteOk) {
                throw new AsmnetException(name + " cannot be loaded, it is damaged or made for "
                        + "another interpreter; export it again");
            }
        }
        if (interpreter.inputs().capacity() != 1) {
            throw new AsmnetException(name + " has " + interpreter.inputs().capacity()
                    + " inputs, not 1; it is another model");
        }
        tensor = interpreter.input_tensor(0);
        TfLiteQuantizationParams quantization = TfLiteTensorQuantizationParams(tensor);
        input = new InputTensor(name, shape(tensor), typeOf(tensor), quantization.scale(),
                quantization.zero_point());
        if (input.type == Type.FLOAT32) {
            values = new FloatPointer(input.count());
        } else {
            levels = new BytePointer(input.count());
        }
        IntPointer places = interpreter.outputs();
        for (long i = 0; i < places.capacity(); i++) {
            TfLiteTensor output = interpreter.tensor(places.get(i));
            outputs.put(TfLiteTensorName(output).getString(), new Output(output, typeOf(output)));
        }
    }

    /** The C++ API believes what it is given: let the C API, which does not, look at it first. */
    private void check(long size) {
        TfLiteModel model = TfLiteModelCreate(content, size);
        if (Pointer.isNull(model)) {
            throw new AsmnetException(name + " is not a TFLite model, or it is damaged; "
                    + "get or export it again");
        }
        TfLiteModelDelete(model);
    }

    private Type typeOf(TfLiteTensor tensor) {
        int number = TfLiteTensorType(tensor);
        if (number == kTfLiteFloat32) {
            return Type.FLOAT32;
        } else if (number == kTfLiteInt8) {
            return Type.INT8;
        } else if (number == kTfLiteUInt8) {
            return Type.UINT8;
        }
        throw new AsmnetException(name + " has a tensor of another type than float32, int8 and "
                + "uint8; export it again");
    }

    private static int[] shape(TfLiteTensor tensor) {
        int[] shape = new int[TfLiteTensorNumDims(tensor)];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = TfLiteTensorDim(tensor, i);
        }
        return shape;
    }

    @Override
    public InputTensor input() {
        return input;
    }

    @Override
    public void run(float[] picture) {
        values.put(picture, 0, input.count());
        run(values, 4L * input.count());
    }

    @Override
    public void run(byte[] picture) {
        levels.put(picture, 0, input.count());
        run(levels, input.count());
    }

    private void run(Pointer from, long bytes) {
        if (TfLiteTensorCopyFromBuffer(tensor, from, bytes) != kTfLiteOk
                || interpreter.Invoke() != kTfLiteOk) {
            throw new AsmnetException(name + " cannot be run, it is damaged; export it again");
        }
    }

    /** The outputs' names. */
    public List<String> outputs() {
        return new ArrayList<>(outputs.keySet());
    }

    /**
     * How many elements an output has.
     *
     * @throws AsmnetException there is no such output
     */
    public int count(String output) {
        return find(output).count;
    }

    @Override
    public void output(String name, float[] values) {
        Output output = find(name);
        if (output.count != values.length) {
            throw new AsmnetException("output '" + name + "' of " + this.name + " has "
                    + output.count + " elements, not " + values.length + "; it is another model");
        }
        TfLiteTensorCopyToBuffer(output.tensor, output.bytes, output.bytes.capacity());
        if (output.type == Type.FLOAT32) {
            output.floats.get(values, 0, values.length);
        } else {
            output.bytes.get(output.levels, 0, output.count);
            Quantization.dequantize(
                    output.levels, output.type, output.scale, output.zeroPoint, values);
        }
    }

    private Output find(String name) {
        Output output = outputs.get(name);
        if (output == null) {
            throw new AsmnetException(this.name + " has no output '" + name + "' (it has "
                    + String.join(", ", outputs()) + "); it is another model");
        }
        return output;
    }

    /** Frees what the network holds outside the JVM's memory; no call is allowed after it. */
    @Override
    public void close() {
        interpreter.close();
        operations.close();
        content.close();
    }
}
