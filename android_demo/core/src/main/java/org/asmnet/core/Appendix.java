package org.asmnet.core;

import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * The zip archive appended to a {@code .tflite} file (the associated files of TFLite metadata).
 *
 * <p>{@code java.util.zip.ZipFile} does not tell where the archive begins, and wants a file where
 * an app has an asset: so the directory is read here, and the content by {@link Inflater}.
 */
final class Appendix {
    private static final int END = 0x06054b50;
    private static final int ENTRY = 0x02014b50;
    private static final int LOCAL = 0x04034b50;
    // A larger file is no contract: no reason to allocate what a damaged size claims.
    private static final int LARGEST = 1 << 24;

    /** Where the archive begins, in bytes: the network is everything before. */
    final int start;
    /** The content of the wanted file; null if the archive lacks it. */
    final byte[] content;

    private final byte[] file;

    /**
     * Read an archive.
     *
     * @param file the whole {@code .tflite} file
     * @param name of the wanted file
     * @throws AsmnetException there is no archive, or it is damaged
     */
    Appendix(byte[] file, String name) {
        this.file = file;
        int end = file.length - 22;
        while (end >= Math.max(0, file.length - 22 - 0xffff) && u32(end) != END) {
            end--;
        }
        if (end < Math.max(0, file.length - 22 - 0xffff)) {
            throw new AsmnetException("no archive");
        }
        int first = end;
        byte[] found = null;
        try {
            int entry = u32(end + 16);
            for (int n = u16(end + 10); n > 0; n--) {
                if (u32(entry) != ENTRY) {
                    throw new AsmnetException("damaged archive");
                }
                int length = u16(entry + 28);
                first = Math.min(first, u32(entry + 42));
                if (name.equals(new String(file, entry + 46, length, "UTF-8"))) {
                    found = content(entry);
                }
                entry += 46 + length + u16(entry + 30) + u16(entry + 32);
            }
        } catch (IndexOutOfBoundsException | java.io.IOException | DataFormatException error) {
            throw new AsmnetException("damaged archive");
        }
        start = first;
        content = found;
    }

    private byte[] content(int entry) throws DataFormatException {
        int method = u16(entry + 10);
        int packed = u32(entry + 20);
        int size = u32(entry + 24);
        int local = u32(entry + 42);
        int data = local + 30 + u16(local + 26) + u16(local + 28);
        if (u32(local) != LOCAL || packed < 0 || packed > file.length - data
                || size < 0 || size > LARGEST) {
            throw new DataFormatException();
        }
        byte[] result = new byte[size];
        if (method == 0 && packed == size) {
            System.arraycopy(file, data, result, 0, size);
        } else if (method == 8) {
            Inflater inflater = new Inflater(true);
            try {
                inflater.setInput(file, data, packed);
                int done = 0;
                int step = 1;
                while (done < size && step > 0) {
                    step = inflater.inflate(result, done, size - done);
                    done += step;
                }
                if (done < size) {
                    throw new DataFormatException();
                }
            } finally {
                inflater.end();
            }
        } else {
            throw new DataFormatException();
        }
        CRC32 sum = new CRC32();
        sum.update(result, 0, size);
        if ((int) sum.getValue() != u32(entry + 16)) {
            throw new DataFormatException();
        }
        return result;
    }

    private int u16(int at) {
        return (file[at] & 255) | (file[at + 1] & 255) << 8;
    }

    private int u32(int at) {
        return u16(at) | u16(at + 2) << 16;
    }
}
