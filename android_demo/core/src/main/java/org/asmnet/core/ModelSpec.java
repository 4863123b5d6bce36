package org.asmnet.core;

import java.io.DataInputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Map;

/** The model contract: {@code asmnet.json}, stored inside the {@code .tflite} file itself. */
public final class ModelSpec {
    /** The contract's schema that this version reads. */
    public static final String SCHEMA = "asmnet/1";
    /** The contract's file name. */
    public static final String CONTRACT = "asmnet.json";

    /** Bytes of a contract that are read; real ones have some 5 kB. */
    static final int LONGEST = 1 << 20;
    // What a contract may say: least and most.  Beyond, crops show no face or one grey.
    private static final double[] INPUT_SIZE = {1, 4096};
    private static final double[] MEAN = {0, 255};
    private static final double[] STD = {1, 255};
    private static final double[] MARGIN = {1, 4};

    /** For example "asmnet-68-224-int8". */
    public final String name;
    /** Of the package that exported the file. */
    public final String version;
    /** The landmarks' order. */
    public final Scheme landmarkScheme;
    /** Side in pixels; the input is (1, inputSize, inputSize, 3) RGB. */
    public final int inputSize;
    /** Network input = (pixel 0..255 - mean) / std. */
    public final double mean;
    /** See {@link #mean}. */
    public final double std;
    /** Crop side = margin x longer side of the landmarks' tight box. */
    public final double margin;
    /** Output tensor (1, 2 N): crop units x0, y0, x1, ... */
    public final String landmarksTensor;
    /** Output tensor (1, 3): degrees yaw, pitch, roll. */
    public final String poseTensor;
    /** What the weights may be used for. */
    public final String license;

    private ModelSpec(Map<?, ?> document) {
        Map<?, ?> input = get(document, "input", Map.class);
        Map<?, ?> crop = get(document, "crop", Map.class);
        Map<?, ?> outputs = get(document, "outputs", Map.class);
        name = line(document, "name");
        version = line(document, "version");
        landmarkScheme = Scheme.of(line(document, "scheme"));
        double side = number(input, "size", INPUT_SIZE);
        mean = number(input, "mean", MEAN);
        std = number(input, "std", STD);
        margin = number(crop, "margin", MARGIN);
        // Files of version 0.1.0 say that crops are upright; now all are.
        if (crop.containsKey("align_roll") && !Boolean.FALSE.equals(crop.get("align_roll"))) {
            throw new AsmnetException("align_roll is not false: crops are upright");
        }
        landmarksTensor = line(get(outputs, "landmarks", Map.class), "tensor");
        poseTensor = line(get(outputs, "pose", Map.class), "tensor");
        license = document.containsKey("license") ? get(document, "license", String.class) : "";
        inputSize = (int) side;
        if (inputSize != side) {
            throw new AsmnetException("size " + side + " is no whole number");
        }
        String color = get(input, "color", String.class);
        if (!color.equals("RGB")) {
            throw new AsmnetException("input color '" + color + "' is not 'RGB'");
        }
        for (String record : new String[] {"quantization", "parity", "evaluation", "training"}) {
            if (document.containsKey(record)) {
                get(document, record, Map.class);
            }
        }
    }

    /** A text that messages may show: they are one line each. */
    private static String line(Map<?, ?> fields, String key) {
        String text = get(fields, key, String.class);
        if (text.length() > 500 || text.chars().anyMatch(Character::isISOControl)) {
            throw new AsmnetException("field '" + key + "' is too long or has control characters");
        }
        return text;
    }

    private static double number(Map<?, ?> fields, String key, double[] range) {
        double value = get(fields, key, Double.class);
        if (!(range[0] <= value && value <= range[1])) {
            throw new AsmnetException(key + " " + plain(value) + " is not between "
                    + plain(range[0]) + " and " + plain(range[1]));
        }
        return value;
    }

    private static String plain(double value) {
        return value == (int) value ? Integer.toString((int) value) : Double.toString(value);
    }

    private static <T> T get(Map<?, ?> fields, String key, Class<T> type) {
        if (!fields.containsKey(key)) {
            throw new AsmnetException("field '" + key + "' is missing");
        }
        if (!type.isInstance(fields.get(key))) {
            throw new AsmnetException("field '" + key + "' has the wrong type");
        }
        return type.cast(fields.get(key));
    }

