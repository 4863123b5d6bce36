package org.asmnet.jvm;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Line2D;
import java.awt.geom.Rectangle2D;
import org.asmnet.core.Overlay;

/** Draws an overlay by Java2D, antialiased. */
public final class AwtPen implements Overlay.Pen {
    private final Graphics2D graphics;

    /**
     * A pen.
     *
     * @param graphics whose pixels are the picture's; a transform may enlarge or mirror them
     */
    public AwtPen(Graphics2D graphics) {
        this.graphics = (Graphics2D) graphics.create();
        this.graphics.setRenderingHint(
                RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        this.graphics.setRenderingHint(
                RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        this.graphics.setRenderingHint(
                RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
        // Java2D's pixels have their centres at halves.
        this.graphics.translate(0.5, 0.5);
    }

    @Override
    public void line(float x0, float y0, float x1, float y1, float width, int argb) {
        graphics.setColor(new Color(argb, true));
        graphics.setStroke(
                new BasicStroke(width, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
        graphics.draw(new Line2D.Float(x0, y0, x1, y1));
    }

    @Override
    public void dot(float x, float y, float radius, int argb) {
        graphics.setColor(new Color(argb, true));
        graphics.fill(new Ellipse2D.Float(x - radius, y - radius, 2 * radius, 2 * radius));
    }

    @Override
    public void plate(float left, float top, float right, float bottom, int argb) {
        graphics.setColor(new Color(argb, true));
        graphics.fill(new Rectangle2D.Float(left, top, right - left, bottom - top));
    }

    @Override
    public void text(String text, float x, float baseline, float size, int argb) {
        graphics.setColor(new Color(argb, true));
        graphics.setFont(new Font(Font.MONOSPACED, Font.PLAIN, 1).deriveFont(size));
        graphics.drawString(text, x, baseline);
    }
}
