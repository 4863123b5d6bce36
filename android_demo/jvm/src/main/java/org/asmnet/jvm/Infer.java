package org.asmnet.jvm;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.asmnet.core.AsmnetException;
import org.asmnet.core.Quantization.Type;

/** Runs a network on given tensors, to compare interpreters. */
public final class Infer {
    private static final String USAGE = String.join("\n",
            "Run a network on tensors one after another.",
            "",
            "  --model FILE    .tflite",
            "  --inputs FILE   the input tensors: bytes, or little-endian float32",
            "  --outputs FILE  receives, for each input, all outputs in the order of --names",
            "                  as little-endian float32",
            "  --names LIST    the outputs' names, separated by commas",
            "  --threads N     default 1");

    private Infer() {}

    /** See the usage. */
    public static void main(String[] words) {
        Arguments.run(USAGE, words, Infer::run);
    }

    private static void run(Arguments arguments) throws IOException {
        String model = arguments.text("model");
        String[] names = arguments.text("names").split(",");
        ByteBuffer inputs = ByteBuffer.wrap(Networks.content(arguments.text("inputs")))
                .order(ByteOrder.LITTLE_ENDIAN);
        try (TfliteInterpreter network = new TfliteInterpreter(
                Networks.content(model), model, arguments.integer("threads", 1, 1))) {
            int count = network.input().count();
            boolean real = network.input().type == Type.FLOAT32;
            int size = real ? 4 * count : count;
            if (inputs.remaining() % size != 0) {
                throw new AsmnetException("the inputs' " + inputs.remaining()
                        + " bytes are no multiple of " + size + "; " + model + " takes others");
            }
            int runs = inputs.remaining() / size;
            int width = Arrays.stream(names).mapToInt(network::count).sum();
            ByteBuffer outputs = ByteBuffer.allocate(4 * width * runs)
                    .order(ByteOrder.LITTLE_ENDIAN);
            float[] values = new float[count];
            byte[] levels = new byte[count];
            for (int run = 0; run < runs; run++) {
                if (real) {
                    inputs.asFloatBuffer().get(values);
                    inputs.position(inputs.position() + size);
                    network.run(values);
                } else {
                    inputs.get(levels);
                    network.run(levels);
                }
                for (String name : names) {
                    float[] output = new float[network.count(name)];
                    network.output(name, output);
                    for (float value : output) {
                        outputs.putFloat(value);
                    }
                }
            }
            Output.write(arguments.text("outputs"), file -> file.write(outputs.array()));
        }
    }
}
