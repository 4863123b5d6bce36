package org.asmnet.core;

import java.util.ArrayList;
import java.util.List;

/**
 * A network that finds faces: BlazeFace, or YuNet for turned ones.
 *
 * <p>BlazeFace, MediaPipe's short-range model, finds faces larger than about a tenth of the searched
 * square. 128 x 128 RGB in [-1, 1], 896 anchors of unit size on a 16 x 16 grid (two each) and an
 * 8 x 8 grid (six each); for each a box, six keypoints and a logit. Bazarevsky et al.,
 * "BlazeFace" (2019).
 *
 * <p>YuNet finds those of half the size, and profiles, in several times the time. Its file was
 * brought into the same form: 320 x 320, grids of 40, 20 and 10, boxes alone. Wu, Peng and Yu,
 * "YuNet" (2023).
 */
public final class FaceDetector {
    /** BlazeFace's input side in pixels. */
    public static final int SIZE = 128;
    /** BlazeFace's number of anchors. */
    public static final int ANCHORS = 896;
    /** YuNet's input side in pixels. */
    public static final int TURNED_SIZE = 320;
    // Grids: cells across, and anchors in each.
    private static final int[][] GRIDS = {{16, 2}, {8, 6}};
    private static final int[][] TURNED_GRIDS = {{40, 1}, {20, 1}, {10, 1}};

    private static final float OVERLAP = 0.3f;

    private final Interpreter network;
    private final Resampler resampler = new Resampler();
    private final float[] table = Quantization.floatTable(127.5, 127.5);
    private final int size;
    /** Of each anchor: box and keypoints. */
    private final int numbers;
    private final int count;
    private final byte[] square;
    private final float[] input;
    private final float[] regressors;
    private final float[] logits;
    private final Crop whole = new Crop();

    private final float[] anchors;
    private final int[] left;
    private final float[] scores;
    private final float[] pairs;
    private final double[] mean;
    private final double[] box = new double[4];
    private final double[] best = new double[4];
    private final List<Detection> found = new ArrayList<>();

    /**
     * A detector.
     *
     * @param network runs a shipped file; null if only {@link #decode} of BlazeFace is wanted
     * @throws AsmnetException it is another network
     */
    public FaceDetector(Interpreter network) {
        boolean turned = network != null && network.input().side == TURNED_SIZE;
        size = turned ? TURNED_SIZE : SIZE;
        if (network != null && (network.input().side != size
                || network.input().type != Quantization.Type.FLOAT32)) {
            throw new AsmnetException("the detector takes another input than " + size + " x " + size
                    + " floats; it is another model");
        }
        this.network = network;
        numbers = turned ? 4 : 16;
        anchors = anchors(turned);
        count = anchors.length / 2;
        square = new byte[3 * size * size];
        input = new float[3 * size * size];
        regressors = new float[numbers * count];
        logits = new float[count];
        left = new int[count];
        scores = new float[count];
        pairs = new float[numbers];
        mean = new double[numbers];
    }

    /** (N, 2) anchor centres x, y in [0, 1], in the order of the network's outputs. */
    static float[] anchors(boolean turned) {
        int[][] grids = turned ? TURNED_GRIDS : GRIDS;
        int count = 0;
        for (int[] grid : grids) {
            count += grid[0] * grid[0] * grid[1];
        }
        float[] centres = new float[2 * count];
        int n = 0;
        for (int[] grid : grids) {
            int cells = grid[0];
            for (int cell = 0; cell < cells * cells; cell++) {
                for (int each = 0; each < grid[1]; each++) {
                    centres[n++] = (float) ((cell % cells + 0.5) / cells);
                    centres[n++] = (float) ((cell / cells + 0.5) / cells);
                }
            }
        }
        return centres;
    }

    /**
     * Look for faces.
     *
     * @param picture where
     * @param region the square to search; null for the whole picture. A smaller one finds
     *     smaller faces
     * @param threshold least score, between 0 and 1
     * @return their number; see {@link #get}
     * @throws AsmnetException the network answers NaN or the like
     */
    public int detect(Picture picture, Crop region, double threshold) {
        Crop searched = region != null ? region : whole.set((picture.width - 1) / 2.0,
                (picture.height - 1) / 2.0, Math.max(picture.width, picture.height), 0);
        resampler.extract(picture, searched, size, true, square);
        Quantization.apply(square, table, input);
        network.run(input);
        network.output("regressors", regressors);
        network.output("classificators", logits);
        return decode(regressors, logits, searched, threshold);
    }

    /** The i-th face, best first; valid until the next call of {@link #detect}. */
    public Detection get(int i) {
        return found.get(i);
    }

