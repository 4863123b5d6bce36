package org.asmnet.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Archives behind a network, also such as were made to do harm. */
class AssociatedFilesTest {
    private static final byte[] NETWORK = new byte[100];
    private static final byte[] CONTENT = "one two three".getBytes(StandardCharsets.US_ASCII);

    /** A network with an archive of these files, all with the same content. */
    private static byte[] file(byte[] content, String... names) throws IOException {
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        try (ZipOutputStream archive = new ZipOutputStream(stream)) {
            for (String name : names) {
                archive.putNextEntry(new ZipEntry(name));
                archive.write(content);
            }
        }
        byte[] file = Arrays.copyOf(NETWORK, NETWORK.length + stream.size());
        System.arraycopy(stream.toByteArray(), 0, file, NETWORK.length, stream.size());
        // As zip tools do for archives that begin later: all offsets from the file's start.
        int end = file.length - 22;
        int entry = NETWORK.length + u32(file, end + 16);
        set(file, end + 16, entry);
        for (String name : names) {
            set(file, entry + 42, NETWORK.length + u32(file, entry + 42));
            entry += 46 + name.length();
        }
        return file;
    }

    private static ByteBuffer buffer(byte[] file) {
        return ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static int u32(byte[] file, int at) {
        return buffer(file).getInt(at);
    }

    private static void set(byte[] file, int at, int value) {
        buffer(file).putInt(at, value);
    }

    /** Where the directory's first entry is. */
    private static int directory(byte[] file) {
        return u32(file, file.length - 6);
    }

    private static String message(byte[] file, int largest) {
        return assertThrows(AsmnetException.class, () -> new AssociatedFiles(file, "a", largest))
                .getMessage();
    }

    @Test
    void theWantedFileIsRead() throws IOException {
        for (String wanted : new String[] {"a", "b"}) {
            AssociatedFiles embedded = new AssociatedFiles(file(CONTENT, "a", "b"), wanted, 1000);
            assertArrayEquals(CONTENT, embedded.content);
            assertEquals(NETWORK.length, embedded.start);
        }
    }

    @Test
    void aFileThatIsNotThere() throws IOException {
        assertNull(new AssociatedFiles(file(CONTENT, "b"), "a", 1000).content);
        for (int length : new int[] {0, 21, 22, 100}) {
            AssociatedFiles none = new AssociatedFiles(new byte[length], "a", 1000);
            assertNull(none.content);
            assertEquals(length, none.start);
        }
    }

    @Test
    void aCommentMayFollow() throws IOException {
        byte[] file = file(CONTENT, "a");
        byte[] longer = Arrays.copyOf(file, file.length + 0xffff);
        assertArrayEquals(CONTENT, new AssociatedFiles(longer, "a", 1000).content);
        assertNull(new AssociatedFiles(Arrays.copyOf(longer, longer.length + 1), "a", 1000).content);
    }

    @Test
    void entriesMayHaveExtraFieldsAndComments() throws IOException {
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        try (ZipOutputStream archive = new ZipOutputStream(stream)) {
            for (String name : new String[] {"a", "b"}) {
                ZipEntry entry = new ZipEntry(name);
                entry.setExtra(new byte[] {(byte) 0xfe, (byte) 0xca, 1, 0, 7});
                entry.setComment("one of two");
                archive.putNextEntry(entry);
                archive.write(CONTENT);
            }
        }
        for (String wanted : new String[] {"a", "b"}) {
            AssociatedFiles embedded = new AssociatedFiles(stream.toByteArray(), wanted, 1000);
            assertArrayEquals(CONTENT, embedded.content);
        }
    }

    @Test
    void anEmptyFileIsEmpty() throws IOException {
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        try (ZipOutputStream archive = new ZipOutputStream(stream)) {
            ZipEntry entry = new ZipEntry("a");
            entry.setMethod(ZipEntry.STORED);
            entry.setSize(0);
            entry.setCrc(0);
            archive.putNextEntry(entry);
        }
        assertArrayEquals(new byte[0],
                new AssociatedFiles(stream.toByteArray(), "a", 1000).content);
    }

    @Test
    void aStoredFileIsRead() {
        byte[] content = Golden.resource("stored.zip");
        assertArrayEquals(CONTENT, new AssociatedFiles(content, "a", CONTENT.length).content);
    }

    @Test
    void aFileMayHaveItsLargestSizeAndNoMore() throws IOException {
        byte[] file = file(CONTENT, "a");
        assertArrayEquals(CONTENT, new AssociatedFiles(file, "a", CONTENT.length).content);
        assertEquals("holds a of 13 bytes, at most 12 are read", message(file, 12));
        set(file, directory(file) + 24, -1);
        assertEquals("holds a of 4294967295 bytes, at most 2147483647 are read",
                message(file, Integer.MAX_VALUE));
    }

    @Test
    void aBombInflatesNoFurtherThanItsHeaderSays() throws IOException {
        byte[] file = file(new byte[5_000_000], "a");
        assertTrue(message(file, 1 << 20).startsWith("holds a of 5000000 bytes"));
        set(file, directory(file) + 24, 100);
        assertTrue(message(file, 1 << 20).startsWith("is damaged"));
    }

    /** Fields of the directory's entry: see APPNOTE.TXT of the zip format, 4.3.12. */
    @ParameterizedTest
    @CsvSource({
        "0, 0, its directory is broken",
        "8, 0x80801, a is encrypted",
        "10, 99, a is compressed by another method",
        "10, 0, a is compressed by another method",
        "16, 7, it is cut off or broken",
        "20, 3, it is cut off or broken",
        "20, -1, it is cut off or broken",
        "20, 0x7fffffff, it is cut off or broken",
        "24, 14, it is cut off or broken",
        "42, -5, a file that lies elsewhere",
        "42, 0x7fffffff, a file that lies elsewhere",
        "42, 4, it is cut off or broken",
    })
    void aDamagedEntryIsNamed(int field, String value, String how) throws IOException {
        byte[] file = file(CONTENT, "a");
        set(file, directory(file) + field, Long.decode(value).intValue());
        String message = message(file, 1000);
        assertTrue(message.startsWith("is damaged: its archive cannot be used (" + how), message);
    }

    @Test
    void twoFilesOfOneNameAreRefused() throws IOException {
        byte[] file = file(CONTENT, "a", "b");
        file[directory(file) + 46 + 1 + 46] = 'a';
        assertTrue(message(file, 1000).contains("two files of one name"));
    }
}
