package org.asmnet.jvm;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.asmnet.core.AsmnetException;
import org.asmnet.core.Crop;
import org.asmnet.core.Face;
import org.asmnet.core.Landmarker;
import org.asmnet.core.ModelSpec;
import org.asmnet.core.Picture;

/** Landmarks and pose in given crops, without a tracker: to compare one step at a time. */
public final class Locate {
    private static final String USAGE = String.join("\n",
            "Locate the faces in given crops.",
            "",
            "  --model FILE    landmark network with its contract (.tflite)",
            "  --frames FILE   PPM pictures one after another; - is standard input",
            "  --crops FILE    a line for each picture: cx cy side angle",
            "  --out FILE      receives for each picture x0, y0, x1, ... in its pixels, then yaw,",
            "                  pitch, roll, as little-endian float32",
            "  --threads N     of one inference, default 1");

    private Locate() {}

    /** See the usage. */
    public static void main(String[] words) {
        Arguments.run(USAGE, words, Locate::run);
    }

    private static void run(Arguments arguments) throws IOException {
        String model = arguments.text("model");
        byte[] content = Networks.content(model);
        String crops = arguments.text("crops");
        String text = new String(Networks.content(crops), StandardCharsets.US_ASCII).trim();
        String[] lines = text.split("\n");
        Picture picture = new Picture();
        try (TfliteInterpreter network = new TfliteInterpreter(
                    content, model, arguments.integer("threads", 1, 1));
                PpmFrames frames = new PpmFrames(arguments.text("frames"))) {
            Landmarker landmarker = new Landmarker(network, ModelSpec.read(content, model));
            Face face = new Face(landmarker.spec.landmarkScheme.count);
            int width = face.landmarks.length + 3;
            ByteBuffer out = ByteBuffer.allocate(4 * width * lines.length)
                    .order(ByteOrder.LITTLE_ENDIAN);
            for (String line : lines) {
                if (!frames.next(picture)) {
                    throw new AsmnetException(crops + " has more lines than there are frames");
                }
                landmarker.locate(picture, crop(line, crops), face);
                for (float value : face.landmarks) {
                    out.putFloat(value);
                }
                for (float value : face.pose) {
                    out.putFloat(value);
                }
            }
            Output.write(arguments.text("out"), file -> file.write(out.array()));
        }
    }

    private static Crop crop(String line, String file) {
        String[] fields = line.trim().split(" ");
        try {
            double[] values = new double[4];
            for (int i = 0; i < 4; i++) {
                values[i] = Double.parseDouble(fields[i]);
            }
            return new Crop(values[0], values[1], values[2], values[3]);
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException error) {
            throw new AsmnetException("line '" + line + "' of " + file
                    + " is not 'cx cy side angle'");
        }
    }
}
