package org.asmnet.core;

/** What pixels become at the network's input, and what its integer outputs mean. */
public final class Quantization {
    /** Element types of tensors. */
    public enum Type {
        /** 32 bit. */
        FLOAT32,
        /** -128 .. 127. */
        INT8,
        /** 0 .. 255. */
        UINT8
    }

    private Quantization() {}

    /**
     * What each pixel value becomes at a float input.
     *
     * @return (256)
     */
    public static float[] floatTable(double mean, double std) {
        float[] table = new float[256];
        for (int pixel = 0; pixel < 256; pixel++) {
            table[pixel] = (float) ((pixel - mean) / std);
        }
        return table;
    }

    /**
     * What each pixel value becomes at an integer input: {@code input_table} in Python.
     *
     * <p>With 255 steps over [-1, 1] every value lies halfway between two integers. Rounding each
     * its own way would merge grey levels, so all go the same way: the one that clips less.
     *
     * @param mean of the contract
     * @param std of the contract
     * @param type INT8 or UINT8
     * @param scale of the tensor
     * @param zeroPoint of the tensor
     * @return (256) the tensor's bytes
     */
    public static byte[] inputTable(
            double mean, double std, Type type, float scale, int zeroPoint) {
        int least = type == Type.INT8 ? -128 : 0;
        double[] up = new double[256];
        double[] down = new double[256];
        int clippedUp = 0;
        int clippedDown = 0;
        for (int pixel = 0; pixel < 256; pixel++) {
            double exact = (pixel - mean) / std / scale + zeroPoint;
            up[pixel] = Math.floor(exact + 0.5 + 1e-3);
            down[pixel] = Math.ceil(exact - 0.5 - 1e-3);
            clippedUp += up[pixel] < least || up[pixel] > least + 255 ? 1 : 0;
            clippedDown += down[pixel] < least || down[pixel] > least + 255 ? 1 : 0;
        }
        double[] table = clippedUp <= clippedDown ? up : down;
        byte[] levels = new byte[256];
        for (int pixel = 0; pixel < 256; pixel++) {
            levels[pixel] = (byte) (int) Math.min(Math.max(table[pixel], least), least + 255);
        }
        return levels;
    }

    /**
     * Look pixels up.
     *
     * @param pixels (size, size, 3)
     * @param table see {@link #inputTable}
     * @param input the same shape, receives the tensor
     */
    public static void apply(byte[] pixels, byte[] table, byte[] input) {
        for (int i = 0; i < input.length; i++) {
            input[i] = table[pixels[i] & 255];
        }
    }

    /** The same for a float input. */
    public static void apply(byte[] pixels, float[] table, float[] input) {
        for (int i = 0; i < input.length; i++) {
            input[i] = table[pixels[i] & 255];
        }
    }

    /**
     * An integer output tensor's real values.
     *
     * @param levels the tensor's bytes
     * @param type INT8 or UINT8
     * @param scale of the tensor
     * @param zeroPoint of the tensor
     * @param real the same number of elements, receives the values
     */
    public static void dequantize(
            byte[] levels, Type type, float scale, int zeroPoint, float[] real) {
        for (int i = 0; i < levels.length; i++) {
            float level = type == Type.INT8 ? levels[i] : levels[i] & 255;
            real[i] = (level - zeroPoint) * scale;
        }
    }
}
