package org.asmnet.core;

/** A face found by a {@link FaceDetector}, to which it belongs: valid until the next search. */
public final class Detection {
    // From the detector's box to the tight box of the 68 landmarks, in box sides: how far
    // down, and how large (see edge_runtime/detector.py).
    private static final double DOWN = 0.057;
    private static final double SCALE = 0.968;

    /** (4) left, top, right, bottom in picture pixels: brows to chin, roughly; square. */
    public final double[] box = new double[4];
    /** 0..1. */
    public double score;
    /**
     * (6, 2) picture pixels: the subject's right eye, left eye, nose tip, mouth, right ear, left
     * ear. Empty of YuNet.
     */
    public final double[] keypoints;

    Detection(int numbers) {
        keypoints = new double[numbers];
    }

    /**
     * About the crop that {@link Crop#around} would give.
     *
     * @param margin of the model's contract
     * @param result becomes the crop
     * @return result
     */
    public Crop toCrop(double margin, Crop result) {
        double side = ((box[2] - box[0]) + (box[3] - box[1])) / 2;
        return result.set((box[0] + box[2]) / 2, (box[1] + box[3]) / 2 + DOWN * side,
                margin * SCALE * side, 0);
    }
}
