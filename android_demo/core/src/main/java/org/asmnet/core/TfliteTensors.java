package org.asmnet.core;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.asmnet.core.Quantization.Type;

/**
 * The inputs and outputs of a {@code .tflite} file, read from its FlatBuffer: names, shapes and
 * quantization, for interpreters that do not tell them.
 *
 * <p>The format is that of TFLite's {@code schema.fbs}; only the first subgraph is read.
 */
public final class TfliteTensors {
    // Positions of fields in their tables.
    private static final int MODEL_SUBGRAPHS = 2;
    private static final int MODEL_SIGNATURES = 7;
    private static final int SIGNATURE_OUTPUTS = 1;
    private static final int MAP_NAME = 0;
    private static final int MAP_TENSOR = 1;
    private static final int SUBGRAPH_TENSORS = 0;
    private static final int SUBGRAPH_INPUTS = 1;
    private static final int SUBGRAPH_OUTPUTS = 2;
    private static final int TENSOR_SHAPE = 0;
    private static final int TENSOR_TYPE = 1;
    private static final int TENSOR_NAME = 3;
    private static final int TENSOR_QUANTIZATION = 4;
    private static final int QUANTIZATION_SCALE = 2;
    private static final int QUANTIZATION_ZERO_POINT = 3;
    // More than any network here has: a damaged length must not allocate.
    private static final int MOST_TENSORS = 16;
    private static final int MOST_DIMENSIONS = 8;
    private static final int LONGEST_NAME = 500;

    /** One input or output. */
    public static final class Tensor {
        /** As the contract names it. */
        public final String name;
        /** As the file's first signature calls an output; its name where there is none. */
        public final String signatureName;
        /** For example 1, 224, 224, 3. */
        public final int[] shape;
        /** Of the elements. */
        public final Type type;
        /** Quantization scale; 0 for FLOAT32. */
        public final float scale;
        /** Quantization zero point; 0 for FLOAT32. */
        public final int zeroPoint;

        Tensor(String name, String signatureName, int[] shape, Type type, float scale,
                int zeroPoint) {
            this.name = name;
            this.signatureName = signatureName;
            this.shape = shape;
            this.type = type;
            this.scale = scale;
            this.zeroPoint = zeroPoint;
        }
    }

    /** In the network's order. */
    public final List<Tensor> inputs;
    /** In the network's order. */
    public final List<Tensor> outputs;

    private final byte[] file;
    private final String name;
    // Of the first signature's outputs, the name that it gives to each tensor.
    private final Map<Integer, String> signature = new HashMap<>();

    /**
     * Read a file's tensors.
     *
     * @param file its whole content
     * @param name of the file, for messages
     * @throws AsmnetException it is damaged, or has a tensor of another type than float32, int8 and
     *     uint8
     */
    public TfliteTensors(byte[] file, String name) {
        this.file = file;
        this.name = name;
        int model = reference(0);
        int subgraphs = vector(model, MODEL_SUBGRAPHS, 1 << 20);
        if (i32(subgraphs) < 1) {
            throw damaged();
        }
        int graph = reference(subgraphs + 4);
        readSignature(model);
        inputs = tensors(graph, SUBGRAPH_INPUTS);
        outputs = tensors(graph, SUBGRAPH_OUTPUTS);
    }

    private void readSignature(int model) {
        if (field(model, MODEL_SIGNATURES) == 0) {
            return;
        }
        int signatures = vector(model, MODEL_SIGNATURES, 1 << 20);
        if (i32(signatures) == 0) {
            return;
        }
        int outputs = vector(reference(signatures + 4), SIGNATURE_OUTPUTS, MOST_TENSORS);
        for (int n = 0; n < i32(outputs); n++) {
            int map = reference(outputs + 4 + 4 * n);
            int tensor = field(map, MAP_TENSOR); // left out if it is 0
            signature.put(tensor == 0 ? 0 : i32(tensor), text(map, MAP_NAME));
        }
    }

