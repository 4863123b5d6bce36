package org.asmnet.demo

import android.app.Activity
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Canvas
import android.graphics.ImageFormat
import android.media.Image
import android.os.Looper
import android.view.View
import java.io.File
import java.nio.ByteBuffer
import org.asmnet.android.Asmnet
import org.asmnet.android.ModelFile
import org.asmnet.core.Overlay
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/**
 * Pictures of the app, drawn by Android's own graphics on this machine.
 *
 * The property `screens` names a folder. `shots` in it has a line for each picture to make: name,
 * qualifiers of the device, file of camera frames (NV21), width, height, sensor orientation,
 * display rotation, front or back. The folder receives NAME.png, NAME.dots (x, y, radius of each
 * landmark's dot in frame pixels, as the draw list has them) and NAME.texts (the view's left, top,
 * width and height; then what is written on the screen).
 */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34])
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class Screens {
    private val folder = File(System.getProperty("screens"))

    @Test
    fun cameraFrames() = File(folder, "shots").forEachLine { line ->
        val (name, qualifiers, file) = line.split(" ")
        val (width, height, sensor, display) = line.split(" ").slice(3..6).map { it.toInt() }
        val frames = File(folder, file).readBytes()
        open(qualifiers, granted = true) { activity ->
            shadowOf(activity.display).setRotation(display / 90)
            (activity as MainActivity).onDisplayChanged(0)
            val pipeline = field(activity, "pipeline") as Pipeline
            waitFor { (field(activity, "loaded") as String).isNotEmpty() }
            pipeline.handler.post { pipeline.onCameraStarted() }
            val size = width * height * 3 / 2
            for (n in 0 until frames.size / size) {
                val image = Nv21(ByteBuffer.wrap(frames, n * size, size).slice(), width, height, n)
                pipeline.handler.post {
                    pipeline.onFrame(image, sensor, line.endsWith("front"), 0)
                }
                Thread.sleep(33)
                shadowOf(Looper.getMainLooper()).idle()
            }
            waitFor { shadowOf(pipeline.handler.looper).isIdle }
            save(activity, name)
        }
    }

    /** NAME.found for each picture NAME.png in `stills`: x y of all landmarks of all faces. */
    @Test
    fun stills() {
        val context = RuntimeEnvironment.getApplication()
        val model = ModelFile.asset(context, "asmnet-spatial-68-112-int8.tflite")
        Asmnet.open(context, model, Asmnet.Options()).use { asmnet ->
            for (file in File(folder, "stills").listFiles { it -> it.extension == "png" }!!) {
                val faces = asmnet.locate(BitmapFactory.decodeFile(file.path))
                val numbers = faces.flatMap { it.landmarks.toList() }
                File(file.path.removeSuffix("png") + "found").writeText(numbers.joinToString(" "))
            }
        }
    }

    @Test
    fun permissionRefused() = open(PORTRAIT, granted = false) { save(it, "refused") }

    @Test
    fun noCamera() = open(PORTRAIT, granted = true) {
        waitFor { it.findViewById<View>(R.id.panel).isShown }
        save(it, "no-camera")
    }

    private fun save(activity: Activity, name: String) {
        val root = activity.window.decorView
        val bitmap = Bitmap.createBitmap(root.width, root.height, Bitmap.Config.ARGB_8888)
        root.draw(Canvas(bitmap))
        File(folder, "$name.png").outputStream().use {
            bitmap.compress(Bitmap.CompressFormat.PNG, 100, it)
        }
        val faces = activity.findViewById<View>(R.id.faces)
        val (left, top) = IntArray(2).also { faces.getLocationInWindow(it) }
        val view = listOf(left, top, faces.width, faces.height).joinToString(" ")
        File(folder, "$name.texts").writeText("$view\n" + textsOf(root).joinToString("\n"))
        val dots = mutableListOf<String>()
        (field(faces, "shown") as Shot).overlay?.draw(DotsOnly(dots))
        File(folder, "$name.dots").writeText(dots.joinToString("\n"))
    }

    private class DotsOnly(private val dots: MutableList<String>) : Overlay.Pen {
        override fun dot(x: Float, y: Float, radius: Float, argb: Int) {
            dots += "$x $y $radius"
        }

        override fun line(x0: Float, y0: Float, x1: Float, y1: Float, width: Float, argb: Int) {}

        override fun plate(left: Float, top: Float, right: Float, bottom: Float, argb: Int) {}

        override fun text(text: String, x: Float, baseline: Float, size: Float, argb: Int) {}
    }

    /** A camera's frame: grey, then v and u in turns. */
    private class Nv21(
        private val bytes: ByteBuffer,
        private val width: Int,
        private val height: Int,
        private val number: Int,
    ) : Image() {
        private class Samples(
            private val bytes: ByteBuffer,
            private val rowStride: Int,
            private val pixelStride: Int,
        ) : Image.Plane() {
            override fun getBuffer() = bytes

            override fun getRowStride() = rowStride

            override fun getPixelStride() = pixelStride
        }

        init {
            mIsImageValid = true
        }

        override fun getPlanes() = arrayOf(0 to 1, width * height + 1 to 2, width * height to 2)
            .map { (start, step) ->
                Samples(bytes.duplicate().apply { position(start) }.slice(), width, step)
            }.toTypedArray<Image.Plane>()

        override fun getFormat() = ImageFormat.YUV_420_888

        override fun getWidth() = width

        override fun getHeight() = height

        override fun getTimestamp() = 1_000_000_000L + number * 33_333_333L

        override fun getTransform() = 0

        override fun getScalingMode() = 0

        override fun close() = Unit
    }
}
