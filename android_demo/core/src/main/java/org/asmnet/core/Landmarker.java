package org.asmnet.core;

import org.asmnet.core.Quantization.Type;

/** ASMNet with its contract: a crop of a picture in, landmarks and head pose out. */
public final class Landmarker {
    // Networks answer within a few squares and degrees; with more the arithmetic would overflow.
    private static final float ABSURD = 1e6f;

    /** The contract stored in the model file. */
    public final ModelSpec spec;

    private final Interpreter network;
    private final Resampler resampler = new Resampler();
    private final byte[] pixels;
    private final double[] matrix = new double[9];
    private byte[] levelTable;
    private byte[] levels;
    private float[] valueTable;
    private float[] values;

    /**
     * A network with its contract.
     *
     * @param network runs the file that carries the contract
     * @param spec see {@link ModelSpec#read(byte[], String)}
     * @throws AsmnetException they do not belong together
     */
    public Landmarker(Interpreter network, ModelSpec spec) {
        InputTensor input = network.input();
        if (input.side != spec.inputSize) {
            throw new AsmnetException("the network takes " + input.side
                    + " pixels, its contract says " + spec.inputSize + "; export it again");
        }
        this.network = network;
        this.spec = spec;
        pixels = new byte[3 * spec.inputSize * spec.inputSize];
        if (input.type == Type.FLOAT32) {
            valueTable = Quantization.floatTable(spec.mean, spec.std);
            values = new float[pixels.length];
        } else {
            levelTable = Quantization.inputTable(spec.mean, spec.std, input.type,
                    input.scale, input.zeroPoint);
            levels = new byte[pixels.length];
        }
    }

    /**
     * Landmarks and pose of the face in a crop.
     *
     * @param picture where
     * @param crop a square around the face, {@code spec.margin} times its landmarks' box
     * @param face receives landmarks, pose and crop
     * @throws AsmnetException the network answers NaN or the like
     */
    public void locate(Picture picture, Crop crop, Face face) {
        crop(picture, crop);
        infer(crop, face);
    }

    /**
     * Landmarks and pose of a face that was detected. It is seen twice, the second time around its
     * landmarks: detectors' boxes stray.
     *
     * @param picture where
     * @param seen the face
     * @return it, with the detector's score
     * @throws AsmnetException the network answers NaN or the like
     */
    public Face locate(Picture picture, Detection seen) {
        Face face = new Face(spec.landmarkScheme.count);
        locate(picture, seen.toCrop(spec.margin, new Crop()), face);
        locate(picture, new Crop().next(face.landmarks, spec.margin), face);
        face.score = seen.score;
        return face;
    }

    /** Cut the crop out: the first half of {@link #locate}. */
    void crop(Picture picture, Crop crop) {
        resampler.extract(picture, crop, spec.inputSize, false, pixels);
    }

    /** Run the network on what was cut out: the second half. */
    void infer(Crop crop, Face face) {
        if (levels == null) {
            Quantization.apply(pixels, valueTable, values);
            network.run(values);
        } else {
            Quantization.apply(pixels, levelTable, levels);
            network.run(levels);
        }
        network.output(spec.landmarksTensor, face.landmarks);
        network.output(spec.poseTensor, face.pose);
        requireNumbers(spec.name, face.landmarks, 0, face.landmarks.length);
        requireNumbers(spec.name, face.pose, 0, 3);
        face.crop.set(crop);
        crop.toPicture(face.landmarks, face.landmarks);
        if (crop.angle != 0) {
            Pose.rotate(face.pose, crop.angle, matrix, face.pose);
        }
    }

    /**
     * Check that a network answered something to calculate with.
     *
     * @param name of the network, for the message
     * @param values its answer, of which those in [from, to) are checked
     * @throws AsmnetException NaN, infinity or an absurdly large number is among the values
     */
    static void requireNumbers(String name, float[] values, int from, int to) {
        for (int i = from; i < to; i++) {
            if (!(Math.abs(values[i]) < ABSURD)) {
                throw new AsmnetException(name + " answers " + values[i] + ", which no sound "
                        + "network does; its file is damaged: get or export it again");
            }
        }
    }

    /** What the network saw last: (size, size, 3) RGB; valid until the next call. */
    byte[] pixels() {
        return pixels;
    }
}
