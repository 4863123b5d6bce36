package org.asmnet.core;

/**
 * Where a head is, in millimetres, from its landmarks and its pose.
 *
 * <p>A head of average size is laid over the landmarks, turned by the known pose: what remains is
 * its place, a linear least-squares problem. The same points and constants as
 * {@code core/head.py}, where the sources are named.
 */
public final class HeadPosition {
    /** Degrees along the picture's longer side: what most phones and webcams have. */
    public static final double FIELD_OF_VIEW = 65.0;

    // Contour, brows, nose, corners of the eyes, of iBUG's points.
    static final int[] SOLID = {
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
        25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 39, 42, 45};
    // mm: x to the picture's right, y up, z to the viewer, for the frontal head.
    static final double[] SOLID_POINTS = {
        -73.1, 21.9, -19.6, -72.4, 3.4, -14.7, -70.4, -15.0, -10.6, -66.7, -33.4, -6.1,
        -59.5, -50.4, 1.8, -48.1, -64.8, 13.1, -33.8, -76.4, 26.0, -18.0, -85.7, 39.2,
        0.0, -88.5, 43.9, 18.0, -85.7, 39.2, 33.8, -76.4, 26.0, 48.1, -64.8, 13.1,
        59.5, -50.4, 1.8, 66.7, -33.4, -6.1, 70.4, -15.0, -10.6, 72.4, 3.4, -14.7,
        73.1, 21.9, -19.6, -59.2, 39.0, 23.4, -50.5, 47.7, 32.6, -38.4, 51.1, 41.5,
        -25.7, 50.2, 48.8, -13.4, 46.7, 54.6, 13.4, 46.7, 54.6, 25.7, 50.2, 48.8,
        38.4, 51.1, 41.5, 50.5, 47.7, 32.6, 59.2, 39.0, 23.4, 0.0, 31.1, 56.0,
        0.0, 19.4, 63.8, 0.0, 7.9, 72.5, 0.0, -3.9, 80.9, -13.8, -14.1, 60.1,
        -7.3, -16.2, 63.7, 0.0, -18.2, 65.9, 7.3, -16.2, 63.7, 13.8, -14.1, 60.1,
        -44.5, 27.0, 32.0, -19.2, 25.8, 37.9, 19.2, 25.8, 37.9, 44.5, 27.0, 32.0};

    private final int[] solid = new int[SOLID.length];
    private final double fov;
    private final double[] matrix = new double[9];

    /**
     * For one camera.
     *
     * @param scheme of the landmarks
     * @param fov degrees along the picture's longer side, 1 to 170
     * @throws AsmnetException it is none
     */
    public HeadPosition(Scheme scheme, double fov) {
        if (!(fov >= 1 && fov <= 170)) {
            throw new AsmnetException("a field of view is 1 to 170 degrees, not " + fov);
        }
        this.fov = fov;
        for (int i = 0; i < solid.length; i++) {
            solid[i] = scheme.ibug68[SOLID[i]];
        }
    }

    /**
     * The camera's focal length in pixels.
     *
     * @param width of the picture, pixels
     * @param height of the picture, pixels
     */
    public double focalLength(int width, int height) {
        return Math.max(width, height) / 2.0 / Math.tan(fov * Crop.RADIANS / 2);
    }

    /**
     * The head's place in the camera's frame.
     *
     * @param landmarks (N, 2) pixels
     * @param pose (3) yaw, pitch, roll in degrees
     * @param width of the picture, pixels
     * @param height of the picture, pixels
     * @param result (3) receives mm from the camera: x to the picture's right, y down, z ahead
     */
    public void locate(float[] landmarks, float[] pose, int width, int height, double[] result) {
        double focal = focalLength(width, height);
        double left = (width - 1) / 2.0;
        double top = (height - 1) / 2.0;
        double meanU = 0;
        double meanV = 0;
        for (int point : solid) {
            meanU += (landmarks[2 * point] - left) / focal / solid.length;
            meanV += (landmarks[2 * point + 1] - top) / focal / solid.length;
        }
        Pose.matrix(pose, matrix);
        // u (z + Z) = x + X, and v (z + Z) = y + Y: linear in X, Y, Z.
        double right = 0;
        double down = 0;
        double along = 0;
        double spread = 0;
        for (int i = 0; i < solid.length; i++) {
            double u = (landmarks[2 * solid[i]] - left) / focal;
            double v = (landmarks[2 * solid[i] + 1] - top) / focal;
            double z = -turned(2, i);
            double byX = u * z - turned(0, i);
            double byY = v * z + turned(1, i); // y down
            right += byX / solid.length;
            down += byY / solid.length;
            along += (u - meanU) * byX + (v - meanV) * byY;
            spread += (u - meanU) * (u - meanU) + (v - meanV) * (v - meanV);
        }
        double ahead = -along / Math.max(spread, 1e-12);
        result[0] = right + meanU * ahead;
        result[1] = down + meanV * ahead;
        result[2] = ahead;
    }

    /** A coordinate of the i-th solid point of the turned head: x, y up or z to the viewer. */
    private double turned(int axis, int i) {
        return matrix[3 * axis] * SOLID_POINTS[3 * i]
                + matrix[3 * axis + 1] * SOLID_POINTS[3 * i + 1]
                + matrix[3 * axis + 2] * SOLID_POINTS[3 * i + 2];
    }
}
