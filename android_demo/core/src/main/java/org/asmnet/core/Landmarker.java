package org.asmnet.core;

import org.asmnet.core.Quantization.Type;

/** ASMNet with its contract: a crop of a picture in, landmarks and head pose out. */
public final class Landmarker {
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
        Input input = network.input();
        if (input.side != spec.size) {
            throw new AsmnetException("the network takes " + input.side
                    + " pixels, its contract says " + spec.size + "; export it again");
        }
        this.network = network;
        this.spec = spec;
        pixels = new byte[3 * spec.size * spec.size];
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
     */
    public void locate(Picture picture, Crop crop, Face face) {
        look(picture, crop);
        answer(crop, face);
    }

    /** Cut the crop out: the first half of {@link #locate}. */
    void look(Picture picture, Crop crop) {
        resampler.extract(picture, crop, spec.size, false, pixels);
    }

    /** Run the network on what was cut out: the second half. */
    void answer(Crop crop, Face face) {
        if (levels == null) {
            Quantization.apply(pixels, valueTable, values);
            network.run(values);
        } else {
            Quantization.apply(pixels, levelTable, levels);
            network.run(levels);
        }
        network.output(spec.landmarks, face.landmarks);
        network.output(spec.pose, face.pose);
        face.crop.set(crop);
        crop.toPicture(face.landmarks, face.landmarks);
        if (crop.angle != 0) {
            Pose.rotate(face.pose, crop.angle, matrix, face.pose);
        }
    }

    /** What the network saw last: (size, size, 3) RGB; valid until the next call. */
    byte[] pixels() {
        return pixels;
    }
}
