package org.asmnet.jvm;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;
import org.asmnet.core.AsmnetException;

/** Files that appear under their name when they are whole. */
final class Output {
    /** What is written. */
    interface Content {
        /** Write it. */
        void to(OutputStream stream) throws IOException;
    }

    private Output() {}

    /**
     * Write a file.
     *
     * @throws AsmnetException it cannot be written
     */
    static void write(String name, Content content) throws IOException {
        Path file = Paths.get(name);
        Path partial = Paths.get(name + ".part");
        OutputStream opened;
        try {
            opened = Files.newOutputStream(partial);
        } catch (IOException error) {
            throw new AsmnetException(name + " cannot be written; choose another place");
        }
        try (OutputStream stream = new BufferedOutputStream(opened)) {
            content.to(stream);
        } catch (IOException | RuntimeException error) {
            Files.deleteIfExists(partial);
            throw error;
        }
        Files.move(partial, file, StandardCopyOption.REPLACE_EXISTING);
    }
}
