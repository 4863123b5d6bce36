package org.asmnet.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class FaceTest {
    private static Face face(float level, Event... events) {
        Face face = new Face(2);
        Arrays.fill(face.landmarks, level);
        Arrays.fill(face.pose, level + 1);
        Arrays.fill(face.position, level + 2);
        Arrays.fill(face.eyes, level + 3);
        face.mouth = level + 4;
        face.score = level + 5;
        face.id = (int) level;
        face.crop.set(level, level, level, level);
        face.events.addAll(List.of(events));
        return face;
    }

    @Test
    void aFaceBecomesEqualToAnotherAndStaysSo() {
        Event yawn = new Event(Event.Kind.YAWN, 1, 3);
        Event blink = new Event(Event.Kind.BLINK, 4, 4.2);
        Face other = face(70, yawn, blink);
        Face face = face(20, blink);
        face.set(other);
        other.set(face(0));
        assertArrayEquals(new float[] {70, 70, 70, 70}, face.landmarks);
        assertArrayEquals(new float[] {71, 71, 71}, face.pose);
        assertArrayEquals(new float[] {72, 72, 72}, face.position);
        assertArrayEquals(new double[] {73, 73}, face.eyes);
        assertEquals(74, face.mouth);
        assertEquals(75, face.score);
        assertEquals(70, face.id);
        assertEquals(70, face.crop.side);
        assertEquals(List.of(yawn, blink), face.events);
    }

    @Test
    void theBoxIsTightAroundTheLandmarks() {
        Face face = new Face(3);
        System.arraycopy(new float[] {5, 9, -2, 4, 3, 7}, 0, face.landmarks, 0, 6);
        assertArrayEquals(new double[] {-2, 4, 5, 9}, face.box(new double[4]));
    }
}
