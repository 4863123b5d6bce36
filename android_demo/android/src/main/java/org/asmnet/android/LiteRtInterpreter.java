package org.asmnet.android;

import android.os.Build;
import android.text.TextUtils;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Map;
import org.asmnet.core.AsmnetException;
import org.asmnet.core.InputTensor;
import org.asmnet.core.Quantization;
import org.asmnet.core.Quantization.Type;
import org.tensorflow.lite.DataType;
import org.tensorflow.lite.Tensor;
import org.tensorflow.lite.nnapi.NnApiDelegate;

/**
 * A network on LiteRT (TensorFlow Lite): one picture in, outputs by name.
 *
 * <p>Buffers are direct and made once. What LiteRT's own Java layer makes in each run, a view of
 * every output, is a few hundred bytes. One thread at a time.
 */
public final class LiteRtInterpreter implements org.asmnet.core.Interpreter, AutoCloseable {
    /** What computes. */
    public enum Delegate {
        /** The CPU, by the fast kernels that LiteRT uses unless told otherwise. */
        XNNPACK,
        /** The CPU, by LiteRT's built-in kernels: slower, for comparison. */
        BUILT_IN,
        /** Whatever accelerator the phone's vendor offers; Android 8.1, deprecated since 15. */
        NNAPI
    }

    private static final class Output {
        final ByteBuffer buffer;
        final FloatBuffer floats;
        final byte[] levels;
        final int count;
        final Type type;
        final float scale;
        final int zeroPoint;

        Output(Tensor tensor, Type type) {
            this.type = type;
            count = tensor.numElements();
            buffer = direct(tensor.numBytes());
            floats = buffer.asFloatBuffer();
            levels = new byte[type == Type.FLOAT32 ? 0 : count];
            scale = tensor.quantizationParams().getScale();
            zeroPoint = tensor.quantizationParams().getZeroPoint();
        }
    }

    private final String name;
    private final Delegate delegate;
    private final InputTensor input;
    private final ByteBuffer levels;
    private final FloatBuffer values;
    private final Object[] inputs;
    private final Map<Integer, Object> buffers = new HashMap<>();
    private final Map<String, Output> outputs = new HashMap<>();
    private org.tensorflow.lite.Interpreter network;
    private NnApiDelegate accelerator;

    /**
     * Prepare a network.
     *
     * @param model the file's content; must not change as long as this lives
     * @param threads of one inference, 1 or more
     * @param delegate what computes
     * @throws AsmnetException LiteRT refuses the file or the delegate refuses its network, or it
     *     is a network of another kind than (1, side, side, 3) in
     */
    public LiteRtInterpreter(ModelFile model, int threads, Delegate delegate) {
        if (threads < 1) {
            throw new AsmnetException(threads + " threads cannot run anything; give 1 or more");
        }
        name = model.name;
        this.delegate = delegate;
        try {
            network = open(model.bytes, threads);
            if (network.getInputTensorCount() != 1) {
                throw new AsmnetException(name + " has " + network.getInputTensorCount()
                        + " inputs, not 1; it is another model");
            }
            Tensor tensor = network.getInputTensor(0);
            input = new InputTensor(name, tensor.shape(), typeOf(tensor),
                    tensor.quantizationParams().getScale(),
                    tensor.quantizationParams().getZeroPoint());
            levels = direct(tensor.numBytes());
            values = levels.asFloatBuffer();
            inputs = new Object[] {levels};
            for (int i = 0; i < network.getOutputTensorCount(); i++) {
                Tensor out = network.getOutputTensor(i);
                Output output = new Output(out, typeOf(out));
                outputs.put(out.name(), output);
                buffers.put(i, output.buffer);
            }
        } catch (AsmnetException error) {
            close();
            throw error;
        } catch (IllegalArgumentException | IllegalStateException
                | UnsupportedOperationException error) {
            close();
            throw refused(error);
        } catch (LinkageError error) {
            close();
            throw new AsmnetException("the app holds no LiteRT library for this device; package it "
                    + "for one of " + TextUtils.join(", ", Build.SUPPORTED_ABIS));
        }
    }

