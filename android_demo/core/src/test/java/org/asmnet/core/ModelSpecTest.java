package org.asmnet.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelSpecTest {
    private final byte[] file = Golden.resource("contract.tflite");

    @Test
    void readsTheContractInsideAFile() {
        ModelSpec spec = ModelSpec.read(file, "contract.tflite");
        assertEquals(Scheme.IBUG68, spec.scheme);
        assertEquals("asmnet-spatial-68-224-int8", spec.name);
        assertEquals(224, spec.size);
        assertEquals(127.5, spec.mean);
        assertEquals(127.5, spec.std);
        assertEquals(1.25, spec.margin);
        assertFalse(spec.alignRoll);
        assertFalse(spec.landmarks.isEmpty() || spec.pose.isEmpty());
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
    void everyDamagedByteOfTheArchiveIsOneSentenceOrHarmless() {
        for (int i = 264; i < file.length; i++) {
            byte[] damaged = file.clone();
            damaged[i] ^= 0x55;
            try {
                assertEquals("asmnet-spatial-68-224-int8", ModelSpec.read(damaged, "m").name);
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

    private static final String CONTRACT = "{\"schema\": \"asmnet/1\", \"name\": \"n\", "
            + "\"version\": \"1\", \"scheme\": \"wflw98\", \"input\": {\"size\": 112, "
            + "\"color\": \"RGB\", \"mean\": 0, \"std\": 2.5e2}, \"crop\": {\"margin\": 1.5, "
            + "\"align_roll\": true}, \"outputs\": {\"landmarks\": {\"tensor\": \"a\"}, "
            + "\"pose\": {\"tensor\": \"b\"}}}";

    @Test
    void parsesAContract() {
        ModelSpec spec = ModelSpec.fromJson(CONTRACT);
        assertEquals(Scheme.WFLW98, spec.scheme);
        assertEquals(112, spec.size);
        assertEquals(250, spec.std);
        assertTrue(spec.alignRoll);
        assertEquals("", spec.license);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "asmnet/1>asmnet/2>schema", "wflw98>other>scheme 'other'", "112>0>positive",
        "112>112.5>positive", "112>\"112\">'size' has the wrong type", "2.5e2>-1>positive",
        "RGB>BGR>'BGR'", "\"margin\">\"m\">'margin' is missing", "true>1>'align_roll'",
        "true>tru>not JSON", "{>[>not JSON", "}}}>}}>not JSON", "112>0112>not JSON",
        "112>1.>not JSON", "112>NaN>not JSON", "\"n\">\"\\x\">not JSON"
    })
    void aWrongContractIsOneSentence(String change) {
        String[] parts = change.split(">");
        String text = CONTRACT.replace(parts[0], parts[1]);
        String message = assertThrows(AsmnetException.class, () -> ModelSpec.fromJson(text))
                .getMessage();
        assertTrue(message.contains(parts[2]), message);
    }

    @Test
    void deepNestingIsNoCrash() {
        assertThrows(AsmnetException.class, () -> Json.parse("[".repeat(100_000)));
    }

    @Test
    void schemesAreThoseOfPython() {
        for (Scheme scheme : new Scheme[] {Scheme.IBUG68, Scheme.WFLW98}) {
            int[] numbers = {scheme.count, scheme.rightEye, scheme.leftEye,
                scheme.noseFrom, scheme.noseTo - 1};
            assertArrayEquals(Golden.ints("scheme/" + scheme.name), numbers);
            assertArrayEquals(Golden.ints("scheme/" + scheme.name + "/edges"), scheme.edges());
        }
    }
}
