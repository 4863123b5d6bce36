package org.asmnet.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where everything is drawn, on a picture of 640 x 480. */
class OverlayTest {
    private static final float NEAR = 1e-3f;

    /** A face whose landmarks fill a square. */
    private static Face face(float left, float top, float side) {
        Face face = new Face(68);
        for (int i = 0; i < 68; i++) {
            face.landmarks[2 * i] = left + side * (i % 9) / 8;
            face.landmarks[2 * i + 1] = top + side * (i / 9) / 7;
        }
        return face;
    }

    private static Strokes drawn(boolean mirror, Face... faces) {
        Overlay overlay = new Overlay(Scheme.IBUG68);
        overlay.set(List.of(faces), 640, 480, mirror);
        Strokes strokes = new Strokes();
        overlay.draw(strokes);
        return strokes;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void linesJoinTheSchemesPoints(boolean mirror) {
        Face face = face(100, 200, 90);
        Strokes strokes = drawn(mirror, face);
        int[] edges = Scheme.IBUG68.edges();
        for (int i = 0; i < edges.length; i++) {
            float x = face.landmarks[2 * edges[i]];
            float y = face.landmarks[2 * edges[i] + 1];
            float[] line = strokes.lines.get(i / 2);
            assertEquals(mirror ? 639 - x : x, line[2 * (i % 2)], NEAR);
            assertEquals(y, line[2 * (i % 2) + 1], NEAR);
        }
    }

    @Test
    void strokesGrowWithTheFaceAndNeverVanish() {
        for (float side : new float[] {50, 440}) {
            Strokes strokes = drawn(false, face(20, 20, side));
            assertEquals(Math.max(1, side / 220), strokes.lines.get(0)[4], NEAR);
            assertEquals(Math.max(1, side / 160), strokes.dots.get(0)[2], NEAR);
            assertEquals(Math.max(2, side / 90), strokes.lines.get(strokes.lines.size() - 1)[4],
                    NEAR);
        }
    }

    @ParameterizedTest
    @CsvSource({"40, 25, -10", "-40, 25, -10", "40, -25, -10", "70, 10, 80", "-70, 10, -80",
        "10, -70, 100"})
    void axesBeginAtTheNoseAndTheNearestIsDrawnLast(float yaw, float pitch, float roll) {
        Face face = face(100, 200, 90);
        face.pose[0] = yaw;
        face.pose[1] = pitch;
        face.pose[2] = roll;
        float x = 0;
        float y = 0;
        int count = Scheme.IBUG68.noseTo - Scheme.IBUG68.noseFrom;
        for (int i = Scheme.IBUG68.noseFrom; i < Scheme.IBUG68.noseTo; i++) {
            x += face.landmarks[2 * i] / count;
            y += face.landmarks[2 * i + 1] / count;
        }
        double[] axes = new double[9];
        Pose.matrix(face.pose, axes);
        List<float[]> lines = drawn(false, face).lines;
        double nearness = Double.NEGATIVE_INFINITY;
        for (float[] line : lines.subList(lines.size() - 3, lines.size())) {
            int axis = line[5] == 0 ? 0 : line[5] == 1 ? 1 : 2;
            assertArrayEquals(new float[] {x, y, x + (float) (axes[axis] * 40.5),
                y - (float) (axes[3 + axis] * 40.5)}, new float[] {line[0], line[1], line[2],
                    line[3]}, NEAR);
            assertTrue(axes[6 + axis] > nearness);
            nearness = axes[6 + axis];
        }
    }

    @Test
    void numbersStandBesideTheFaceWhereThereIsRoom() {
        float gap = 96f / 12;
        float[] right = drawn(false, face(100, 200, 96)).plates.get(0);
        assertEquals(196 + gap, right[0], NEAR);
        assertEquals(248, (right[1] + right[3]) / 2, NEAR);
        assertEquals(500 - gap, drawn(false, face(500, 200, 96)).plates.get(0)[2], NEAR);
        assertEquals(139 + gap, drawn(true, face(500, 200, 96)).plates.get(0)[0], NEAR);
        float[] left = drawn(true, face(20, 200, 96)).plates.get(0);
        assertEquals(639 - 116 - gap, left[2], NEAR);
    }

    @ParameterizedTest
    @CsvSource({"700, 200", "-200, 200", "300, -200", "300, 600"})
    void numbersOfAFaceOutsideStandAtTheEdge(float left, float top) {
        float[] plate = drawn(false, face(left, top, 96)).plates.get(0);
        assertTrue(plate[0] >= 0 && plate[2] <= 640 && plate[1] >= 0 && plate[3] <= 480);
    }

    @Test
    void textsLieInTheirPlateOneBelowTheOther() {
        Strokes strokes = drawn(false, face(100, 200, 96));
        float[] plate = strokes.plates.get(0);
        float above = plate[1];
        for (float[] text : strokes.texts) {
            float size = text[2];
            assertTrue(size > 480 / 54f && text[0] > plate[0] && text[0] < plate[0] + size);
            float end = text[0] + 10 * 0.62f * size; // of ten characters
            assertTrue(end < plate[2] && plate[2] < end + size, "as wide as its text");
            assertTrue(text[1] - 0.7f * size > above, "capitals below what is above");
            above = text[1];
        }
        assertTrue(above + 0.2f * strokes.texts.get(3)[2] < plate[3], "what hangs below the line");
        assertEquals(4, strokes.texts.size());
    }

    @Test
    void textsSayWhoItIsAndWhichWayItLooks() {
        Face face = face(100, 200, 96);
        float[][] poses = {{40.4f, -25.6f, 0}, {-40.4f, 25.6f, -0.6f}};
        String[][] texts = {{"+40", "-26", "+0"}, {"-40", "+26", "-1"}};
        for (int n = 0; n < 2; n++) {
            face.id = n - 1;
            System.arraycopy(poses[n], 0, face.pose, 0, 3);
            List<String> words = drawn(false, face).words;
            assertEquals(n == 0 ? "face" : "face 0", words.get(0));
            for (int i = 0; i < 3; i++) {
                String word = words.get(i + 1);
                assertTrue(word.endsWith(" " + texts[n][i]), word);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {20, 200, 370})
    void platesDoNotCoverEachOther(float top) {
        List<float[]> plates =
                drawn(false, face(100, top, 96), face(101, top, 96), face(101, top + 40, 96)).plates;
        for (int i = 0; i < 3; i++) {
            for (int k = 0; k < i; k++) {
                float[] one = plates.get(i);
                float[] other = plates.get(k);
                boolean apart = one[3] <= other[1] || other[3] <= one[1];
                assertTrue(apart || top > 300 && i == 2, "plates " + k + " and " + i);
            }
        }
        List<float[]> far = drawn(false, face(20, top, 96), face(400, top, 96)).plates;
        assertEquals(far.get(0)[1], far.get(1)[1], NEAR, "nothing is in the way");
    }

    @ParameterizedTest
    @ValueSource(floats = {200, 370})
    void aPlateThatIsInTheWayIsGoneAroundClosely(float top) {
        List<float[]> plates = drawn(false, face(100, top, 96), face(101, top, 96)).plates;
        float[] one = plates.get(0);
        float[] other = plates.get(1);
        float apart = top < 300 ? other[1] - one[3] : one[1] - other[3]; // below, or above
        assertTrue(apart > 0 && apart < 10, "apart by " + apart);
    }

    @Test
    void theSameFacesAreDrawnTheSameAgain() {
        Overlay overlay = new Overlay(Scheme.IBUG68);
        List<List<Float>> tops = new ArrayList<>();
        for (int n = 0; n < 3; n++) {
            overlay.set(List.of(face(100, 200, 96), face(101, 200, 96)), 640, 480, false);
            Strokes strokes = new Strokes();
            overlay.draw(strokes);
            tops.add(List.of(strokes.plates.get(0)[1], strokes.plates.get(1)[1]));
        }
        assertEquals(tops.get(0), tops.get(1));
        assertEquals(tops.get(1), tops.get(2));
    }

    /** A pen that keeps its strokes; the axes' lines with their number. */
    private static final class Strokes implements Overlay.Pen {
        final List<float[]> lines = new ArrayList<>();
        final List<float[]> dots = new ArrayList<>();
        final List<float[]> plates = new ArrayList<>();
        final List<float[]> texts = new ArrayList<>();
        final List<String> words = new ArrayList<>();

        @Override
        public void line(float x0, float y0, float x1, float y1, float width, int argb) {
            int axis = argb == 0xffeb3c3c ? 0 : argb == 0xff46be46 ? 1 : 2;
            lines.add(new float[] {x0, y0, x1, y1, width, axis});
        }

        @Override
        public void dot(float x, float y, float radius, int argb) {
            dots.add(new float[] {x, y, radius});
        }

        @Override
        public void plate(float left, float top, float right, float bottom, int argb) {
            plates.add(new float[] {left, top, right, bottom});
        }

        @Override
        public void text(String text, float x, float baseline, float size, int argb) {
            texts.add(new float[] {x, baseline, size});
            words.add(text);
        }
    }
}
