package org.asmnet.core;

/**
 * A square of a picture: the same geometry as in {@code core/crop.py}.
 *
 * <p>Pixel coordinates are 0-based, x right, y down, pixel centres at integers. Network outputs
 * are in crop units u: origin at the crop's centre, 1.0 = the crop's side:
 *
 * <pre>
 *     crop pixel    = u * size + (size - 1) / 2
 *     picture pixel = centre + side * rotate(u, angle)
 * </pre>
 *
 * <p>Mutable, so that a tracker needs no new one for every frame.
 */
public final class Crop {
    // numpy's factors, for the same last bit; Math.toRadians differs between platforms.
    static final double RADIANS = Math.PI / 180;
    static final double DEGREES = 180 / Math.PI;
    // Pixels; a network's answer may lie in one place.
    private static final double LEAST_SIDE = 8;

    /** Centre, picture pixels. */
    public double cx;
    /** Centre, picture pixels. */
    public double cy;
    /** Side length, picture pixels. */
    public double side;
    /** Degrees that the square is turned clockwise in the picture. */
    public double angle;

    /** To be set. */
    public Crop() {}

    /** See the fields. */
    public Crop(double cx, double cy, double side, double angle) {
        set(cx, cy, side, angle);
    }

    /** Set all fields; returns this. */
    public Crop set(double cx, double cy, double side, double angle) {
        this.cx = cx;
        this.cy = cy;
        this.side = side;
        this.angle = angle;
        return this;
    }

    /** Become equal to another; returns this. */
    public Crop set(Crop other) {
        return set(other.cx, other.cy, other.side, other.angle);
    }

    /**
     * Become the crop around landmarks: margin x the longer side of their tight box, which is
     * taken in the turned frame.
     *
     * @param points (N, 2) picture pixels: x0, y0, x1, ...
     * @param margin of the model's contract
     * @param angle degrees
     * @return this
     */
    public Crop around(float[] points, double margin, double angle) {
        double c = Math.cos(angle * RADIANS);
        double s = Math.sin(angle * RADIANS);
        double left = Double.POSITIVE_INFINITY;
        double top = left;
        double right = -left;
        double bottom = -left;
        for (int i = 0; i < points.length; i += 2) {
            double x = points[i] * c + points[i + 1] * s;
            double y = points[i + 1] * c - points[i] * s;
            left = Math.min(left, x);
            right = Math.max(right, x);
            top = Math.min(top, y);
            bottom = Math.max(bottom, y);
        }
        double x = (left + right) / 2;
        double y = (top + bottom) / 2;
        return set(c * x - s * y, s * x + c * y, margin * Math.max(right - left, bottom - top),
                angle);
    }

    /**
     * Become the crop to see a face in once more, around the landmarks that were found in it.
     *
     * @param points (N, 2) picture pixels: x0, y0, x1, ...
     * @param margin of the model's contract
     * @return this
     */
    public Crop next(float[] points, double margin) {
        around(points, margin, 0);
        side = Math.max(side, LEAST_SIDE);
        return this;
    }

    /**
     * The affine from picture pixels to pixels of the size x size crop.
     *
     * @param result (2, 3), row by row
     */
    public void matrix(int size, double[] result) {
        double scale = size / side;
        double c = Math.cos(angle * RADIANS) * scale;
        double s = Math.sin(angle * RADIANS) * scale;
        double middle = (size - 1) / 2.0;
        result[0] = c;
        result[1] = s;
        result[2] = middle - (c * cx + s * cy);
        result[3] = -s;
        result[4] = c;
        result[5] = middle - (c * cy - s * cx);
    }

    /**
     * Crop units to picture pixels.
     *
     * @param units (N, 2): x0, y0, x1, ...
     * @param points (N, 2), receives the result; may be {@code units}
     */
    public void toPicture(float[] units, float[] points) {
        double c = Math.cos(angle * RADIANS);
        double s = Math.sin(angle * RADIANS);
        for (int i = 0; i < units.length; i += 2) {
            double x = units[i];
            double y = units[i + 1];
            points[i] = (float) ((x * c - y * s) * side + cx);
            points[i + 1] = (float) ((x * s + y * c) * side + cy);
        }
    }

    @Override
    public String toString() {
        return "Crop(cx=" + cx + ", cy=" + cy + ", side=" + side + ", angle=" + angle + ")";
    }
}
