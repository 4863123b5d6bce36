package org.asmnet.demo

import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.ClipData
import android.content.Intent
import android.content.res.Configuration
import android.hardware.camera2.CameraManager
import android.hardware.display.DisplayManager
import android.net.Uri
import android.os.Build
import android.os.Bundle
import android.provider.Settings
import android.view.Surface
import org.asmnet.android.LiteRtInterpreter.Delegate

/** The one screen: what the camera sees with the faces found in it, and four buttons. */
class MainActivity : Activity(), Pipeline.Listener, DisplayManager.DisplayListener {
    private lateinit var screen: Screen
    private lateinit var permission: CameraPermission
    private lateinit var pipeline: Pipeline
    private lateinit var camera: CameraFeed
    private var resumed = false

    private var front = true
    private var recording = false

    // Wanted, and what last worked.
    private var model = Models.DEFAULT
    private var runner = Runner(Delegate.XNNPACK, 2)
    private var goodModel: Uri? = null
    private var goodRunner = runner
    private var loaded = ""

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        screen = Screen(this)
        savedInstanceState?.let { restore(it) }
        permission = CameraPermission(this, savedInstanceState)
        pipeline = Pipeline(applicationContext, screen.faces, this)
        val manager = getSystemService(CameraManager::class.java)
        camera = CameraFeed(manager, pipeline.handler, pipeline)
        screen.onClick(R.id.camera) { switchCamera() }
        screen.onClick(R.id.model) { chooseModel() }
        screen.onClick(R.id.runner) { chooseRunner() }
        screen.onClick(R.id.record) { record() }
        load()
    }

    override fun onResume() {
        super.onResume()
        resumed = true
        getSystemService(DisplayManager::class.java).registerDisplayListener(this, null)
        readDisplay()
        startCamera()
    }

    override fun onPause() {
        resumed = false
        getSystemService(DisplayManager::class.java).unregisterDisplayListener(this)
        camera.stop()
        super.onPause()
    }

    override fun onDestroy() {
        pipeline.close()
        super.onDestroy()
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        permission.save(outState)
        outState.putBoolean(FRONT, front)
        outState.putString(MODEL, model.toString())
        outState.putString(DELEGATE, runner.delegate.name)
        outState.putInt(THREADS, runner.threads)
    }

    private fun restore(state: Bundle) {
        front = state.getBoolean(FRONT, front)
        state.getString(MODEL)?.let { model = Uri.parse(it) }
        val delegate = state.getString(DELEGATE) ?: return
        runner = Runner(Delegate.valueOf(delegate), state.getInt(THREADS))
    }

    // The camera and its permission.

    private fun startCamera() {
        when (permission.state) {
            CameraPermission.State.GRANTED -> {
                screen.hidePanel()
                camera.start(front)
            }
            CameraPermission.State.REFUSED -> {
                screen.showPanel(R.string.permission_why, R.string.permission_allow) {
                    permission.ask()
                }
                if (permission.isFirstTime) permission.ask()
            }
            CameraPermission.State.REFUSED_FOR_GOOD ->
                screen.showPanel(R.string.permission_never, R.string.permission_settings) {
                    permission.onSettingsOpened()
                    startActivity(
                        Intent(
                            Settings.ACTION_APPLICATION_DETAILS_SETTINGS,
                            Uri.fromParts("package", packageName, null),
                        ),
                    )
                }
        }
    }

    override fun onRequestPermissionsResult(
        requestCode: Int,
        permissions: Array<out String>,
        grantResults: IntArray,
    ) {
        permission.onResult(requestCode, grantResults)
        // Android may answer by itself, without a dialog and so without a pause.
        if (resumed) startCamera()
    }

    private fun switchCamera() {
        front = !front
        startCamera()
    }

    override fun onCameraStarted() {
        if (resumed) screen.hidePanel()
    }

    override fun onCameraFailed(message: Int) {
        if (resumed) screen.showPanel(message, R.string.retry) { startCamera() }
    }

    override fun onConfigurationChanged(newConfig: Configuration) {
        super.onConfigurationChanged(newConfig)
        readDisplay()
    }

    // Turning a phone upside down changes no configuration.
    override fun onDisplayChanged(displayId: Int) = readDisplay()

    override fun onDisplayAdded(displayId: Int) = Unit

    override fun onDisplayRemoved(displayId: Int) = Unit

    private fun readDisplay() {
        @Suppress("DEPRECATION") // its successor is Android 11's
        pipeline.display = when (windowManager.defaultDisplay.rotation) {
            Surface.ROTATION_90 -> 90
            Surface.ROTATION_180 -> 180
            Surface.ROTATION_270 -> 270
            else -> 0
        }
    }

    // Model and runner.

    private fun load() = pipeline.load(model, runner)

    private fun chooseModel() {
        val shipped = Models.shipped(this)
        val names = shipped.map { Models.name(it) } + getString(R.string.model_file)
        screen.choose(R.string.model, names, shipped.indexOf(model)) { n ->
            if (n < shipped.size) {
                model = shipped[n]
                load()
            } else {
                openDocument()
            }
        }
    }

    private fun openDocument() {
        val intent = Intent(Intent.ACTION_OPEN_DOCUMENT)
            .addCategory(Intent.CATEGORY_OPENABLE)
            .setType("*/*") // nobody has registered a type for .tflite
        try {
            @Suppress("DEPRECATION") // its successor is AndroidX's
            startActivityForResult(intent, DOCUMENT)
        } catch (_: ActivityNotFoundException) {
            screen.tell(getString(R.string.no_documents))
        }
    }

    @Deprecated("its successor is AndroidX's")
    override fun onActivityResult(requestCode: Int, resultCode: Int, data: Intent?) {
        val uri = data?.data
        if (requestCode == DOCUMENT && resultCode == RESULT_OK && uri != null) {
            model = uri
            load()
        }
    }

    private fun chooseRunner() {
        val runners = Runners.all()
        val names = runners.map { Runners.name(resources, it) }
        screen.choose(R.string.runner, names, runners.indexOf(runner)) { n ->
            runner = runners[n]
            load()
        }
    }

    override fun onModelLoaded(model: Uri, name: String, runner: Runner, notice: String?) {
        this.runner = runner
        goodModel = model
        goodRunner = runner
        loaded = "$name\n${Runners.name(resources, runner)}"
        if (notice != null) screen.tell(notice)
    }

    override fun onModelFailed(message: String) {
        screen.tell(message)
        val good = goodModel
        if (good != null) {
            model = good
            runner = goodRunner
        } else if (model != Models.DEFAULT) { // a document that may not be read any more
            model = Models.DEFAULT
            load()
        }
    }

    override fun onTrackingFailed(message: String) {
        screen.tell(getString(R.string.tracking_failed, message))
        if (runner.delegate == Delegate.NNAPI) {
            runner = runner.copy(delegate = Delegate.XNNPACK)
            load()
        }
    }

    // The trace.

    private fun record() {
        recording = !recording
        screen.showRecording(recording)
        if (recording) {
            pipeline.startRecording("${Build.MODEL} camera")
        } else {
            pipeline.stopRecording { share(it) }
        }
    }

    private fun share(trace: Recording) {
        if (trace.frames == 0) return screen.tell(getString(R.string.trace_empty))
        val uri = TraceProvider.uriOf(trace.file)
        val intent = Intent(Intent.ACTION_SEND)
            .setType(TraceProvider.TYPE)
            .putExtra(Intent.EXTRA_STREAM, uri)
            .addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION)
        intent.clipData = ClipData.newRawUri(trace.file.name, uri)
        try {
            startActivity(Intent.createChooser(intent, getString(R.string.share)))
        } catch (_: ActivityNotFoundException) {
            screen.tell(getString(R.string.no_receiver))
        }
    }

    override fun onRecordingFailed(message: String) {
        recording = false
        screen.showRecording(recording)
        screen.tell(getString(R.string.trace_failed, message))
    }

    override fun onStatus(text: String) =
        screen.showStatus(if (loaded.isEmpty()) text else "$text\n$loaded")

    private companion object {
        const val DOCUMENT = 2
        const val FRONT = "front"
        const val MODEL = "model"
        const val DELEGATE = "delegate"
        const val THREADS = "threads"
    }
}
