package org.asmnet.core;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * The zip archive appended to a {@code .tflite} file (the associated files of TFLite metadata).
 *
 * <p>{@code java.util.zip.ZipFile} does not tell where the archive begins, and wants a file where
 * an app has an asset: so the directory is read here, and the content by {@link Inflater}.
 */
final class AssociatedFiles {
    private static final int END = 0x06054b50;
    private static final int ENTRY = 0x02014b50;
    private static final int LOCAL = 0x04034b50;
    private static final int ENCRYPTED = 1;

    /** Where the archive begins, in bytes: the network is everything before. */
    final int start;
    /** The content of the wanted file; null if there is none. */
    final byte[] content;

    private final byte[] file;

    /**
     * Read the archive, if there is one.
     *
     * @param file the whole {@code .tflite} file
     * @param name of the wanted file
     * @param largest bytes that it may have; no more are ever inflated
     * @throws AsmnetException the archive is damaged, or the wanted file is larger
     */
    AssociatedFiles(byte[] file, String name, int largest) {
        this.file = file;
        int end = file.length - 22;
        while (end >= Math.max(0, file.length - 22 - 0xffff) && u32(end) != END) {
            end--;
        }
        if (end < Math.max(0, file.length - 22 - 0xffff)) {
            start = file.length;
            content = null;
            return;
        }
        int first = end;
        int wanted = -1;
        try {
            int directory = u32(end + 16);
            int entry = directory;
            Set<String> names = new HashSet<>();
            for (int n = u16(end + 10); n > 0; n--) {
                if (u32(entry) != ENTRY) {
                    throw damaged("its directory is broken");
                }
                int length = u16(entry + 28);
                int local = u32(entry + 42);
                if (entry > file.length - 46 - length) {
                    throw new IndexOutOfBoundsException();
                }
                String found = new String(file, entry + 46, length, StandardCharsets.UTF_8);
                if (!names.add(found)) {
                    throw damaged("two files of one name");
                }
                if (local < 0 || local > directory) {
                    throw damaged("a file that lies elsewhere");
                }
                first = Math.min(first, local);
                wanted = found.equals(name) ? entry : wanted;
                entry += 46 + length + u16(entry + 30) + u16(entry + 32);
            }
            content = wanted < 0 ? null : content(wanted, name, largest);
        } catch (IndexOutOfBoundsException | DataFormatException error) {
            throw damaged("it is cut off or broken");
        }
        start = first;
    }

    private static AsmnetException damaged(String how) {
        return new AsmnetException("is damaged: its archive cannot be used (" + how + ")");
    }

    private byte[] content(int entry, String name, int largest) throws DataFormatException {
        int method = u16(entry + 10);
        int packed = u32(entry + 20);
        long size = u32(entry + 24) & 0xffffffffL;
        int local = u32(entry + 42);
        int data = local + 30 + u16(local + 26) + u16(local + 28);
        if (size > largest) {
            throw new AsmnetException("holds " + name + " of " + size + " bytes, at most "
                    + largest + " are read");
        }
        if ((u16(entry + 8) & ENCRYPTED) != 0) {
            throw damaged(name + " is encrypted");
        }
        if (u32(local) != LOCAL || packed < 0 || packed > file.length - data) {
            throw new DataFormatException();
        }
        byte[] result = new byte[(int) size];
        if (method == 0 && packed == size) {
            System.arraycopy(file, data, result, 0, result.length);
        } else if (method == 8) {
            inflate(data, packed, result);
        } else {
            throw damaged(name + " is compressed by another method than deflate");
        }
        CRC32 sum = new CRC32();
        sum.update(result, 0, result.length);
        if ((int) sum.getValue() != u32(entry + 16)) {
            throw new DataFormatException();
        }
        return result;
    }

    private void inflate(int from, int packed, byte[] result) throws DataFormatException {
        Inflater inflater = new Inflater(true);
        try {
            inflater.setInput(file, from, packed);
            int done = 0;
            int step = 1;
            while (done < result.length && step > 0) {
                step = inflater.inflate(result, done, result.length - done);
                done += step;
            }
            if (done < result.length) {
                throw new DataFormatException();
            }
        } finally {
            inflater.end();
        }
    }

    // Checked by hand: the JavaScript that this is compiled to does not check indices.
    private int u16(int at) {
        if (at < 0 || at > file.length - 2) {
            throw new IndexOutOfBoundsException();
        }
        return (file[at] & 255) | (file[at + 1] & 255) << 8;
    }

    private int u32(int at) {
        return u16(at) | u16(at + 2) << 16;
    }
}
