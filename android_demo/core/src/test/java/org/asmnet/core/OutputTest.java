package org.asmnet.core;

import static org.asmnet.core.Golden.assertNear;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What people and programs see: the overlay, the trace, the screen's pixels. */
class OutputTest {
    private static final int WIDTH = 640;
    private static final int HEIGHT = 480;

    private final List<Face> faces = new ArrayList<>();

    OutputTest() {
        float[] points = Golden.floats("trace/points");
        float[] poses = Golden.floats("trace/poses");
        for (int n = 0; n < 2; n++) {
            Face face = new Face(68);
            System.arraycopy(points, 136 * n, face.landmarks, 0, 136);
            System.arraycopy(poses, 3 * n, face.pose, 0, 3);
            face.score = n == 0 ? 0.95678 : Double.NaN;
            face.id = 10 * n + 3;
            faces.add(face);
        }
        Face followed = faces.get(1);
        System.arraycopy(new float[] {0.25f, -0.04f, 1234.56f}, 0, followed.position, 0, 3);
        System.arraycopy(new double[] {1.0, 0.12349}, 0, followed.eyes, 0, 2);
        followed.mouth = 0.0006;
        followed.events.add(new Event(Event.Kind.BLINK, 11.9, 12.00005));
        followed.events.add(new Event(Event.Kind.YAWN, 1 / 3.0, 12.00005));
    }

    @Test
    void theTraceIsPythonsToTheCharacter() throws IOException {
        StringWriter text = new StringWriter();
        Trace trace = new Trace(
                text, new String(Golden.bytes("trace/source"), StandardCharsets.UTF_8));
        double[] times = Golden.doubles("trace/times");
        for (int n = 0; n < times.length; n++) {
            trace.write(n, times[n], WIDTH, HEIGHT, faces.subList(0, n));
        }
        assertEquals(new String(Golden.bytes("trace/lines"), StandardCharsets.UTF_8),
                text.toString());
    }

    @Test
    void aCamerasTraceTellsItsDelay() throws IOException {
        StringWriter text = new StringWriter();
        new Trace(text, "camera").write(7, 0.25, 4, 3, faces.subList(0, 0), 12.36, 2);
        assertEquals("{\"schema\":\"asmnet-track/1\",\"frame\":7,\"t\":0.25,\"source\":\"camera\","
                + "\"size\":[4,3],\"faces\":[],\"latency_ms\":12.4,\"dropped\":2}\n",
                text.toString());
    }

    @Test
    void headAxesAreThoseOfPython() {
        float[] poses = Golden.floats("pose/in");
        double[] matrix = new double[9];
        for (int n = 0; n < poses.length / 3; n++) {
            Pose.matrix(Arrays.copyOfRange(poses, 3 * n, 3 * n + 3), matrix);
            assertNear(Arrays.copyOfRange(Golden.doubles("pose/matrix"), 9 * n, 9 * n + 9),
                    matrix, 1e-12);
        }
    }

    @Test
    void everyLandmarkIsDrawnWhereItIsAndMirroredOnDemand() {
        Overlay overlay = new Overlay(Scheme.IBUG68);
        for (boolean mirror : new boolean[] {false, true}) {
            Strokes strokes = new Strokes();
            overlay.set(faces, WIDTH, HEIGHT, mirror);
            overlay.draw(strokes);
            assertEquals(2 * 68, strokes.dots.size());
            assertEquals(2 * (Scheme.IBUG68.edges().length / 2 + 3), strokes.lines);
            for (int i = 0; i < 136; i++) {
                float[] points = faces.get(i / 68).landmarks;
                float x = points[2 * (i % 68)];
                assertArrayEquals(
                        new float[] {mirror ? WIDTH - 1 - x : x, points[2 * (i % 68) + 1]},
                        strokes.dots.get(i), 1e-3f);
            }
        }
    }

