package org.asmnet.demo

import android.content.Context
import android.media.Image
import android.net.Uri
import android.os.Handler
import android.os.HandlerThread
import android.os.Looper
import android.os.Process
import android.util.Log
import java.io.IOException
import java.util.concurrent.Executors
import org.asmnet.android.Asmnet
import org.asmnet.android.Frames
import org.asmnet.android.LiteRtInterpreter.Delegate
import org.asmnet.android.ModelFile
import org.asmnet.core.AsmnetException
import org.asmnet.core.Face
import org.asmnet.core.Overlay
import org.asmnet.core.Picture
import org.asmnet.core.Stopwatch
import org.asmnet.core.Stopwatch.Stage

/**
 * From a frame to the screen: upright picture, faces, the view and the trace.
 *
 * Frames are worked on by one thread, [handler]'s, which is the camera's too. Models are loaded by
 * another, so that a slow document cannot hold up the camera, and handed over between two frames.
 */
class Pipeline(
    private val context: Context,
    private val view: FaceView,
    private val listener: Listener,
) : CameraFeed.Sink {
    /** Called on the main thread, until [close]. */
    interface Listener {
        /** [name]: the contract's. [notice]: why it is not the wanted runner; else null. */
        fun onModelLoaded(model: Uri, name: String, runner: Runner, notice: String?)

        /** The model before it, if there is one, goes on. */
        fun onModelFailed(message: String)

        fun onTrackingFailed(message: String)

        fun onRecordingFailed(message: String)

        fun onStatus(text: String)

        fun onCameraStarted()

        fun onCameraFailed(message: Int)
    }

    /** Degrees that the display is turned: the main thread writes it. */
    @Volatile
    var display = 0

    val handler = Handler(THREAD.looper)
    private val main = Handler(Looper.getMainLooper())
    private val loader = Executors.newSingleThreadExecutor()

    @Volatile
    private var wanted = 0 // counts the loads: only the last one's result is used

    @Volatile
    private var closed = false

    // All that follows belongs to the thread of the frames.
    private var asmnet: Asmnet? = null
    private var recording: Recording? = null
    private val frames = Frames()
    private val picture = Picture()
    private val idle = Stopwatch()
    private val meter = Meter()
    private var line = FaceLine()
    private var offset = Double.NaN
    private var seconds = 0.0
    private var turned = 0 // degrees, of the frame before

    /** Load a model; what runs goes on until it is there. */
    fun load(model: Uri, runner: Runner) {
        val number = ++wanted
        loader.execute {
            if (closed || number != wanted) return@execute
            var used = runner
            var notice: String? = null
            try {
                val file = Models.file(context, model)
                val opened = try {
                    open(file, runner)
                } catch (error: AsmnetException) {
                    if (runner.delegate != Delegate.NNAPI) throw error
                    used = runner.copy(delegate = Delegate.XNNPACK)
                    notice = error.message
                    open(file, used)
                }
                handler.post { use(opened, number, model, used, notice) }
            } catch (error: AsmnetException) {
                tell { if (number == wanted) listener.onModelFailed(error.message.orEmpty()) }
            }
        }
    }

    private fun open(file: ModelFile, runner: Runner) = Asmnet.open(
        context,
        file,
        Asmnet.Options().threads(runner.threads).delegate(runner.delegate).maxFaces(MOST_FACES),
    )

    private fun use(opened: Asmnet, number: Int, model: Uri, runner: Runner, notice: String?) {
        if (closed || number != wanted) return opened.close()
        asmnet?.close()
        asmnet = opened
        line = FaceLine() // its faces are numbered anew
        val name = opened.spec().name
        tell { if (number == wanted) listener.onModelLoaded(model, name, runner, notice) }
    }

    /** Write a trace of the frames from now on. */
    fun startRecording(source: String) {
        handler.post {
            try {
                recording = Recording(context, source)
            } catch (error: IOException) {
                tell { listener.onRecordingFailed(error.message.orEmpty()) }
            }
        }
    }

    /** Stop writing; [done] gets the recording on the main thread, closed. */
    fun stopRecording(done: (Recording) -> Unit) {
        handler.post {
            val stopped = endRecording() ?: return@post
            tell { done(stopped) }
        }
    }

    private fun endRecording(): Recording? {
        val ended = recording
        recording = null
        try {
            ended?.close()
        } catch (error: IOException) { // every line is written out already
            Log.w(TAG, "closing the trace", error)
        }
        return ended
    }

    override fun onCameraStarted() {
        asmnet?.reset()
        meter.reset()
        offset = Double.NaN
        tell { listener.onCameraStarted() }
    }

    override fun onCameraFailed(message: Int) = tell { listener.onCameraFailed(message) }

    override fun onFrame(image: Image, sensor: Int, front: Boolean, dropped: Int) {
        val start = System.nanoTime()
        val rotation = Frames.rotation(sensor, display, front)
        try {
            frames.convert(image, rotation, picture)
        } catch (error: AsmnetException) {
            return failed(error)
        }
        val converted = System.nanoTime() - start
        val faces = track(image.timestamp / 1e9, start / 1e9, rotation)
        val watch = asmnet?.watch() ?: idle
        watch.add(Stage.CONVERT, converted)
        write(faces, (System.nanoTime() - start) / 1e6, dropped)
        val traced = System.nanoTime()
        show(faces, front)
        watch.add(Stage.DRAW, System.nanoTime() - traced + view.drawNanos)
        line.count(faces)
        val figures = meter.count(watch, dropped)
        if (figures != null) {
            val text = "$figures\n${line.text(faces)}"
            tell { listener.onStatus(text) }
        }
        idle.clear()
    }

    private fun track(captured: Double, now: Double, rotation: Int): List<Face> {
        // Cameras differ in where their clocks begin: each is set by its first frame.
        if (offset.isNaN()) offset = now - captured
        seconds = maxOf(seconds, captured + offset)
        val tracker = asmnet ?: return emptyList()
        if (rotation != turned) tracker.reset()
        turned = rotation
        return try {
            tracker.track(picture, seconds)
        } catch (error: AsmnetException) {
            failed(error)
            emptyList()
        }
    }

    /** Go on without a tracker: the picture stays, and there is one message, not one a frame. */
    private fun failed(error: AsmnetException) {
        Log.w(TAG, "tracking failed", error)
        if (asmnet == null) return
        asmnet?.close()
        asmnet = null
        tell { listener.onTrackingFailed(error.message.orEmpty()) }
    }

    private fun write(faces: List<Face>, latencyMs: Double, dropped: Int) {
        try {
            recording?.write(seconds, picture.width, picture.height, faces, latencyMs, dropped)
        } catch (error: IOException) {
            endRecording()
            tell { listener.onRecordingFailed(error.message.orEmpty()) }
        }
    }

    private fun show(faces: List<Face>, front: Boolean) {
        val shot = view.next()
        shot.picture = frames.bitmap(picture, shot.picture)
        shot.mirror = front
        val scheme = asmnet?.spec()?.landmarkScheme
        if (shot.overlay == null || shot.scheme != scheme) {
            shot.scheme = scheme
            shot.overlay = scheme?.let { Overlay(it) }
        }
        shot.overlay?.set(faces, picture.width, picture.height, front)
        view.publish()
    }

    private fun tell(what: () -> Unit) {
        main.post { if (!closed) what() }
    }

    /** Free everything, after the frame in work. The camera must have stopped. */
    fun close() {
        closed = true
        loader.shutdown()
        handler.post {
            asmnet?.close()
            asmnet = null
            endRecording()
        }
    }

    private companion object {
        const val TAG = "asmnet"
        const val MOST_FACES = 4

        /** Never ends: a camera may call back when its activity has long gone. */
        val THREAD by lazy {
            HandlerThread("frames", Process.THREAD_PRIORITY_DISPLAY).apply { start() }
        }
    }
}
