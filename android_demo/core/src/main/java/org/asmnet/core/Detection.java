package org.asmnet.core;

/** A face found by the detector. Belongs to its {@link FaceDetector}: valid until the next look. */
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
     * ear.
     */
    public final double[] keypoints = new double[12];

    Detection() {}

    /** Degrees that the eyes' line is turned clockwise in the picture. */
    public double roll() {
        return Math.atan2(keypoints[3] - keypoints[1], keypoints[2] - keypoints[0]) * Crop.DEGREES;
    }

    /**
     * About the crop that {@link Crop#around} would give.
     *
     * @param margin of the model's contract
     * @param alignRoll turn the crop so that the eyes are level
     * @param result becomes the crop
     * @return result
     */
    public Crop toCrop(double margin, boolean alignRoll, Crop result) {
        double side = ((box[2] - box[0]) + (box[3] - box[1])) / 2;
        return result.set((box[0] + box[2]) / 2, (box[1] + box[3]) / 2 + DOWN * side,
                margin * SCALE * side, alignRoll ? roll() : 0);
    }
}