    @Test
    void axesPointWhereTheHeadLooks() {
        Face face = faces.get(0);
        face.pose[0] = 40; // the nose to the image's left,
        face.pose[1] = 25; // and up
        face.pose[2] = 0;
        Strokes seen = drawn(false);
        Strokes mirrored = drawn(true);
        assertTrue(seen.tip[0] < seen.root[0] - 10 && seen.tip[1] < seen.root[1] - 10);
        assertTrue(mirrored.tip[0] > mirrored.root[0] + 10);
        assertEquals(List.of("face 3", "yaw   +40", "pitch +25", "roll  +0"), seen.texts);
        assertEquals("yaw   -40", mirrored.texts.get(1));
    }

    private Strokes drawn(boolean mirror) {
        Overlay overlay = new Overlay(Scheme.IBUG68);
        overlay.set(faces.subList(0, 1), WIDTH, HEIGHT, mirror);
        Strokes strokes = new Strokes();
        overlay.draw(strokes);
        return strokes;
    }

    @Test
    void textStaysInsideThePicture() {
        Overlay overlay = new Overlay(Scheme.IBUG68);
        for (int[] size : new int[][] {{640, 480}, {480, 640}, {320, 240}}) {
            overlay.set(faces, size[0], size[1], false);
            Strokes strokes = new Strokes();
            overlay.draw(strokes);
            for (float[] plate : strokes.plates) {
                assertTrue(plate[0] >= 0 && plate[1] >= 0 && plate[2] <= size[0]
                        && plate[3] <= size[1], Arrays.toString(plate));
            }
        }
    }

    @Test
    void outputMakesNoGarbage() {
        Overlay overlay = new Overlay(Scheme.IBUG68);
        Writer nowhere = new Writer() {
            @Override
            public void write(char[] text, int from, int count) {}

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Trace trace = new Trace(nowhere, "camera");
        long made = Garbage.least(() -> Garbage.bytes(() -> {
            for (int n = 0; n < 50; n++) {
                overlay.set(faces, WIDTH, HEIGHT, true);
                trace.write(n, n / 30.0, WIDTH, HEIGHT, faces, 3.25, 0);
            }
        }));
        assertEquals(0, made, "bytes in 50 frames");
    }

    @Test
    void aPictureBecomesTheScreensPixels() {
        Picture picture = new Picture().resize(2, 1);
        byte[] rgb = {1, 2, (byte) 255, (byte) 128, 0, 7};
        System.arraycopy(rgb, 0, picture.rgb, 0, 6);
        int[] pixels = new int[2];
        picture.toArgb(pixels);
        assertArrayEquals(new int[] {0xff0102ff, 0xff800007}, pixels);
    }

    @Test
    void everyPixelIsShownAndNoMore() {
        Picture picture = new Picture().resize(3, 2);
        int[] pixels = new int[7];
        picture.toArgb(pixels);
        assertArrayEquals(new int[] {0xff000000, 0xff000000, 0xff000000, 0xff000000, 0xff000000,
            0xff000000, 0}, pixels);
    }

    @Test
    void aPictureHasPixelsAndFewerThanAnArrayHolds() {
        Picture picture = new Picture().resize(1, 1);
        for (int[] size : new int[][] {{0, 1}, {1, 0}, {-1, -1}, {1 << 15, 1 << 15}}) {
            assertThrows(AsmnetException.class, () -> picture.resize(size[0], size[1]));
        }
        assertEquals(1, picture.width);
    }

    /** A pen that keeps what matters of the strokes. */
    private static final class Strokes implements Overlay.Pen {
        final List<float[]> dots = new ArrayList<>();
        final List<float[]> plates = new ArrayList<>();
        final List<String> texts = new ArrayList<>();
        int lines;
        /** Ends of the blue axis: straight ahead. */
        float[] root;
        float[] tip;

        @Override
        public void line(float x0, float y0, float x1, float y1, float width, int argb) {
            lines++;
            if (argb == 0xff3278eb) {
                root = new float[] {x0, y0};
                tip = new float[] {x1, y1};
            }
        }

        @Override
        public void dot(float x, float y, float radius, int argb) {
            dots.add(new float[] {x, y});
        }

        @Override
        public void plate(float left, float top, float right, float bottom, int argb) {
            plates.add(new float[] {left, top, right, bottom});
        }

        @Override
        public void text(String text, float x, float baseline, float size, int argb) {
            texts.add(text);
        }
    }
}
