package org.asmnet.core;

/**
 * Head pose: degrees yaw, pitch, roll in the 300W-LP / AFLW2000 convention.
 *
 * <p>yaw &gt; 0: the nose points to the image's left; pitch &gt; 0: the face looks up;
 * roll &gt; 0: the head tilts clockwise in the image. R = Rx(pitch) Ry(yaw) Rz(roll).
 */
public final class Pose {
    private Pose() {}

    /**
     * The head's axes (x to its left cheek, y up, z straight ahead) as seen from in front.
     *
     * @param pose (3) degrees
     * @param result (3, 3) receives R row by row: column k is the k-th axis in the viewer's x to
     *     the right, y up, z towards the viewer
     */
    public static void matrix(float[] pose, double[] result) {
        double cy = Math.cos(pose[0] * Crop.RADIANS);
        double sy = Math.sin(pose[0] * Crop.RADIANS);
        double cp = Math.cos(pose[1] * Crop.RADIANS);
        double sp = Math.sin(pose[1] * Crop.RADIANS);
        double cr = Math.cos(pose[2] * Crop.RADIANS);
        double sr = Math.sin(pose[2] * Crop.RADIANS);
        result[0] = cy * cr;
        result[1] = cy * sr;
        result[2] = -sy;
        result[3] = sp * sy * cr - cp * sr;
        result[4] = sp * sy * sr + cp * cr;
        result[5] = sp * cy;
        result[6] = cp * sy * cr + sp * sr;
        result[7] = cp * sy * sr - sp * cr;
        result[8] = cp * cy;
    }

    /**
     * The pose of a face after its picture is turned clockwise by an angle.
     *
     * <p>Roll is the innermost rotation, so this is more than an addition to it.
     *
     * @param pose (3) degrees
     * @param angle degrees, clockwise as seen in the picture
     * @param matrix (3, 3) receives R of the pose before
     * @param result (3) receives the degrees; may be {@code pose}
     */
    public static void rotate(float[] pose, double angle, double[] matrix, float[] result) {
        matrix(pose, matrix);
        double c = Math.cos(angle * Crop.RADIANS);
        double s = Math.sin(angle * Crop.RADIANS);
        // Rows of Rz(angle) R as far as the Euler angles need them.
        double r00 = c * matrix[0] + s * matrix[3];
        double r01 = c * matrix[1] + s * matrix[4];
        double r02 = c * matrix[2] + s * matrix[5];
        double r12 = c * matrix[5] - s * matrix[2];
        double r22 = matrix[8];
        result[0] = (float) (Math.asin(Math.min(Math.max(-r02, -1), 1)) * Crop.DEGREES);
        result[1] = (float) (Math.atan2(r12, r22) * Crop.DEGREES);
        result[2] = (float) (Math.atan2(r01, r00) * Crop.DEGREES);
    }
}
