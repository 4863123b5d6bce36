package org.asmnet.demo

import java.util.Locale
import org.asmnet.core.Stopwatch
import org.asmnet.core.Stopwatch.Stage

/** Frame rate and mean stage times of the last half second. */
class Meter {
    private val sums = LongArray(Stage.values().size)
    private val stages = Stage.values()
    private var frames = 0
    private var dropped = 0
    private var since = System.nanoTime()

    /** Begin anew. */
    fun reset() {
        sums.fill(0)
        frames = 0
        dropped = 0
        since = System.nanoTime()
    }

    /**
     * Count a frame.
     *
     * @param lost frames that nobody saw since the one before
     * @return lines to show, every half second; else null
     */
    fun count(watch: Stopwatch, lost: Int): String? {
        for (stage in stages) sums[stage.ordinal] += watch.nanos(stage)
        frames++
        dropped += lost
        val now = System.nanoTime()
        if (now - since < 500_000_000) return null
        val text = StringBuilder()
        val rate = frames * 1e9 / (now - since)
        text.append(String.format(Locale.ROOT, "%.1f frames/s, %d dropped\n", rate, dropped))
        for (stage in stages) {
            val milliseconds = sums[stage.ordinal] / 1e6 / frames
            val name = stage.name.lowercase(Locale.ROOT)
            text.append(String.format(Locale.ROOT, "%s %.1f", name, milliseconds))
            // Three to a line: more are too wide for a phone held upright.
            text.append(if (stage.ordinal % 3 == 2) " ms\n" else "  ")
        }
        reset()
        return text.trimEnd().toString()
    }
}
