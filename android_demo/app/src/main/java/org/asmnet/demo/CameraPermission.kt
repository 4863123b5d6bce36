package org.asmnet.demo

import android.Manifest
import android.app.Activity
import android.content.pm.PackageManager
import android.os.Bundle

/**
 * What to do about the camera's permission.
 *
 * Android does not say that it was refused for good: it then answers by itself, without a dialog,
 * and that looks like a dialog that was dismissed. So it counts as refused for good when a
 * question that came with a reason to explain it leaves none, or when two in a row had none.
 */
class CameraPermission(private val activity: Activity, saved: Bundle?) {
    enum class State { GRANTED, REFUSED, REFUSED_FOR_GOOD }

    private var explained = saved?.getBoolean(EXPLAINED) ?: false
    private var doubts = saved?.getInt(DOUBTS) ?: 0

    /** Whether nothing was asked yet: the first question comes unprompted. */
    var isFirstTime = saved?.getBoolean(FIRST) ?: true
        private set

    val state: State
        get() = when {
            activity.checkSelfPermission(CAMERA) == PackageManager.PERMISSION_GRANTED ->
                State.GRANTED
            doubts > 1 && !mayExplain() -> State.REFUSED_FOR_GOOD
            else -> State.REFUSED
        }

    private fun mayExplain() = activity.shouldShowRequestPermissionRationale(CAMERA)

    fun ask() {
        isFirstTime = false
        explained = mayExplain()
        activity.requestPermissions(arrayOf(CAMERA), REQUEST)
    }

    /** Pass on what the activity is told. */
    fun onResult(request: Int, results: IntArray) {
        if (request != REQUEST) return
        if (results.isEmpty()) return // interrupted, not answered
        doubts = when {
            mayExplain() -> 0
            explained -> 2
            else -> doubts + 1
        }
    }

    /** The settings may allow to ask again: one more try. */
    fun onSettingsOpened() {
        doubts = 1
    }

    fun save(state: Bundle) {
        state.putBoolean(EXPLAINED, explained)
        state.putInt(DOUBTS, doubts)
        state.putBoolean(FIRST, isFirstTime)
    }

    private companion object {
        const val CAMERA = Manifest.permission.CAMERA
        const val REQUEST = 1
        const val EXPLAINED = "permission explained"
        const val DOUBTS = "permission doubts"
        const val FIRST = "permission first"
    }
}