    /**
     * Parse and check a contract.
     *
     * @throws AsmnetException it is not JSON, lacks a field, or holds a value that this version
     *     cannot serve; the message names it
     */
    public static ModelSpec fromJson(String text) {
        return new ModelSpec(document(text));
    }

    private static Map<?, ?> document(String text) {
        Object document = Json.parse(text);
        Object schema = document instanceof Map ? ((Map<?, ?>) document).get("schema") : document;
        if (!(document instanceof Map) || !SCHEMA.equals(schema)) {
            throw new AsmnetException("schema '" + schema + "' is not '" + SCHEMA + "'");
        }
        return (Map<?, ?>) document;
    }

    /**
     * Read the contract out of a {@code .tflite} file.
     *
     * @throws AsmnetException see {@link #read(byte[], String)}; or the file cannot be read
     */
    public static ModelSpec read(File file) {
        byte[] content = new byte[(int) Math.min(file.length(), Integer.MAX_VALUE - 8)];
        try (DataInputStream stream = new DataInputStream(new FileInputStream(file))) {
            stream.readFully(content);
        } catch (IOException error) {
            throw new AsmnetException("cannot read model " + file + ": " + error.getMessage());
        }
        return read(content, file.toString());
    }

    /** Computes SHA-256, on platforms without {@code java.security}. */
    public interface Digest {
        /** The 64 hexadecimal digits, lower case, of the first {@code length} bytes. */
        String sha256(byte[] content, int length);
    }

    /**
     * Read the contract out of a {@code .tflite} file's content (an asset, for example).
     *
     * @param content the whole file
     * @param file its name, for messages
     * @throws AsmnetException it is no TFLite model, has no valid contract, or is not what it was
     *     when the contract was written
     */
    public static ModelSpec read(byte[] content, String file) {
        return read(content, file, ModelSpec::sha256);
    }

    /** See {@link #read(byte[], String)}; the digest is {@link Sha256#hex} or the platform's. */
    public static ModelSpec read(byte[] content, String file, Digest digest) {
        // A FlatBuffer names its format at bytes 4..8.
        if (content.length < 8
                || !new String(content, 4, 4, StandardCharsets.ISO_8859_1).equals("TFL3")) {
            throw new AsmnetException(file + " is not a TFLite model (or is truncated); "
                    + "make one with asmnet-export");
        }
        AssociatedFiles embedded;
        try {
            embedded = new AssociatedFiles(content, CONTRACT, LONGEST);
        } catch (AsmnetException error) {
            throw new AsmnetException(file + " " + error.getMessage() + "; get or export it again");
        }
        if (embedded.content == null) {
            throw new AsmnetException(file + " carries no " + CONTRACT + ": it was not exported by "
                    + "asmnet-export, or it is truncated; export it again");
        }
        ModelSpec spec;
        Object expected;
        try {
            Map<?, ?> document = document(utf8(embedded.content));
            spec = new ModelSpec(document);
            expected = document.get("sha256");
        } catch (AsmnetException error) {
            throw new AsmnetException(file + " has an unusable " + CONTRACT + ": "
                    + error.getMessage() + "; export it again");
        }
        // Files of version 0.1.0 and those of other tools state none.
        if (expected != null && !expected.equals(digest.sha256(content, embedded.start))) {
            throw new AsmnetException(
                    file + " is damaged (its SHA-256 differs); get or export it again");
        }
        return spec;
    }

    private static String utf8(byte[] content) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString();
        } catch (CharacterCodingException error) {
            throw new AsmnetException("it is not UTF-8");
        }
    }

    private static String sha256(byte[] content, int length) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(content, 0, length);
            StringBuilder text = new StringBuilder();
            for (byte b : digest.digest()) {
                text.append(Character.forDigit(b >> 4 & 15, 16));
                text.append(Character.forDigit(b & 15, 16));
            }
            return text.toString();
        } catch (NoSuchAlgorithmException error) {
            throw new AssertionError(error); // every Java platform has it
        }
    }
}
