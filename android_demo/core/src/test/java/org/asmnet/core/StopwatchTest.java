package org.asmnet.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.asmnet.core.Stopwatch.Stage;
import org.junit.jupiter.api.Test;

/** Time adds up by stage. */
class StopwatchTest {
    private final Stopwatch watch = new Stopwatch();

    @Test
    void timesOfAStageAddUp() {
        watch.add(Stage.SMOOTH, 5);
        watch.add(Stage.SMOOTH, 7);
        watch.add(Stage.DRAW, 100);
        assertEquals(12, watch.nanos(Stage.SMOOTH));
        watch.clear();
        assertEquals(0, watch.nanos(Stage.SMOOTH));
        assertEquals(0, watch.nanos(Stage.DRAW));
    }

    @Test
    void theTimeSinceAStartIsAdded() {
        watch.add(Stage.DRAW, 1_000_000_000_000L);
        long before = System.nanoTime();
        long now = watch.since(before - 1000, Stage.DRAW);
        assertTrue(now >= before && now <= System.nanoTime());
        assertEquals(1_000_000_000_000L + now - before + 1000, watch.nanos(Stage.DRAW));
    }
}
