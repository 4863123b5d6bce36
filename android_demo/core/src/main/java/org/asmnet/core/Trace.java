package org.asmnet.core;

import java.io.IOException;
import java.io.Writer;
import java.util.List;

/**
 * JSON lines, one a frame: the records {@code asmnet-track/1} of {@code docs/output.md}, character
 * by character what Python's runtime writes. Makes no garbage.
 */
public final class Trace {
    private static final String SCHEMA = "asmnet-track/1";

    private final Writer out;
    private final String source;
    private final StringBuilder line = new StringBuilder();
    private final double[] box = new double[4];
    private char[] characters = new char[0];

    /**
     * Records of one video or camera.
     *
     * @param out receives each line whole, and is flushed after it
     * @param source name of the file or camera
     */
    public Trace(Writer out, String source) {
        this.out = out;
        this.source = quoted(source);
    }

    /**
     * Write a video's frame.
     *
     * @param frame 0, 1, 2, ...
     * @param t seconds
     * @param width of the frame, pixels
     * @param height of the frame, pixels
     * @param faces the tracker's answer
     * @throws IOException the writer's
     */
    public void write(int frame, double t, int width, int height, List<Face> faces)
            throws IOException {
        start(frame, t, width, height, faces);
        end();
    }

    /**
     * Write a camera's frame.
     *
     * @param latencyMs milliseconds from the frame's arrival until now
     * @param dropped frames since the last record that nobody saw
     * @throws IOException the writer's
     */
    public void write(int frame, double t, int width, int height, List<Face> faces,
            double latencyMs, int dropped) throws IOException {
        start(frame, t, width, height, faces);
        line.append(",\"latency_ms\":");
        number(latencyMs, 1);
        line.append(",\"dropped\":").append(dropped);
        end();
    }

    private void start(int frame, double t, int width, int height, List<Face> faces) {
        line.setLength(0);
        line.append("{\"schema\":\"" + SCHEMA + "\",\"frame\":").append(frame).append(",\"t\":");
        number(t, 4);
        line.append(",\"source\":").append(source);
        line.append(",\"size\":[").append(width).append(',').append(height).append(']');
        line.append(",\"faces\":[");
        for (int i = 0; i < faces.size(); i++) {
            line.append(i > 0 ? "," : "");
            face(faces.get(i));
        }
        line.append(']');
    }

    private void face(Face face) {
        line.append("{\"id\":").append(face.id).append(",\"score\":");
        if (Double.isNaN(face.score)) {
            line.append("null");
        } else {
            number(face.score, 3);
        }
        face.box(box);
        line.append(",\"box\":[");
        for (int i = 0; i < 4; i++) {
            line.append(i > 0 ? "," : "");
            number(box[i], 2);
        }
        line.append("],\"landmarks\":[");
        for (int i = 0; i < face.landmarks.length; i += 2) {
            line.append(i > 0 ? ",[" : "[");
            number(face.landmarks[i], 2);
            line.append(',');
            number(face.landmarks[i + 1], 2);
            line.append(']');
        }
        line.append("],\"pose\":{\"yaw\":");
        number(face.pose[0], 2);
        line.append(",\"pitch\":");
        number(face.pose[1], 2);
        line.append(",\"roll\":");
        number(face.pose[2], 2);
        line.append('}');
        if (!Float.isNaN(face.position[2])) {
            position(face.position);
        }
        if (!Double.isNaN(face.mouth)) {
            signals(face);
        }
        line.append('}');
    }

    private void position(float[] position) {
        line.append(",\"position\":{\"x\":");
        number(position[0], 1);
        line.append(",\"y\":");
        number(position[1], 1);
        line.append(",\"z\":");
        number(position[2], 1);
        line.append('}');
    }

    private void signals(Face face) {
        line.append(",\"eyes\":{\"right\":");
        number(face.eyes[0], 3);
        line.append(",\"left\":");
        number(face.eyes[1], 3);
        line.append("},\"mouth\":");
        number(face.mouth, 3);
        line.append(",\"events\":[");
        for (int i = 0; i < face.events.size(); i++) {
            Event event = face.events.get(i);
            line.append(i > 0 ? ",{" : "{");
            line.append("\"kind\":\"").append(event.kind.word).append("\",\"start\":");
            number(event.start, 4);
            line.append(",\"end\":");
            number(event.end, 4);
            line.append('}');
        }
        line.append(']');
    }

    private void end() throws IOException {
        line.append("}\n");
        if (characters.length < line.length()) {
            characters = new char[2 * line.length()];
        }
        line.getChars(0, line.length(), characters, 0);
        out.write(characters, 0, line.length());
        out.flush();
    }

    /** Rounded half to even; the fewest decimals, but one at least, as Python writes it. */
    private void number(double value, int decimals) {
        long unit = 1;
        for (int i = 0; i < decimals; i++) {
            unit *= 10;
        }
        // Exact for coordinates: a float times 100 fits a double.
        double rounded = Math.rint(value * unit);
        long parts = (long) Math.abs(rounded);
        line.append(Double.compare(rounded, 0.0) < 0 ? "-" : "").append(parts / unit).append('.');
        long rest = parts % unit;
        do {
            unit /= 10;
            line.append((char) ('0' + rest / unit));
            rest %= unit;
        } while (rest > 0);
    }

    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            int named = "\"\\\b\t\n\f\r".indexOf(c);
            if (named >= 0) {
                quoted.append('\\').append("\"\\btnfr".charAt(named));
            } else if (c < ' ' || c > '~') {
                quoted.append("\\u");
                for (int shift = 12; shift >= 0; shift -= 4) {
                    quoted.append(Character.forDigit(c >> shift & 15, 16));
                }
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
