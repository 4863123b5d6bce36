package org.asmnet.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.Random;
import org.asmnet.core.Quantization.Type;
import org.junit.jupiter.api.Test;

/** What is read of the shipped networks, and of damaged ones. */
class TfliteTensorsTest {
    private static final File MODELS = new File(System.getProperty("asmnet.models"));

    private static byte[] file(String name) throws IOException {
        return Files.readAllBytes(new File(MODELS, name).toPath());
    }

    @Test
    void theDetectorIsFloats() throws IOException {
        TfliteTensors tensors = new TfliteTensors(file("face_detection_short_range.tflite"), "it");
        assertEquals(1, tensors.inputs.size());
        assertEquals(Type.FLOAT32, tensors.inputs.get(0).type);
        assertArrayEquals(new int[] {1, 128, 128, 3}, tensors.inputs.get(0).shape);
        assertEquals("regressors", tensors.outputs.get(0).name);
        assertArrayEquals(new int[] {1, 896, 16}, tensors.outputs.get(0).shape);
        assertEquals("classificators", tensors.outputs.get(1).name);
    }

    @Test
    void everyShippedNetworkHasTheTensorsOfItsContract() throws IOException {
        int seen = 0;
        for (String name : MODELS.list((folder, name) -> name.endsWith("-int8.tflite"))) {
            byte[] content = file(name);
            ModelSpec spec = ModelSpec.read(content, name);
            TfliteTensors tensors = new TfliteTensors(content, name);
            TfliteTensors.Tensor input = tensors.inputs.get(0);
            assertArrayEquals(new int[] {1, spec.inputSize, spec.inputSize, 3}, input.shape);
            assertEquals(Type.INT8, input.type);
            // All of black to white, in 255 steps, is what the network takes.
            assertEquals(255 / spec.std, 255 * input.scale, 0.05, name);
            // Halfway between the two, black and white are as far from 0; quantizers round it either way.
            assertTrue(input.zeroPoint == -1 || input.zeroPoint == 0, name);
            for (TfliteTensors.Tensor output : tensors.outputs) {
                boolean pose = output.name.equals(spec.poseTensor);
                assertTrue(pose || output.name.equals(spec.landmarksTensor), output.name);
                assertEquals(pose ? "pose" : "landmarks", output.signatureName);
                assertArrayEquals(new int[] {1, pose ? 3 : 2 * spec.landmarkScheme.count}, output.shape);
            }
            seen++;
        }
        assertTrue(seen > 0);
    }

    @Test
    void whatIsDamagedIsOneSentence() throws IOException {
        byte[] whole = file("face_detection_short_range.tflite");
        Random random = new Random(2);
        for (int n = 0; n < 3000; n++) {
            byte[] damaged = Arrays.copyOf(whole, n % 2 == 0 ? whole.length : 100 + 10 * n);
            // Where the tables lie: at the end and at the start.
            for (int i = 0; i < 40; i++) {
                int place = random.nextInt(4000);
                place = i % 2 == 0 ? place : damaged.length - 1 - place;
                damaged[Math.floorMod(place, damaged.length)] = (byte) random.nextInt();
            }
            try {
                new TfliteTensors(damaged, "it");
            } catch (AsmnetException error) {
                assertTrue(error.getMessage().startsWith("it "), error.getMessage());
            }
        }
        for (byte[] none : new byte[][] {{}, new byte[8], new byte[4000]}) {
            assertEquals("it is not a TFLite model, or it is damaged; get or export it again",
                    assertThrows(AsmnetException.class, () -> new TfliteTensors(none, "it"))
                            .getMessage());
        }
    }
}
