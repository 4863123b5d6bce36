package org.asmnet.core;

/** A set of landmarks in a fixed order: iBUG's 68 points (300-W) or WFLW's 98. */
public final class Scheme {
    /** 300-W. */
    public static final Scheme IBUG68 = new Scheme("ibug68", 68, 36, 45, 27, 36, new int[][] {
        {0, 16, 0}, {17, 21, 0}, {22, 26, 0}, {27, 30, 0}, {31, 35, 0},
        {36, 41, 1}, {42, 47, 1}, {48, 59, 1}, {60, 67, 1}},
            new int[][] {{0, 67, 1}});
    /** WFLW. */
    public static final Scheme WFLW98 = new Scheme("wflw98", 98, 60, 72, 51, 60, new int[][] {
        {0, 32, 0}, {33, 41, 1}, {42, 50, 1}, {51, 54, 0}, {55, 59, 0},
        {60, 67, 1}, {68, 75, 1}, {76, 87, 1}, {88, 95, 1}},
            new int[][] {{0, 32, 2}, {33, 37, 1}, {42, 46, 1}, {51, 59, 1}, {60, 61, 1}, {63, 65, 1},
                {67, 69, 1}, {71, 73, 1}, {75, 95, 1}});

    /** As written into model contracts. */
    public final String name;
    /** Number of points N. */
    public final int count;
    /** Index of the subject's right outer eye corner (on the left of the picture). */
    public final int rightEye;
    /** Index of the subject's left outer eye corner. */
    public final int leftEye;

    /** The nose's points: from this index, */
    public final int noseFrom;
    /** to before this one. */
    public final int noseTo;

    /** (68) where iBUG's points are among these: see {@code core/landmarks.py}. */
    final int[] ibug68 = new int[68];

    private final int[] edges;

    private Scheme(String name, int count, int rightEye, int leftEye, int noseFrom, int noseTo,
            int[][] lines, int[][] spans) {
        this.name = name;
        this.count = count;
        this.rightEye = rightEye;
        this.leftEye = leftEye;
        this.noseFrom = noseFrom;
        this.noseTo = noseTo;
        int total = 0;
        for (int[] line : lines) {
            total += 2 * (line[1] - line[0] + line[2]);
        }
        edges = new int[total];
        int n = 0;
        for (int[] line : lines) {
            for (int i = line[0]; i < line[1]; i++) {
                edges[n++] = i;
                edges[n++] = i + 1;
            }
            if (line[2] == 1) {
                edges[n++] = line[1];
                edges[n++] = line[0];
            }
        }
        int point = 0;
        for (int[] span : spans) {
            for (int i = span[0]; i <= span[1]; i += span[2]) {
                ibug68[point++] = i;
            }
        }
    }

    /** Pairs of indices to join when drawing: a copy, from0, to0, from1, ... */
    public int[] edges() {
        return edges.clone();
    }

    /**
     * The scheme of that name.
     *
     * @throws AsmnetException there is none
     */
    public static Scheme of(String name) {
        for (Scheme scheme : new Scheme[] {IBUG68, WFLW98}) {
            if (scheme.name.equals(name)) {
                return scheme;
            }
        }
        throw new AsmnetException("scheme '" + name + "' is none of ibug68, wflw98");
    }
}