    private org.tensorflow.lite.Interpreter open(ByteBuffer model, int threads) {
        org.tensorflow.lite.Interpreter.Options options =
                new org.tensorflow.lite.Interpreter.Options();
        options.setNumThreads(threads);
        options.setUseXNNPACK(delegate == Delegate.XNNPACK);
        if (delegate == Delegate.NNAPI) {
            if (Build.VERSION.SDK_INT < Build.VERSION_CODES.O_MR1) {
                throw new AsmnetException("NNAPI came with Android 8.1, this is "
                        + Build.VERSION.RELEASE + "; choose XNNPACK");
            }
            // NNAPI's own CPU code would hide that there is no accelerator.
            accelerator = new NnApiDelegate(new NnApiDelegate.Options().setUseNnapiCpu(false));
            options.addDelegate(accelerator);
        }
        return new org.tensorflow.lite.Interpreter(model, options);
    }

    private Type typeOf(Tensor tensor) {
        DataType found = tensor.dataType();
        if (found == DataType.FLOAT32) {
            return Type.FLOAT32;
        } else if (found == DataType.INT8) {
            return Type.INT8;
        } else if (found == DataType.UINT8) {
            return Type.UINT8;
        }
        throw new AsmnetException(name + " has a tensor of type " + found + "; only FLOAT32, INT8 "
                + "and UINT8 are served: export it again");
    }

    private AsmnetException refused(RuntimeException error) {
        String reason = String.valueOf(error.getMessage()).trim().replaceAll("\\s+", " ");
        return new AsmnetException(delegate == Delegate.NNAPI
                ? "NNAPI refuses " + name + " (" + reason + "); choose XNNPACK"
                : "this app's LiteRT cannot run " + name + " (" + reason + "); export it again, or "
                        + "update the app");
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    @Override
    public InputTensor input() {
        return input;
    }

    @Override
    public void run(float[] picture) {
        require(input.type == Type.FLOAT32, picture.length);
        // As Buffer: Android before 9 lacks ByteBuffer's and FloatBuffer's own clear().
        ((Buffer) values).clear();
        values.put(picture);
        run();
    }

    @Override
    public void run(byte[] picture) {
        require(input.type != Type.FLOAT32, picture.length);
        ((Buffer) levels).clear();
        levels.put(picture);
        run();
    }

    private void require(boolean rightType, int length) {
        if (!rightType || length != input.count()) {
            throw new AsmnetException(length + " values of another type or number than " + name
                    + " takes (" + input.count() + " of " + input.type + ")");
        }
    }

    private void run() {
        if (network == null) {
            throw new AsmnetException(name + " is closed; open it again");
        }
        ((Buffer) levels).clear();
        for (Output output : outputs.values()) {
            ((Buffer) output.buffer).clear();
        }
        try {
            network.runForMultipleInputsOutputs(inputs, buffers);
        } catch (IllegalArgumentException | IllegalStateException error) {
            throw refused(error);
        }
    }

    @Override
    public void output(String tensor, float[] values) {
        Output output = outputs.get(tensor);
        if (output == null || output.count != values.length) {
            throw new AsmnetException(name + " has no output '" + tensor + "' of " + values.length
                    + " values (it has " + TextUtils.join(", ", outputs.keySet())
                    + "); it is another model");
        }
        if (output.type == Type.FLOAT32) {
            ((Buffer) output.floats).clear();
            output.floats.get(values);
        } else {
            ((Buffer) output.buffer).clear();
            output.buffer.get(output.levels);
            Quantization.dequantize(
                    output.levels, output.type, output.scale, output.zeroPoint, values);
        }
    }

    /** Free the native memory; twice does no harm. */
    @Override
    public void close() {
        if (network != null) {
            network.close();
            network = null;
        }
        if (accelerator != null) {
            accelerator.close();
            accelerator = null;
        }
    }
}
