package org.asmnet.demo

import android.content.Context
import android.graphics.Bitmap
import android.graphics.Canvas
import android.util.AttributeSet
import android.view.View
import org.asmnet.core.Overlay
import org.asmnet.core.Scheme

/** One frame as it is shown: the very picture that the network saw, and what it found. */
class Shot {
    var picture: Bitmap? = null
    var overlay: Overlay? = null
    var mirror = false

    /** That the overlay is made for. */
    var scheme: Scheme? = null
}

/**
 * Shows the latest [Shot].
 *
 * Three take turns: one is being filled, one waits, one is on the screen. So neither does drawing
 * wait for the tracker nor the tracker for drawing, and none is changed while it is drawn.
 */
class FaceView @JvmOverloads constructor(context: Context, attrs: AttributeSet? = null) :
    View(context, attrs) {
    private val painter = FramePainter()
    private val lock = Any()
    private var filling = Shot()
    private var waiting = Shot()
    private var fresh = false
    private var shown = Shot()

    /** How long the last drawing took. */
    @Volatile
    var drawNanos = 0L
        private set

    /** The shot to fill; its fields hold what they held some frames ago. */
    fun next(): Shot = filling

    /** Show what was filled. */
    fun publish() {
        synchronized(lock) {
            val spare = waiting
            waiting = filling
            filling = spare
            fresh = true
        }
        postInvalidateOnAnimation()
    }

    override fun onDraw(canvas: Canvas) {
        val start = System.nanoTime()
        synchronized(lock) {
            if (fresh) {
                val spare = shown
                shown = waiting
                waiting = spare
                fresh = false
            }
        }
        val picture = shown.picture ?: return
        painter.render(canvas, width, height, picture, shown.overlay, shown.mirror)
        drawNanos = System.nanoTime() - start
    }
}
