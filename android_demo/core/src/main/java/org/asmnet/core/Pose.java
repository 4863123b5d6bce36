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
     * @param result (3) receives the degrees; may be {@code pose}
     */
    public static void rotate(float[] pose, double angle, float[] result) {
        double cy = Math.cos(pose[0] * Crop.RADIANS);
        double sy = Math.sin(pose[0] * Crop.RADIANS);
        double cp = Math.cos(pose[1] * Crop.RADIANS);
        double sp = Math.sin(pose[1] * Crop.RADIANS);
        double cr = Math.cos(pose[2] * Crop.RADIANS);
        double sr = Math.sin(pose[2] * Crop.RADIANS);
        double c = Math.cos(angle * Crop.RADIANS);
        double s = Math.sin(angle * Crop.RADIANS);
        // Rows of Rz(angle) R as far as the Euler angles need them.
        double r10 = sp * sy * cr - cp * sr;
        double r11 = sp * sy * sr + cp * cr;
        double r12 = sp * cy;
        double r00 = c * (cy * cr) + s * r10;
        double r01 = c * (cy * sr) + s * r11;
        double r02 = c * -sy + s * r12;
        double t12 = c * r12 + s * sy;
        double t22 = cp * cy;
        result[0] = (float) (Math.asin(Math.min(Math.max(-r02, -1), 1)) * Crop.DEGREES);
        result[1] = (float) (Math.atan2(t12, t22) * Crop.DEGREES);
        result[2] = (float) (Math.atan2(r01, r00) * Crop.DEGREES);
    }
}
