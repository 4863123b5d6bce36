package org.asmnet.core;

import static org.junit.jupiter.api.Assertions.fail;

import java.util.Arrays;
import org.asmnet.core.Quantization.Type;

/** A network that gives recorded answers one after another, and checks the mean of its inputs. */
abstract class Recorded implements Interpreter {
    private final InputTensor input;
    private final double[] means;
    private final double tolerance;
    /** Number of runs so far. */
    int runs;

    Recorded(int size, Type type, float scale, int zeroPoint, String means, double tolerance) {
        input = new InputTensor("recording", new int[] {1, size, size, 3}, type, scale, zeroPoint);
        this.means = Golden.doubles(means);
        this.tolerance = tolerance;
    }

    @Override
    public InputTensor input() {
        return input;
    }

    @Override
    public void run(float[] picture) {
        double sum = 0;
        for (float value : picture) {
            sum += value;
        }
        ran(sum / picture.length);
    }

    @Override
    public void run(byte[] picture) {
        double sum = 0;
        for (byte value : picture) {
            sum += input.type == Type.INT8 ? value : value & 255;
        }
        ran(sum / picture.length);
    }

    private void ran(double mean) {
        if (Math.abs(means[runs] - mean) > tolerance) {
            fail("the input of run " + runs + " has mean " + mean + ", not " + means[runs]);
        }
        runs++;
    }

    int recordedRuns() {
        return means.length;
    }

    /** The landmark network of a recorded clip. */
    static Recorded landmarks(String clip, ModelSpec spec) {
        int[] type = Golden.ints(clip + "/type");
        float[] points = Golden.floats(clip + "/landmarks");
        float[] poses = Golden.floats(clip + "/pose");
        return new Recorded(spec.inputSize, Type.values()[type[0]],
                Golden.floats(clip + "/scale")[0],
                type[1], clip + "/means", type[0] == 0 ? 0.1 / 127.5 : 0.1) {
            @Override
            public void output(String name, float[] values) {
                float[] all = name.equals(spec.landmarksTensor) ? points : poses;
                System.arraycopy(all, (runs - 1) * values.length, values, 0, values.length);
            }
        };
    }

    /** The detector of a recorded clip; only anchors with a chance are recorded. */
    static Recorded detector(String clip) {
        return detector(clip + "/detector", FaceDetector.SIZE, 16, 0.1);
    }

    /** The detector of turned faces of a recorded clip. */
    static Recorded turnedDetector(String clip) {
        // A face is enlarged there, and every pixel interpolated.
        return detector(clip + "/other", FaceDetector.TURNED_SIZE, 4, 0.2);
    }

    private static Recorded detector(String key, int size, int numbers, double levels) {
        int[] candidates = Golden.ints(key + "/candidates");
        float[] logits = Golden.floats(key + "/logits");
        float[] regressors = Golden.floats(key + "/regressors");
        return new Recorded(size, Type.FLOAT32, 0, 0, key + "/means", levels / 127.5) {
            @Override
            public void output(String name, float[] values) {
                boolean scores = name.equals("classificators");
                Arrays.fill(values, scores ? -100 : 0);
                for (int i = 0; i < logits.length; i++) {
                    int anchor = candidates[2 * i + 1];
                    if (candidates[2 * i] != runs - 1) {
                        continue;
                    }
                    if (scores) {
                        values[anchor] = logits[i];
                    } else {
                        System.arraycopy(
                                regressors, numbers * i, values, numbers * anchor, numbers);
                    }
                }
            }
        };
    }
}
