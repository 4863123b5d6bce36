package org.asmnet.jvm;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import org.asmnet.core.AsmnetException;
import org.asmnet.core.Picture;

/**
 * Pictures one after another in a file or on standard input: PPM, as
 * {@code ffmpeg -i VIDEO -f image2pipe -c:v ppm -} writes them.
 */
final class PpmFrames implements AutoCloseable {
    private final String name;
    private final InputStream stream;
    private int count;

    /**
     * Open a file.
     *
     * @param name its path; "-" for standard input
     * @throws AsmnetException it cannot be opened
     */
    PpmFrames(String name) {
        this.name = name.equals("-") ? "standard input" : name;
        try {
            stream = new BufferedInputStream(
                    name.equals("-") ? System.in : new FileInputStream(new File(name)), 1 << 20);
        } catch (FileNotFoundException error) {
            throw new AsmnetException("cannot read frames: " + error.getMessage());
        }
    }

    /**
     * Read the next picture; false if there is none.
     *
     * @param picture becomes it
     * @throws AsmnetException it is not a PPM of 8 bits, or is cut short
     */
    boolean next(Picture picture) throws IOException {
        int magic = stream.read();
        if (magic < 0 && count > 0) {
            return false;
        }
        if (magic != 'P' || stream.read() != '6') {
            throw bad("is no binary PPM");
        }
        try {
            int width = number();
            int height = number();
            if (number() != 255) {
                throw bad("has other than 8 bits a channel");
            }
            picture.resize(width, height);
            int size = 3 * width * height;
            if (stream.readNBytes(picture.rgb, 0, size) < size) {
                throw bad("is cut short");
            }
        } catch (EOFException error) {
            throw bad("is cut short");
        }
        count++;
        return true;
    }

    /** The next number of a header; takes the one blank behind it. */
    private int number() throws IOException {
        int c = stream.read();
        while (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
            c = stream.read();
        }
        long value = -1;
        while (c >= '0' && c <= '9') {
            value = Math.min(10 * Math.max(value, 0) + c - '0', Integer.MAX_VALUE);
            c = stream.read();
        }
        if (c < 0) {
            throw new EOFException();
        }
        if (value < 0) {
            throw bad("has a header that is not PPM's");
        }
        return (int) value;
    }

    private AsmnetException bad(String what) {
        return new AsmnetException("picture " + count + " of " + name + " " + what
                + "; make it with ffmpeg -f image2pipe -c:v ppm");
    }

    @Override
    public void close() throws IOException {
        stream.close();
    }
}
