package org.asmnet.android;

import android.graphics.Canvas;
import android.graphics.Paint;
import android.graphics.Typeface;
import org.asmnet.core.Overlay;

/**
 * Draws an {@link Overlay} on a Canvas.
 *
 * <p>The overlay's pixel centres are at integers, a Canvas' at halves: {@link #draw} moves by that
 * half, so a caller only scales the canvas from picture pixels to its own.
 */
public final class CanvasPen implements Overlay.Pen {
    private final Paint stroke = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final Paint fill = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final Paint letters = new Paint(Paint.ANTI_ALIAS_FLAG);
    private Canvas canvas;

    /** Reusable; one per thread. */
    public CanvasPen() {
        stroke.setStyle(Paint.Style.STROKE);
        stroke.setStrokeCap(Paint.Cap.ROUND);
        letters.setTypeface(Typeface.MONOSPACE);
    }

    /**
     * Draw an overlay.
     *
     * @param overlay what
     * @param canvas where; its unit is the picture's pixel
     */
    public void draw(Overlay overlay, Canvas canvas) {
        this.canvas = canvas;
        canvas.save();
        canvas.translate(0.5f, 0.5f);
        overlay.draw(this);
        canvas.restore();
        this.canvas = null;
    }

    @Override
    public void line(float x0, float y0, float x1, float y1, float width, int argb) {
        stroke.setColor(argb);
        stroke.setStrokeWidth(width);
        canvas.drawLine(x0, y0, x1, y1, stroke);
    }

    @Override
    public void dot(float x, float y, float radius, int argb) {
        fill.setColor(argb);
        canvas.drawCircle(x, y, radius, fill);
    }

    @Override
    public void plate(float left, float top, float right, float bottom, int argb) {
        fill.setColor(argb);
        canvas.drawRect(left, top, right, bottom, fill);
    }

    @Override
    public void text(String text, float x, float baseline, float size, int argb) {
        letters.setColor(argb);
        letters.setTextSize(size);
        canvas.drawText(text, x, baseline, letters);
    }
}
