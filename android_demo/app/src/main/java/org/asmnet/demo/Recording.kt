package org.asmnet.demo

import android.content.Context
import java.io.Closeable
import java.io.File
import java.io.IOException
import java.io.OutputStreamWriter
import java.text.SimpleDateFormat
import java.util.Date
import java.util.Locale
import org.asmnet.core.Face
import org.asmnet.core.Trace

/** A trace being written, one JSON line a frame. One thread at a time. */
class Recording(context: Context, source: String) : Closeable {
    /** Whole and closed after [close]. */
    val file: File

    /** Lines written. */
    var frames = 0
        private set

    private val out: OutputStreamWriter
    private val trace: Trace
    private var start = Double.NaN

    init {
        val folder = folder(context)
        if (!folder.isDirectory && !folder.mkdirs()) {
            throw IOException("cannot make the folder $folder")
        }
        val yesterday = System.currentTimeMillis() - DAY
        folder.listFiles()?.filter { it.lastModified() < yesterday }?.forEach { it.delete() }
        val time = SimpleDateFormat("yyyyMMdd-HHmmss-SSS", Locale.ROOT).format(Date())
        file = File(folder, "asmnet-$time.jsonl")
        out = OutputStreamWriter(file.outputStream(), Charsets.UTF_8)
        trace = Trace(out, source)
    }

    /**
     * Write a frame.
     *
     * @param seconds its time by a clock that never goes back
     * @param latencyMs from its arrival until now
     * @param dropped frames that nobody saw since the one before
     * @throws IOException no space left, for example
     */
    fun write(
        seconds: Double,
        width: Int,
        height: Int,
        faces: List<Face>,
        latencyMs: Double,
        dropped: Int,
    ) {
        if (start.isNaN()) start = seconds
        trace.write(frames, seconds - start, width, height, faces, latencyMs, dropped)
        frames++
    }

    override fun close() = out.close()

    companion object {
        private const val DAY = 24 * 60 * 60 * 1000L

        /** Where traces are; the system may empty it when space runs out. */
        fun folder(context: Context) = File(context.cacheDir, "traces")
    }
}
