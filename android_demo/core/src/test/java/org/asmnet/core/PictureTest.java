package org.asmnet.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class PictureTest {
    private final Picture picture = new Picture();

    @Test
    void everySizeHasRoomForItsPixels() {
        for (int[] size : new int[][] {{1, 1}, {2, 30}, {40, 3}, {5, 5}, {3, 41}}) {
            picture.resize(size[0], size[1]);
            assertEquals(size[0], picture.width);
            assertEquals(size[1], picture.height);
            assertTrue(picture.rgb.length >= 3 * size[0] * size[1]);
        }
    }

    @Test
    void roomThatSufficesIsKept() {
        byte[] room = picture.resize(40, 30).rgb;
        assertSame(room, picture.resize(40, 30).rgb);
        assertSame(room, picture.resize(30, 20).rgb);
    }
}