    /**
     * Faces in the network's answer, by weighted non-maximum suppression: overlapping boxes are
     * averaged, not dropped, which has less jitter than the single best (section 3.4 of the paper).
     *
     * @param regressors (896, 16), of YuNet (2100, 4)
     * @param logits (896), of YuNet (2100)
     * @param region the square that the network saw
     * @param threshold least score, between 0 and 1
     * @return their number; see {@link #get}
     * @throws AsmnetException NaN or the like is among the numbers
     */
    public int decode(float[] regressors, float[] logits, Crop region, double threshold) {
        Landmarker.requireNumbers("the face detector", logits, 0, count);
        int candidates = 0;
        // sigmoid(logit) >= threshold, without taking all exponentials.
        double least = Math.log(threshold / (1 - threshold));
        for (int i = 0; i < count; i++) {
            if (logits[i] >= least) {
                Landmarker.requireNumbers(
                        "the face detector", regressors, numbers * i, numbers * i + numbers);
                float logit = Math.min(Math.max(logits[i], -100), 100);
                scores[i] = 1 / (1 + (float) Math.exp(-logit));
                left[candidates++] = i;
            }
        }
        int faces = 0;
        while (candidates > 0) {
            int top = left[0];
            for (int i = 1; i < candidates; i++) {
                top = scores[left[i]] > scores[top] ? left[i] : top;
            }
            boxOf(regressors, top, best);
            java.util.Arrays.fill(mean, 0);
            double weight = 0;
            int kept = 0;
            for (int i = 0; i < candidates; i++) {
                int anchor = left[i];
                boxOf(regressors, anchor, box);
                // A degenerate box does not even overlap itself.
                if (anchor == top || (float) iou(best, box) > OVERLAP) {
                    for (int j = 0; j < numbers; j++) {
                        mean[j] += pairs[j] * scores[anchor];
                    }
                    weight += scores[anchor];
                } else {
                    left[kept++] = anchor;
                }
            }
            candidates = kept;
            if (found.size() == faces) {
                found.add(new Detection(numbers - 4));
            }
            inPicture(weight, scores[top], region, found.get(faces++));
        }
        return faces;
    }

    /** An anchor's answer into {@code pairs}, in parts of the square, and its box. */
    private void boxOf(float[] regressors, int anchor, double[] result) {
        for (int j = 0; j < numbers; j++) {
            float part = regressors[numbers * anchor + j] / size;
            boolean extent = j == 2 || j == 3;
            pairs[j] = extent ? part : part + anchors[2 * anchor + j % 2];
        }
        result[0] = pairs[0] - pairs[2] / 2;
        result[1] = pairs[1] - pairs[3] / 2;
        result[2] = pairs[0] + pairs[2] / 2;
        result[3] = pairs[1] + pairs[3] / 2;
    }

    private void inPicture(double weight, float score, Crop region, Detection result) {
        double c = Math.cos(region.angle * Crop.RADIANS) * region.side;
        double s = Math.sin(region.angle * Crop.RADIANS) * region.side;
        double centreX = 0;
        double centreY = 0;
        for (int point = 0; point < numbers / 2; point++) {
            double u = (float) (mean[2 * point] / weight) - 0.5f;
            double v = (float) (mean[2 * point + 1] / weight) - 0.5f;
            double x = u * c - v * s + region.cx;
            double y = u * s + v * c + region.cy;
            if (point == 0) {
                centreX = x;
                centreY = y;
            } else if (point > 1) {
                result.keypoints[2 * point - 4] = x;
                result.keypoints[2 * point - 3] = y;
            }
        }
        double halfWidth = Math.abs((float) (mean[2] / weight)) * (float) region.side / 2;
        double halfHeight = Math.abs((float) (mean[3] / weight)) * (float) region.side / 2;
        result.box[0] = centreX - halfWidth;
        result.box[1] = centreY - halfHeight;
        result.box[2] = centreX + halfWidth;
        result.box[3] = centreY + halfHeight;
        result.score = score;
    }

    /** Intersection over union of two boxes (4), left top right bottom. */
    static double iou(double[] box, double[] other) {
        double width = Math.min(box[2], other[2]) - Math.max(box[0], other[0]);
        double height = Math.min(box[3], other[3]) - Math.max(box[1], other[1]);
        double both = Math.max(width, 0) * Math.max(height, 0);
        double area = (box[2] - box[0]) * (box[3] - box[1])
                + (other[2] - other[0]) * (other[3] - other[1]);
        return both / Math.max(area - both, 1e-12);
    }
}
