package org.asmnet.jvm;

import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.List;
import javax.imageio.ImageIO;
import org.asmnet.core.AsmnetException;
import org.asmnet.core.Face;
import org.asmnet.core.FaceTracker;
import org.asmnet.core.Overlay;
import org.asmnet.core.Picture;

/** Draws what the app shows for one frame of a video: the picture and the overlay. */
public final class Snapshot {
    private static final String USAGE = String.join("\n",
            "Track faces through frames and draw the last one with its overlay.",
            "",
            "  --model FILE     landmark network with its contract (.tflite)",
            "  --detector FILE  face_detection_short_range.tflite",
            "  --frames FILE    PPM pictures one after another; - is standard input",
            "  --out FILE       receives the picture, PNG",
            "  --mirror yes     as a front camera shows it",
            "  --scale N        pixels of the drawing for each of the picture's, default 1",
            "  --fps N          frames a second, default 30",
            "  --faces N        so many at most, default 2",
            "  --threads N      of one inference, default 1");

    private Snapshot() {}

    /** See the usage. */
    public static void main(String[] words) {
        System.setProperty("java.awt.headless", "true");
        Arguments.run(USAGE, words, Snapshot::run);
    }

    private static void run(Arguments arguments) throws IOException {
        double fps = arguments.number("fps", 30, 1e-3);
        Picture picture = new Picture();
        try (Networks networks = new Networks(arguments);
                PpmFrames source = new PpmFrames(arguments.text("frames"))) {
            FaceTracker tracker = networks.tracker(arguments);
            List<Face> faces = List.of();
            for (int n = 0; source.next(picture); n++) {
                faces = tracker.update(picture, n / fps);
            }
            String mirror = arguments.text("mirror", "no");
            if (!mirror.equals("yes") && !mirror.equals("no")) {
                throw new AsmnetException("--mirror " + mirror + " is neither yes nor no");
            }
            Overlay overlay = new Overlay(networks.spec.landmarkScheme);
            overlay.set(faces, picture.width, picture.height, mirror.equals("yes"));
            BufferedImage drawing = draw(
                    picture, overlay, mirror.equals("yes"), arguments.number("scale", 1, 0.1));
            Output.write(arguments.text("out"), file -> ImageIO.write(drawing, "png", file));
        }
    }

    /** The picture, enlarged and mirrored as the app does it, with the overlay above. */
    static BufferedImage draw(Picture picture, Overlay overlay, boolean mirror, double scale) {
        int width = picture.width;
        int height = picture.height;
        int[] pixels = new int[width * height];
        picture.toArgb(pixels);
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, width, height, pixels, 0, width);
        BufferedImage drawing = new BufferedImage((int) Math.round(width * scale),
                (int) Math.round(height * scale), BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = drawing.createGraphics();
        graphics.setRenderingHint(
                RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
        graphics.scale(scale, scale);
        graphics.drawImage(image, mirror ? width : 0, 0, mirror ? -width : width, height, null);
        overlay.draw(new AwtPen(graphics));
        graphics.dispose();
        return drawing;
    }
}
