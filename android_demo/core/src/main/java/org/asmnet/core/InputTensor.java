package org.asmnet.core;

import java.util.Arrays;
import org.asmnet.core.Quantization.Type;

/** What a network takes: one square RGB picture, (1, side, side, 3). */
public final class InputTensor {
    /** Pixels. */
    public final int side;
    /** Of the elements. */
    public final Type type;
    /** Quantization scale; 0 for FLOAT32. */
    public final float scale;
    /** Quantization zero point; 0 for FLOAT32. */
    public final int zeroPoint;

    /**
     * An input.
     *
     * @param network its name, for messages
     * @param shape of the tensor
     * @param type of its elements
     * @param scale of an integer tensor
     * @param zeroPoint of an integer tensor
     * @throws AsmnetException it has another shape
     */
    public InputTensor(String network, int[] shape, Type type, float scale, int zeroPoint) {
        if (shape.length != 4 || shape[0] != 1 || shape[1] != shape[2] || shape[3] != 3) {
            throw new AsmnetException(network + " takes " + Arrays.toString(shape)
                    + ", expected [1, side, side, 3]; it is another model");
        }
        side = shape[1];
        this.type = type;
        this.scale = type == Type.FLOAT32 ? 0 : scale;
        this.zeroPoint = type == Type.FLOAT32 ? 0 : zeroPoint;
    }

    /** Number of elements. */
    public int count() {
        return 3 * side * side;
    }
}
