package org.asmnet.demo

import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import org.asmnet.android.CanvasPen
import org.asmnet.core.Overlay

/** Draws a frame and what was found in it, as large as fits. One per thread. */
class FramePainter {
    private val pen = CanvasPen()
    private val smooth = Paint(Paint.FILTER_BITMAP_FLAG)

    /**
     * @param canvas of [width] x [height] pixels; what the picture leaves free becomes black
     * @param picture upright, not mirrored
     * @param overlay made for the picture, mirrored if [mirror]
     * @param mirror swap left and right of the picture, as people know themselves
     */
    fun render(
        canvas: Canvas,
        width: Int,
        height: Int,
        picture: Bitmap,
        overlay: Overlay?,
        mirror: Boolean,
    ) {
        canvas.drawColor(Color.BLACK)
        val scale = minOf(width.toFloat() / picture.width, height.toFloat() / picture.height)
        canvas.save()
        canvas.translate(
            (width - scale * picture.width) / 2,
            (height - scale * picture.height) / 2,
        )
        canvas.scale(scale, scale)
        canvas.save()
        if (mirror) canvas.scale(-1f, 1f, picture.width / 2f, 0f)
        canvas.drawBitmap(picture, 0f, 0f, smooth)
        canvas.restore()
        canvas.clipRect(0, 0, picture.width, picture.height)
        if (overlay != null) pen.draw(overlay, canvas)
        canvas.restore()
    }
}
