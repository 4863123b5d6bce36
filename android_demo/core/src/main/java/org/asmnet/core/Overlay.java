package org.asmnet.core;

import java.util.Arrays;
import java.util.List;

/**
 * What to draw over a picture: landmarks, pose axes, numbers; the look of
 * {@code edge_runtime/drawing.py}.
 *
 * <p>A list of strokes in the picture's pixels (centres at integers), filled by one thread's
 * {@link #set} and drawn as often as wanted with whatever {@link Pen} the platform has. Makes no
 * garbage while the same faces stay.
 */
public final class Overlay {
    /** Draws on some canvas; coordinates and sizes in picture pixels, colours 0xAARRGGBB. */
    public interface Pen {
        /** A line with round ends. */
        void line(float x0, float y0, float x1, float y1, float width, int argb);

        /** A filled circle. */
        void dot(float x, float y, float radius, int argb);

        /** A filled rectangle. */
        void plate(float left, float top, float right, float bottom, int argb);

        /**
         * Text in a monospaced font whose characters are at most 0.62 em wide.
         *
         * @param x left end
         * @param baseline y
         * @param size 1 em
         */
        void text(String text, float x, float baseline, float size, int argb);
    }

    private static final int LINE = 0xff60dc60;
    private static final int POINT = 0xffffffff;
    private static final int[] AXES = {0xffeb3c3c, 0xff46be46, 0xff3278eb}; // x, y, z
    private static final int PLATE = 0xaa000000;
    private static final int TEXT = 0xffffffff;
    private static final float ADVANCE = 0.62f;
    private static final String[] ANGLES = {"yaw   ", "pitch ", "roll  "};
    private static final String[][] TEXTS = new String[3][361];

    private final Scheme scheme;
    private final int[] edges;
    private int count;
    private float[] numbers = new float[0]; // five for each stroke
    private int[] colors = new int[0];
    private String[] texts = new String[0];
    private char[] kinds = new char[0];

    private boolean mirror;
    private int width;
    private final double[] box = new double[4];
    private final float[] pose = new float[3];
    private final double[] axes = new double[9];
    private int[] ids = new int[0];
    private String[] names = new String[0];

    /** @param scheme of the landmarks; tells which points to join */
    public Overlay(Scheme scheme) {
        this.scheme = scheme;
        edges = scheme.edges();
    }

    /**
     * Fill the list.
     *
     * @param faces what a tracker answered for the picture
     * @param width of the picture, pixels
     * @param height of the picture, pixels
     * @param mirror for the picture with left and right swapped
     */
    public void set(List<Face> faces, int width, int height, boolean mirror) {
        this.width = width;
        this.mirror = mirror;
        count = 0;
        for (int i = 0; i < faces.size(); i++) {
            Face face = faces.get(i);
            face.box(box);
            double side = Math.max(box[2] - box[0], box[3] - box[1]);
            points(face.landmarks, (float) side);
            for (int k = 0; k < 3; k++) {
                pose[k] = mirror && k != 1 ? -face.pose[k] : face.pose[k];
            }
            axes(face.landmarks, side);
            numbers(name(i, face.id), side, height);
        }
    }

    /** Draw the list, first to last. */
    public void draw(Pen pen) {
        for (int i = 0; i < count; i++) {
            int n = 5 * i;
            if (kinds[i] == 'l') {
                pen.line(numbers[n], numbers[n + 1], numbers[n + 2], numbers[n + 3],
                        numbers[n + 4], colors[i]);
            } else if (kinds[i] == 'd') {
                pen.dot(numbers[n], numbers[n + 1], numbers[n + 2], colors[i]);
            } else if (kinds[i] == 'p') {
                pen.plate(numbers[n], numbers[n + 1], numbers[n + 2], numbers[n + 3], colors[i]);
            } else {
                pen.text(texts[i], numbers[n], numbers[n + 1], numbers[n + 2], colors[i]);
            }
        }
    }

    private void points(float[] points, float side) {
        float stroke = Math.max(1, side / 220);
        for (int i = 0; i < edges.length; i += 2) {
            int a = 2 * edges[i];
            int b = 2 * edges[i + 1];
            add('l', x(points[a]), points[a + 1], x(points[b]), points[b + 1], stroke, LINE, null);
        }
        float radius = Math.max(1, side / 160);
        for (int i = 0; i < points.length; i += 2) {
            add('d', x(points[i]), points[i + 1], radius, 0, 0, POINT, null);
        }
    }

