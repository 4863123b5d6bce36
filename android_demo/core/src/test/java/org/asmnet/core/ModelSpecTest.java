package org.asmnet.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ModelSpecTest {
    private final byte[] file = Golden.resource("contract.tflite");

    @Test
    void readsTheContractInsideAFile() {
        ModelSpec spec = ModelSpec.read(file, "contract.tflite");
        assertEquals(Scheme.IBUG68, spec.landmarkScheme);
        assertEquals("asmnet-spatial-68-112-int8", spec.name);
        assertEquals(112, spec.inputSize);
        assertEquals(127.5, spec.mean);
        assertEquals(127.5, spec.std);
        assertEquals(1.25, spec.margin);
        assertFalse(spec.landmarksTensor.isEmpty() || spec.poseTensor.isEmpty());
    }

    @Test
    void readsEveryShippedModel() {
        File[] models = new File(System.getProperty("asmnet.models"))
                .listFiles((folder, name) -> name.startsWith("asmnet") && name.endsWith(".tflite"));
        assertTrue(models.length > 2);
        for (File model : models) {
            assertEquals(model.getName(), ModelSpec.read(model).name + ".tflite");
        }
    }

    private static String message(byte[] content) {
        return assertThrows(AsmnetException.class, () -> ModelSpec.read(content, "m.tflite"))
                .getMessage();
    }

    @Test
    void aDamagedNetworkIsNoticed() {
        file[100]++;
        assertEquals("m.tflite is damaged (its SHA-256 differs); get or export it again",
                message(file));
    }

    @Test
    void everyTruncationIsNoticed() {
        for (int length = 0; length < file.length; length++) {
            String message = message(Arrays.copyOf(file, length));
            assertTrue(message.startsWith("m.tflite "), message);
        }
    }

    @Test
    void theBeginningTellsWhetherItIsAModel() {
        assertTrue(message(Arrays.copyOf(file, 7)).contains("is not a TFLite model"));
        assertTrue(message(Arrays.copyOf(file, 8)).contains("carries no asmnet.json"));
    }

    @Test
    void everyDamagedByteOfTheArchiveIsOneSentenceOrHarmless() {
        for (int i = 264; i < file.length; i++) {
            byte[] damaged = file.clone();
            damaged[i] ^= 0x55;
            try {
                assertEquals("asmnet-spatial-68-112-int8", ModelSpec.read(damaged, "m").name);
            } catch (AsmnetException error) {
                assertTrue(error.getMessage().startsWith("m "), error.getMessage());
            }
        }
    }

    @Test
    void aModelWithoutContractIsNamed() {
        File detector =
                new File(System.getProperty("asmnet.models"), "face_detection_short_range.tflite");
        String message = assertThrows(AsmnetException.class, () -> ModelSpec.read(detector))
                .getMessage();
        assertTrue(message.contains("carries no asmnet.json"), message);
        File absent = new File("absent.tflite");
        assertThrows(AsmnetException.class, () -> ModelSpec.read(absent));
    }

    // Python's tests read the same cases.
    private static final Map<?, ?> CASES = (Map<?, ?>) Json.parse(
            new String(Golden.resource("contracts.json"), StandardCharsets.UTF_8));
    private static final String CONTRACT = (String) CASES.get("contract");

    static List<?> accepted() {
        return (List<?>) CASES.get("accepted");
    }

    static List<?> refused() {
        return (List<?>) CASES.get("refused");
    }

    /** The cases' contract with some text in place of another, repeated if a number follows. */
    private static String changed(List<?> change) {
        String old = (String) change.get(0);
        String now = (String) change.get(1);
        assertTrue(CONTRACT.contains(old), old);
        boolean many = change.size() > 2 && change.get(2) instanceof Double;
        return CONTRACT.replace(old, many ? now.repeat(((Double) change.get(2)).intValue()) : now);
    }

    @Test
    void parsesAContract() {
        ModelSpec spec = ModelSpec.fromJson(CONTRACT);
        assertEquals(Scheme.WFLW98, spec.landmarkScheme);
        assertEquals(112, spec.inputSize);
        assertEquals(250, spec.std);
        assertEquals("", spec.license);
    }

    @ParameterizedTest
    @MethodSource("accepted")
    void contractsAtTheLimitsAreAccepted(List<?> change) {
        ModelSpec.fromJson(changed(change));
    }

    @Test
    void aNameHasFiveHundredCharactersAtMost() {
        String name = "x".repeat(500);
        String contract = CONTRACT.replace("\"n\"", '"' + name + '"');
        assertEquals(name, ModelSpec.fromJson(contract).name);
        assertThrows(AsmnetException.class,
                () -> ModelSpec.fromJson(contract.replace(name, name + "x")));
    }

    @ParameterizedTest
    @MethodSource("refused")
    void aWrongContractIsOneSentence(List<?> change) {
        String text = changed(change);
        String message = assertThrows(AsmnetException.class, () -> ModelSpec.fromJson(text))
                .getMessage();
        String complaint = (String) change.get(change.size() - 1);
        assertTrue(message.contains(complaint), message);
        assertTrue(message.length() < 300 && !message.contains("\n"), message);
    }

    @Test
    void schemesAreThoseOfPython() {
        for (Scheme scheme : new Scheme[] {Scheme.IBUG68, Scheme.WFLW98}) {
            int[] numbers = {scheme.count, scheme.rightEye, scheme.leftEye,
                scheme.noseFrom, scheme.noseTo - 1};
            assertArrayEquals(Golden.ints("scheme/" + scheme.name), numbers);
            assertArrayEquals(Golden.ints("scheme/" + scheme.name + "/edges"), scheme.edges());
            assertArrayEquals(Golden.ints("scheme/" + scheme.name + "/ibug68"), scheme.ibug68);
        }
    }
}
