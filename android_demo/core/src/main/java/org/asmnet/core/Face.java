package org.asmnet.core;

import java.util.ArrayList;
import java.util.List;

/** A face in a picture. */
public final class Face {
    /** (N, 2) picture pixels: x0, y0, x1, ... */
    public final float[] landmarks;
    /** Degrees yaw, pitch, roll, as seen in the picture. */
    public final float[] pose = new float[3];
    /** The square that the network saw. */
    public final Crop crop = new Crop();
    /** The detector's latest confidence, 0..1; NaN if it was not asked. */
    public double score = Double.NaN;
    /** The same number for the same face, from frame to frame; -1 outside tracking. */
    public int id = -1;
    /**
     * The head's place, mm from the camera: x to the picture's right, y down, z ahead. This and the
     * following are told by a {@link FaceTracker} alone; without one the numbers are NaN.
     */
    public final float[] position = {Float.NaN, Float.NaN, Float.NaN};
    /** Openness of the subject's right and left eye, 0..1, relative to the person. */
    public final double[] eyes = {Double.NaN, Double.NaN};
    /** Openness of the mouth, 0..1. */
    public double mouth = Double.NaN;
    /** Blinks and yawns that ended with this frame. */
    public final List<Event> events = new ArrayList<>(2);

    /** @param count number of landmarks N */
    public Face(int count) {
        landmarks = new float[2 * count];
    }

    /** Become equal to another of as many landmarks. */
    public void set(Face other) {
        System.arraycopy(other.landmarks, 0, landmarks, 0, landmarks.length);
        System.arraycopy(other.pose, 0, pose, 0, 3);
        crop.set(other.crop);
        score = other.score;
        id = other.id;
        System.arraycopy(other.position, 0, position, 0, 3);
        System.arraycopy(other.eyes, 0, eyes, 0, 2);
        mouth = other.mouth;
        events.clear();
        for (int i = 0; i < other.events.size(); i++) { // addAll makes garbage
            events.add(other.events.get(i));
        }
    }

    /**
     * The landmarks' tight box.
     *
     * @param result (4) receives left, top, right, bottom
     * @return result
     */
    public double[] box(double[] result) {
        result[0] = result[1] = Double.POSITIVE_INFINITY;
        result[2] = result[3] = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < landmarks.length; i++) {
            result[i % 2] = Math.min(result[i % 2], landmarks[i]);
            result[2 + i % 2] = Math.max(result[2 + i % 2], landmarks[i]);
        }
        return result;
    }
}