    /** The head's axes, from the nose: x to its left cheek, y up, z straight ahead. */
    private void axes(float[] points, double side) {
        float x = 0;
        float y = 0;
        int nose = scheme.noseTo - scheme.noseFrom;
        for (int i = scheme.noseFrom; i < scheme.noseTo; i++) {
            x += points[2 * i] / nose;
            y += points[2 * i + 1] / nose;
        }
        x = x(x);
        Pose.matrix(pose, axes);
        float stroke = Math.max(2, (float) side / 90);
        double length = 0.45 * side;
        // The farthest first, so that the nearest lies on top.
        int drawn = 0;
        for (int n = 0; n < 3; n++) {
            int axis = -1;
            for (int k = 0; k < 3; k++) {
                if ((drawn >> k & 1) == 0 && (axis < 0 || axes[6 + k] < axes[6 + axis])) {
                    axis = k;
                }
            }
            drawn |= 1 << axis;
            // The pose's y axis points up, the picture's down.
            add('l', x, y, x + (float) (axes[axis] * length), y - (float) (axes[3 + axis] * length),
                    stroke, AXES[axis], null);
        }
    }

    /** Number and angles beside the face, on the side where there is room. */
    private void numbers(String name, double side, int height) {
        float capital = Math.max(8, Math.min(width, height) / 54f);
        float size = capital / 0.7f;
        float line = 1.7f * capital;
        float wide = 10 * ADVANCE * size + line / 2;
        float high = 4 * line + line / 3;
        double gap = side / 12;
        double right = (mirror ? width - 1 - box[0] : box[2]) + gap;
        double left = (mirror ? width - 1 - box[2] : box[0]) - gap - wide;
        float x = inside(right + wide <= width ? right : left, width - wide);
        float y = clear(x, inside((box[1] + box[3] - high) / 2, height - high), wide, high,
                line / 3, height);
        add('p', x, y, x + wide, y + high, 0, PLATE, null);
        for (int n = 0; n < 4; n++) {
            add('t', x + line / 4, y + line * (n + 1) - line / 6, size, 0, 0, TEXT,
                    n == 0 ? name : angle(n - 1));
        }
    }

    /** The top of a plate that covers none of the plates before it: below or above them. */
    private float clear(float x, float y, float wide, float high, float gap, int height) {
        for (int i = 0; i < count; i++) {
            int n = 5 * i;
            if (kinds[i] == 'p' && x < numbers[n + 2] && numbers[n] < x + wide
                    && y < numbers[n + 3] && numbers[n + 1] < y + high) {
                float below = numbers[n + 3] + gap;
                y = below + high <= height ? below : inside(numbers[n + 1] - gap - high, height);
            }
        }
        return y;
    }

    private static float inside(double value, double most) {
        return (float) Math.max(0, Math.min(value, most));
    }

    private String angle(int n) {
        int degrees = (int) Math.rint(Math.max(-180, Math.min(pose[n], 180)));
        String text = TEXTS[n][180 + degrees];
        if (text == null) {
            String sign = degrees < 0 ? "-" : "+";
            text = ANGLES[n] + sign + Math.abs(degrees);
            TEXTS[n][180 + degrees] = text;
        }
        return text;
    }

    private String name(int place, int id) {
        if (names.length <= place) {
            ids = Arrays.copyOf(ids, place + 4);
            names = Arrays.copyOf(names, place + 4);
        }
        if (names[place] == null || ids[place] != id) {
            ids[place] = id;
            names[place] = id < 0 ? "face" : "face " + id;
        }
        return names[place];
    }

    private float x(float x) {
        return mirror ? width - 1 - x : x;
    }

    private void add(
            char kind, float a, float b, float c, float d, float e, int argb, String text) {
        if (count == kinds.length) {
            int room = 2 * count + 256;
            numbers = Arrays.copyOf(numbers, 5 * room);
            colors = Arrays.copyOf(colors, room);
            texts = Arrays.copyOf(texts, room);
            kinds = Arrays.copyOf(kinds, room);
        }
        numbers[5 * count] = a;
        numbers[5 * count + 1] = b;
        numbers[5 * count + 2] = c;
        numbers[5 * count + 3] = d;
        numbers[5 * count + 4] = e;
        colors[count] = argb;
        texts[count] = text;
        kinds[count] = kind;
        count++;
    }
}
