package org.asmnet.core;

/**
 * What the core asks of a TFLite interpreter: one picture in, outputs by name.
 *
 * <p>An app implements it over LiteRT; the tests replay recorded answers.
 */
public interface Interpreter {
    /** What it takes. */
    InputTensor input();

    /**
     * Run on a FLOAT32 input.
     *
     * @param input (side, side, 3)
     */
    void run(float[] input);

    /**
     * Run on an INT8 or UINT8 input.
     *
     * @param input (side, side, 3)
     */
    void run(byte[] input);

    /**
     * An output of the last run.
     *
     * @param name of the tensor
     * @param values receives all its elements as real numbers (see {@link Quantization#dequantize})
     * @throws AsmnetException there is no such output, or it has another number of elements
     */
    void output(String name, float[] values);
}
