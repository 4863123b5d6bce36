package org.asmnet.demo

import android.app.Activity
import android.app.AlertDialog
import android.os.Build
import android.view.View
import android.view.WindowInsets
import android.widget.Button
import android.widget.TextView

/** What is on the screen besides the picture: status, a message with one way out, dialogs. */
class Screen(private val activity: Activity) {
    init {
        activity.setContentView(R.layout.main)
        keepClearOfBars(activity.findViewById(R.id.root))
    }

    val faces: FaceView = activity.findViewById(R.id.faces)
    private val status: TextView = activity.findViewById(R.id.status)
    private val panel: View = activity.findViewById(R.id.panel)
    private val panelText: TextView = activity.findViewById(R.id.panel_text)
    private val panelButton: Button = activity.findViewById(R.id.panel_button)
    private val record: Button = activity.findViewById(R.id.record)

    /** From Android 15 on, an app draws behind the bars and beside the camera's hole. */
    private fun keepClearOfBars(root: View) {
        root.setOnApplyWindowInsetsListener { view, insets ->
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
                val free = insets.getInsets(
                    WindowInsets.Type.systemBars() or WindowInsets.Type.displayCutout(),
                )
                view.setPadding(free.left, free.top, free.right, free.bottom)
            } else {
                @Suppress("DEPRECATION")
                view.setPadding(
                    insets.systemWindowInsetLeft,
                    insets.systemWindowInsetTop,
                    insets.systemWindowInsetRight,
                    insets.systemWindowInsetBottom,
                )
            }
            insets
        }
    }

    fun onClick(button: Int, action: () -> Unit) =
        activity.findViewById<Button>(button).setOnClickListener { action() }

    fun showStatus(text: String) {
        status.visibility = View.VISIBLE
        status.text = text
    }

    /** Cover the picture by a message and a button. */
    fun showPanel(message: Int, label: Int, action: () -> Unit) {
        panelText.setText(message)
        panelButton.setText(label)
        panelButton.setOnClickListener { action() }
        panel.visibility = View.VISIBLE
    }

    fun hidePanel() {
        panel.visibility = View.GONE
    }

    fun showRecording(running: Boolean) {
        record.setText(if (running) R.string.stop else R.string.record)
        record.contentDescription =
            activity.getString(if (running) R.string.stop_hint else R.string.record_hint)
    }

    /** Let the user choose one of [names]; [checked] is the present one, -1 for none of them. */
    fun choose(title: Int, names: List<String>, checked: Int, take: (Int) -> Unit) {
        AlertDialog.Builder(activity)
            .setTitle(title)
            .setSingleChoiceItems(names.toTypedArray(), checked) { dialog, n ->
                dialog.dismiss()
                take(n)
            }
            .show()
    }

    fun tell(message: String) {
        if (activity.isFinishing || activity.isDestroyed) return
        AlertDialog.Builder(activity)
            .setMessage(message)
            .setPositiveButton(R.string.ok, null)
            .show()
    }
}
