package org.asmnet.demo

import android.annotation.SuppressLint
import android.graphics.ImageFormat
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CaptureRequest
import android.hardware.camera2.params.OutputConfiguration
import android.hardware.camera2.params.SessionConfiguration
import android.media.Image
import android.media.ImageReader
import android.os.Build
import android.os.Handler
import android.util.Log
import android.util.Size
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlin.math.abs

/**
 * Frames of a camera, the newest first: those that come while one is worked on are dropped.
 *
 * Camera2 and not CameraX: the tracker needs one stream of YUV frames and nothing else, and that
 * is a device, a reader and a repeating request. CameraX would take the lifecycle and some
 * devices' quirks off our hands, for about a dozen AndroidX libraries in every app that integrates
 * this, while what matters here (which frame, which thread, its rotation, its time stamp, when
 * its memory is given back) would still have to be settled. An app that has CameraX already hands
 * `ImageProxy.getImage()` to `Asmnet.track`.
 *
 * Everything happens on [handler]'s thread; callbacks of a camera that is no longer wanted only
 * close it.
 */
class CameraFeed(
    private val manager: CameraManager,
    private val handler: Handler,
    private val sink: Sink,
) {
    /** Called on the handler's thread. */
    interface Sink {
        /** Frames of another camera, or after a pause, follow. */
        fun onCameraStarted()

        /**
         * @param image YUV_420_888, closed after the call
         * @param sensor degrees: SENSOR_ORIENTATION
         * @param dropped frames that nobody saw since the one before
         */
        fun onFrame(image: Image, sensor: Int, front: Boolean, dropped: Int)

        /** There will be no more frames until it is started again. [message]: a string resource. */
        fun onCameraFailed(message: Int)
    }

    private var current: Camera? = null

    /** Open the camera on that side, or on the other if there is none. */
    fun start(front: Boolean) {
        handler.post {
            stopHere()
            try {
                current = open(front)
            } catch (error: CameraAccessException) {
                fail(messageOf(error), error)
            } catch (error: SecurityException) { // the permission was withdrawn
                fail(R.string.camera_disabled, error)
            } catch (error: IllegalArgumentException) { // unplugged since it was listed
                fail(R.string.camera_lost, error)
            }
        }
    }

    /** Release the camera before returning; one that is just opening, as soon as it is open. */
    fun stop() {
        val done = CountDownLatch(1)
        val posted = handler.post {
            stopHere()
            done.countDown()
        }
        // Should a driver hang, rather a late release than a frozen app.
        if (posted) done.await(2, TimeUnit.SECONDS)
    }

    private fun stopHere() {
        val camera = current
        current = null
        camera?.close()
    }

    private fun fail(message: Int, error: Exception? = null) {
        Log.w(TAG, "no camera", error)
        stopHere()
        sink.onCameraFailed(message)
    }

    private fun messageOf(error: CameraAccessException) = when (error.reason) {
        CameraAccessException.CAMERA_IN_USE, CameraAccessException.MAX_CAMERAS_IN_USE ->
            R.string.camera_busy
        CameraAccessException.CAMERA_DISABLED -> R.string.camera_disabled
        CameraAccessException.CAMERA_DISCONNECTED -> R.string.camera_lost
        else -> R.string.camera_failed
    }

    @SuppressLint("MissingPermission") // the activity asks; SecurityException is caught
    private fun open(front: Boolean): Camera? {
        val ids = manager.cameraIdList
        val id = ids.firstOrNull { facesFront(it) == front } ?: ids.firstOrNull()
        if (id == null) {
            fail(R.string.camera_none)
            return null
        }
        val traits = manager.getCameraCharacteristics(id)
        val sizes = traits[CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP]
            ?.getOutputSizes(ImageFormat.YUV_420_888)
        val size = sizes?.minByOrNull { abs(it.width - WIDTH) + abs(it.height - HEIGHT) }
        if (size == null) {
            fail(R.string.camera_format)
            return null
        }
        val camera = Camera(traits, size, facesFront(id))
        try {
            manager.openCamera(id, camera, handler)
        } catch (error: Exception) {
            camera.close()
            throw error
        }
        return camera
    }

    private fun facesFront(id: String) = manager.getCameraCharacteristics(id)[
        CameraCharacteristics.LENS_FACING,
    ] == CameraCharacteristics.LENS_FACING_FRONT

    private inner class Camera(traits: CameraCharacteristics, size: Size, val front: Boolean) :
        CameraDevice.StateCallback() {
        private val sensor = traits[CameraCharacteristics.SENSOR_ORIENTATION] ?: 0
        private val steady = traits[CameraCharacteristics.CONTROL_AF_AVAILABLE_MODES]
            ?.contains(CaptureRequest.CONTROL_AF_MODE_CONTINUOUS_VIDEO) == true
        private val reader =
            ImageReader.newInstance(size.width, size.height, ImageFormat.YUV_420_888, BUFFERS)
        private var device: CameraDevice? = null

        init {
            reader.setOnImageAvailableListener({ if (current === this) newest() }, handler)
        }

        override fun onOpened(camera: CameraDevice) {
            device = camera
            if (current !== this) return close()
            guarded { createSession(camera) }
        }

        override fun onDisconnected(camera: CameraDevice) = lost(camera, R.string.camera_lost)

        override fun onError(camera: CameraDevice, error: Int) = lost(
            camera,
            when (error) {
                ERROR_CAMERA_IN_USE, ERROR_MAX_CAMERAS_IN_USE -> R.string.camera_busy
                ERROR_CAMERA_DISABLED -> R.string.camera_disabled
                else -> R.string.camera_failed
            },
        )

        private fun lost(camera: CameraDevice, message: Int) {
            device = camera
            if (current === this) fail(message) else close()
        }

        private fun createSession(camera: CameraDevice) {
            val callback = object : CameraCaptureSession.StateCallback() {
                override fun onConfigured(session: CameraCaptureSession) {
                    if (current === this@Camera) guarded { repeat(camera, session) }
                }

                override fun onConfigureFailed(session: CameraCaptureSession) {
                    if (current === this@Camera) fail(R.string.camera_failed)
                }
            }
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) {
                camera.createCaptureSession(
                    SessionConfiguration(
                        SessionConfiguration.SESSION_REGULAR,
                        listOf(OutputConfiguration(reader.surface)),
                        { handler.post(it) },
                        callback,
                    ),
                )
            } else {
                @Suppress("DEPRECATION")
                camera.createCaptureSession(listOf(reader.surface), callback, handler)
            }
        }

        private fun repeat(camera: CameraDevice, session: CameraCaptureSession) {
            val request = camera.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW)
            request.addTarget(reader.surface)
            if (steady) {
                request[CaptureRequest.CONTROL_AF_MODE] =
                    CaptureRequest.CONTROL_AF_MODE_CONTINUOUS_VIDEO
            }
            session.setRepeatingRequest(request.build(), null, handler)
            sink.onCameraStarted()
        }

        /** A camera may go away at any moment: then its calls throw. */
        private inline fun guarded(work: () -> Unit) {
            try {
                work()
            } catch (error: CameraAccessException) {
                fail(messageOf(error), error)
            } catch (error: IllegalStateException) {
                fail(R.string.camera_lost, error)
            } catch (error: IllegalArgumentException) {
                fail(R.string.camera_failed, error)
            } catch (error: UnsupportedOperationException) { // the driver sends another format
                fail(R.string.camera_format, error)
            }
        }

        private fun newest() {
            // acquireLatestImage, but counting what it skips.
            var dropped = -1
            var latest: Image? = null
            guarded {
                while (true) {
                    val next = reader.acquireNextImage() ?: break
                    latest?.close()
                    latest = next
                    dropped++
                }
            }
            // Unless that failed, which closed the reader.
            latest?.use { if (current === this) sink.onFrame(it, sensor, front, dropped) }
        }

        fun close() {
            device?.close()
            device = null
            reader.close()
        }
    }

    private companion object {
        const val TAG = "asmnet"
        const val WIDTH = 640
        const val HEIGHT = 480
        // One is worked on, one comes, and acquiring needs one to spare.
        const val BUFFERS = 4
    }
}
