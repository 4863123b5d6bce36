package org.asmnet.demo

import android.Manifest
import android.app.Activity
import android.os.Looper
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowDialog

const val PORTRAIT = "w360dp-h640dp-port-xhdpi"

/** Start the app on a device of those qualifiers, the camera allowed or not. */
fun open(qualifiers: String, granted: Boolean, look: (Activity) -> Unit) {
    RuntimeEnvironment.setQualifiers(qualifiers)
    val application = shadowOf(RuntimeEnvironment.getApplication())
    if (granted) {
        application.grantPermissions(Manifest.permission.CAMERA)
    } else {
        application.denyPermissions(Manifest.permission.CAMERA)
    }
    Robolectric.buildActivity(MainActivity::class.java).use {
        it.setup()
        look(it.get())
    }
}

/** Let the app work until the condition holds; no dialog but the one expected may appear. */
fun waitFor(dialog: String? = null, condition: () -> Boolean) {
    val end = System.nanoTime() + 20_000_000_000
    while (true) {
        shadowOf(Looper.getMainLooper()).idle()
        if (condition()) return
        val told = told()
        check(told == null || dialog != null && dialog in told) { "the app says: $told" }
        check(System.nanoTime() < end) { "nothing happened for 20 s" }
        Thread.sleep(10)
    }
}

/** What the latest dialog says. */
fun told(): String? =
    ShadowDialog.getLatestDialog()?.window?.decorView?.let { textsOf(it).joinToString("\n") }

/** What is written on visible views, from top to bottom. */
fun textsOf(view: View): List<String> = when {
    !view.isShown -> emptyList()
    view is TextView -> listOf(view.text.toString())
    view is ViewGroup -> (0 until view.childCount).flatMap { textsOf(view.getChildAt(it)) }
    else -> emptyList()
}

/** A private field's value. */
fun field(of: Any, name: String): Any? =
    of.javaClass.getDeclaredField(name).apply { isAccessible = true }.get(of)