    private String text(int table, int n) {
        int letters = vector(table, n, LONGEST_NAME);
        need(letters + 4, i32(letters));
        return new String(file, letters + 4, i32(letters), StandardCharsets.UTF_8);
    }

    private List<Tensor> tensors(int graph, int field) {
        int all = vector(graph, SUBGRAPH_TENSORS, 1 << 20);
        int wanted = vector(graph, field, MOST_TENSORS);
        List<Tensor> found = new ArrayList<>();
        for (int n = 0; n < i32(wanted); n++) {
            int index = i32(wanted + 4 + 4 * n);
            if (index < 0 || index >= i32(all)) {
                throw damaged();
            }
            found.add(tensor(reference(all + 4 + 4 * index), signature.get(index)));
        }
        return found;
    }

    private Tensor tensor(int table, String named) {
        int shape = vector(table, TENSOR_SHAPE, MOST_DIMENSIONS);
        int[] dimensions = new int[i32(shape)];
        for (int n = 0; n < dimensions.length; n++) {
            dimensions[n] = i32(shape + 4 + 4 * n);
        }
        String text = text(table, TENSOR_NAME);
        String signatureName = named == null ? text : named;
        Type type = type(table);
        int quantization = field(table, TENSOR_QUANTIZATION);
        if (type == Type.FLOAT32 || quantization == 0) {
            return new Tensor(text, signatureName, dimensions, type, 0, 0);
        }
        int parameters = reference(quantization);
        int scale = vector(parameters, QUANTIZATION_SCALE, 1);
        int zero = vector(parameters, QUANTIZATION_ZERO_POINT, 1);
        // Zero points are 64-bit; those of 8-bit tensors fit the lower half.
        return new Tensor(text, signatureName, dimensions, type,
                i32(scale) < 1 ? 0 : Float.intBitsToFloat(i32(scale + 4)),
                i32(zero) < 1 ? 0 : i32(zero + 4));
    }

    private Type type(int table) {
        int at = field(table, TENSOR_TYPE);
        int number = at == 0 ? 0 : u8(at);
        switch (number) {
            case 0:
                return Type.FLOAT32;
            case 3:
                return Type.UINT8;
            case 9:
                return Type.INT8;
            default:
                throw new AsmnetException(name + " has a tensor of another type than float32, int8 "
                        + "and uint8; export it again");
        }
    }

    /** Where a table's field lies; 0 if the table leaves it out. */
    private int field(int table, int n) {
        int layout = table - i32(table);
        int size = u16(layout);
        int offset = 4 + 2 * n < size ? u16(layout + 4 + 2 * n) : 0;
        return offset == 0 ? 0 : table + offset;
    }

    /** Where a field's vector begins (with its length); at most so many elements. */
    private int vector(int table, int n, int most) {
        int at = field(table, n);
        if (at == 0) {
            throw damaged();
        }
        int start = reference(at);
        int length = i32(start);
        if (length < 0 || length > most) {
            throw damaged();
        }
        return start;
    }

    private int reference(int at) {
        return at + i32(at);
    }

    // Indices are checked by hand: the JavaScript that this is compiled to does not check them.
    private void need(int at, int count) {
        if (at < 0 || count < 0 || at > file.length - count) {
            throw damaged();
        }
    }

    private AsmnetException damaged() {
        return new AsmnetException(
                name + " is not a TFLite model, or it is damaged; get or export it again");
    }

    private int u8(int at) {
        need(at, 1);
        return file[at] & 255;
    }

    private int u16(int at) {
        need(at, 2);
        return file[at] & 255 | (file[at + 1] & 255) << 8;
    }

    private int i32(int at) {
        need(at, 4);
        return file[at] & 255 | (file[at + 1] & 255) << 8 | (file[at + 2] & 255) << 16
                | file[at + 3] << 24;
    }
}
