package org.asmnet.demo

import android.app.Activity
import android.content.Context
import android.content.Intent
import android.graphics.ImageFormat
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraManager
import android.net.Uri
import android.util.Size
import android.view.View
import android.widget.TextView
import java.io.ByteArrayInputStream
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowCameraCharacteristics
import org.robolectric.shadows.ShadowDialog
import org.robolectric.shadows.StreamConfigurationMapBuilder

/** What goes wrong is one message on the screen, and what worked goes on. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34])
class Faults {
    private val shipped = asset("asmnet-spatial-68-112-int8.tflite")

    @Test
    fun aModelThatIsNoModel() = refused("Dear diary".toByteArray(), "is not a TFLite model")

    @Test
    fun aModelOfSomebodyElse() = refused(shipped.copyOf(100_000), "carries no asmnet.json")

    @Test
    fun aDamagedModel() =
        refused(shipped.copyOf().also { it[300_000] = (it[300_000] + 1).toByte() }, "is damaged")

    @Test
    fun anEmptyModel() = refused(ByteArray(0), "is not a TFLite model")

    private fun refused(content: ByteArray, message: String) = started { activity ->
        val uri = Uri.parse("content://documents/mine.tflite")
        shadowOf(activity.contentResolver)
            .registerInputStream(uri, ByteArrayInputStream(content))
        choose(activity, uri)
        waitFor(message) { message in told().orEmpty() }
        assertTrue(told().orEmpty(), "mine.tflite" in told().orEmpty())
        assertEquals(Models.DEFAULT, field(activity, "model"))
    }

    @Test
    fun aModelOfOnesOwn() = started { activity ->
        val uri = Uri.parse("content://documents/mine.tflite")
        val own = asset("asmnet-spatial-68-160-int8.tflite")
        shadowOf(activity.contentResolver).registerInputStream(uri, ByteArrayInputStream(own))
        choose(activity, uri)
        waitFor { "68-160" in field(activity, "loaded") as String }
    }

    private fun asset(name: String) =
        RuntimeEnvironment.getApplication().assets.open(name).use { it.readBytes() }

    private fun choose(activity: Activity, uri: Uri) = Activity::class.java
        .getDeclaredMethod(
            "onActivityResult", Int::class.java, Int::class.java, Intent::class.java,
        )
        .apply { isAccessible = true }
        .invoke(activity, DOCUMENT, Activity.RESULT_OK, Intent().setData(uri))

    private fun started(look: (Activity) -> Unit) = open(PORTRAIT, granted = true) {
        ShadowDialog.reset()
        waitFor { (field(it, "loaded") as String).isNotEmpty() }
        look(it)
    }

    @Test
    fun aCameraWithoutTheFormat() {
        plugIn(yuv = false)
        open(PORTRAIT, granted = true) { expect(it, R.string.camera_format) }
    }

    @Test
    fun aCameraThatIsPulledOutAndBack() {
        plugIn(yuv = true)
        open(PORTRAIT, granted = true) { activity ->
            waitFor { isOpen(activity) }
            shadowOf(cameras(activity)).triggerDisconnect()
            expect(activity, R.string.camera_lost)
            activity.findViewById<View>(R.id.panel_button).performClick()
            waitFor { isOpen(activity) && !isShown(activity) }
        }
    }

    private fun cameras(context: Context) = context.getSystemService(CameraManager::class.java)

    private fun plugIn(yuv: Boolean) {
        val traits = ShadowCameraCharacteristics.newCameraCharacteristics()
        val sizes = StreamConfigurationMapBuilder.newBuilder()
        if (yuv) sizes.addOutputSize(ImageFormat.YUV_420_888, Size(640, 480))
        shadowOf(traits).apply {
            set(CameraCharacteristics.LENS_FACING, CameraCharacteristics.LENS_FACING_BACK)
            set(CameraCharacteristics.SENSOR_ORIENTATION, 90)
            set(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP, sizes.build())
        }
        shadowOf(cameras(RuntimeEnvironment.getApplication())).addCamera("0", traits)
    }

    private fun isOpen(activity: Activity): Boolean {
        val camera = field(field(activity, "camera")!!, "current") ?: return false
        return field(camera, "device") != null
    }

    private fun isShown(activity: Activity) = activity.findViewById<View>(R.id.panel).isShown

    private fun expect(activity: Activity, message: Int) {
        waitFor { isShown(activity) }
        assertEquals(
            activity.getString(message),
            activity.findViewById<TextView>(R.id.panel_text).text.toString(),
        )
    }

    private companion object {
        const val DOCUMENT = 2
    }
}
