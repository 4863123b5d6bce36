package org.asmnet.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;

/** The golden vectors: see {@code golden/make_vectors.py}. */
final class Golden {
    private static final Map<?, ?> INDEX =
            (Map<?, ?>) Json.parse(new String(resource("vectors.json"), StandardCharsets.UTF_8));
    private static final ByteBuffer DATA = data();

    private Golden() {}

    static byte[] resource(String name) {
        try (InputStream stream = Golden.class.getResourceAsStream(name)) {
            return stream.readAllBytes();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static ByteBuffer data() {
        try (InputStream stream =
                new GZIPInputStream(Golden.class.getResourceAsStream("vectors.bin.gz"))) {
            return ByteBuffer.wrap(stream.readAllBytes()).order(ByteOrder.LITTLE_ENDIAN);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** The names that begin so. */
    static List<String> names(String start) {
        return INDEX.keySet().stream().map(String::valueOf).filter(name -> name.startsWith(start))
                .collect(Collectors.toList());
    }

    static int[] shape(String name) {
        List<?> shape = (List<?>) row(name, null).get(1);
        return shape.stream().mapToInt(n -> ((Double) n).intValue()).toArray();
    }

    private static List<?> row(String name, String type) {
        List<?> row = (List<?>) INDEX.get(name);
        assertTrue(row != null, name + " is no vector");
        assertTrue(type == null || type.equals(row.get(0)), name + " is of type " + row.get(0));
        return row;
    }

    private static ByteBuffer at(String name, String type) {
        ByteBuffer data = DATA.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        data.position(((Double) row(name, type).get(2)).intValue());
        return data;
    }

    private static int count(String name) {
        return Arrays.stream(shape(name)).reduce(1, (a, b) -> a * b);
    }

    static byte[] bytes(String name) {
        byte[] values = new byte[count(name)];
        at(name, "u1").get(values);
        return values;
    }

    static int[] ints(String name) {
        int[] values = new int[count(name)];
        at(name, "i4").asIntBuffer().get(values);
        return values;
    }

    static float[] floats(String name) {
        float[] values = new float[count(name)];
        at(name, "f4").asFloatBuffer().get(values);
        return values;
    }

    static double[] doubles(String name) {
        double[] values = new double[count(name)];
        at(name, "f8").asDoubleBuffer().get(values);
        return values;
    }

    /** The n-th row of a table of doubles. */
    static double[] doubles(String name, int n) {
        int[] shape = shape(name);
        int columns = shape.length < 2 ? 1 : count(name) / shape[0];
        return Arrays.copyOfRange(doubles(name), n * columns, (n + 1) * columns);
    }

    static Crop crop(String name) {
        double[] fields = doubles(name);
        return new Crop(fields[0], fields[1], fields[2], fields[3]);
    }

    /** The portrait of the vectors. */
    static Picture picture() {
        Picture picture = new Picture();
        picture.resize(shape("picture")[1], shape("picture")[0]);
        picture.rgb = bytes("picture");
        return picture;
    }

    static void assertNear(double[] expected, double[] actual, double tolerance) {
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], tolerance, "element " + i);
        }
    }

    static void assertNear(float[] expected, float[] actual, float tolerance) {
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], tolerance, "element " + i);
        }
    }

    /** The share of bytes that differ by more than `most` levels, 0..1. */
    static double apart(byte[] one, byte[] other, int most) {
        assertEquals(one.length, other.length);
        int apart = 0;
        for (int i = 0; i < one.length; i++) {
            apart += Math.abs((one[i] & 255) - (other[i] & 255)) > most ? 1 : 0;
        }
        return (double) apart / one.length;
    }
}
