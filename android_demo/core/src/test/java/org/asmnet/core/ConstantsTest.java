package org.asmnet.core;

import static org.asmnet.core.Golden.assertNear;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The numbers themselves: not each of them decides anything in the recorded clip.
 *
 * <p>The vectors are a snapshot; tests/parity/test_java_vectors.py compares it with Python's
 * numbers of today.
 */
class ConstantsTest {
    @Test
    void constantsAreThoseOfTheVectors() throws ReflectiveOperationException {
        for (String name : Golden.names("constant/")) {
            String[] parts = name.split("/");
            Field field = Class.forName("org.asmnet.core." + parts[1]).getDeclaredField(parts[2]);
            field.setAccessible(true);
            Object value = field.get(null);
            double[] values = value instanceof double[] ? (double[]) value
                    : value instanceof int[] ? Arrays.stream((int[]) value).asDoubleStream().toArray()
                    : new double[] {((Number) value).doubleValue()};
            assertNear(Golden.doubles(name), values, value instanceof Float ? 1e-7 : 0);
        }
    }

    @ParameterizedTest
    @ValueSource(classes = {FaceTracker.class, FaceSearch.class, HeadPosition.class, SignalTracker.class})
    void theVectorsHaveAllOfTheClass(Class<?> home) {
        String start = "constant/" + home.getSimpleName() + "/";
        List<String> known = Golden.names(start);
        int count = 0;
        for (Field field : home.getDeclaredFields()) {
            // PIT adds an array of its own.
            boolean number = List.of(double.class, double[].class, int[].class)
                    .contains(field.getType());
            if (number && Modifier.isStatic(field.getModifiers())) {
                count++;
                assertTrue(known.contains(start + field.getName()), field.getName());
            }
        }
        assertEquals(known.size(), count);
    }
}
