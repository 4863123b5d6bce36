package org.asmnet.android;

import android.content.Context;
import android.content.res.AssetFileDescriptor;
import android.database.Cursor;
import android.net.Uri;
import android.provider.OpenableColumns;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import org.asmnet.core.AsmnetException;
import org.asmnet.core.ModelSpec;

/** A {@code .tflite} file's content and name, wherever it comes from. */
public final class ModelFile {
    // The shipped ones have 2 MB; no reason to fill the memory with a video chosen by mistake.
    private static final int LARGEST = 64 << 20;

    /** For messages. */
    public final String name;
    /** The whole file: direct, from index 0 to its limit, in native order. */
    final ByteBuffer bytes;

    private ModelFile(String name, ByteBuffer bytes) {
        this.name = name;
        this.bytes = bytes;
    }

    /**
     * A file packaged with the app; mapped, not read, if it is stored uncompressed.
     *
     * @param path in the assets
     * @throws AsmnetException there is none, or it cannot be read
     */
    public static ModelFile asset(Context context, String path) {
        try (AssetFileDescriptor asset = context.getAssets().openFd(path);
                FileInputStream stream = new FileInputStream(asset.getFileDescriptor())) {
            return new ModelFile(path, map(
                    stream.getChannel(), asset.getStartOffset(), asset.getDeclaredLength(), path));
        } catch (FileNotFoundException compressed) {
            try (InputStream stream = context.getAssets().open(path)) {
                return new ModelFile(path, read(stream, path));
            } catch (IOException error) {
                throw new AsmnetException("the app has no asset " + path
                        + "; put the model into its assets folder");
            }
        } catch (IOException error) {
            throw unreadable(path, error);
        }
    }

    /**
     * A file.
     *
     * @throws AsmnetException it cannot be read
     */
    public static ModelFile file(File file) {
        try (FileInputStream stream = new FileInputStream(file)) {
            FileChannel channel = stream.getChannel();
            return new ModelFile(file.toString(), map(channel, 0, channel.size(), file.toString()));
        } catch (IOException error) {
            throw unreadable(file.toString(), error);
        }
    }

    /**
     * A document that the user chose (ACTION_OPEN_DOCUMENT, for example). It may come over the
     * network: not on the main thread.
     *
     * @throws AsmnetException it cannot be read
     */
    public static ModelFile uri(Context context, Uri uri) {
        String name = nameOf(context, uri);
        try (InputStream stream = context.getContentResolver().openInputStream(uri)) {
            if (stream == null) {
                throw new AsmnetException("cannot read model " + name + "; choose it again");
            }
            return new ModelFile(name, read(stream, name));
        } catch (AsmnetException error) {
            throw error;
        } catch (IOException | RuntimeException error) {
            // A provider is another app's code: it may throw whatever it likes.
            throw unreadable(name, error);
        }
    }

    /**
     * Content that is in memory; copied unless it is direct.
     *
     * @param content from its position to its limit; must not be changed any more
     */
    public static ModelFile of(String name, ByteBuffer content) {
        ByteBuffer bytes = content.slice();
        if (!bytes.isDirect()) {
            ByteBuffer copy = ByteBuffer.allocateDirect(bytes.capacity());
            copy.put(bytes);
            ((Buffer) copy).rewind();
            bytes = copy;
        }
        return new ModelFile(name, bytes.order(ByteOrder.nativeOrder()));
    }

    /**
     * The contract, checked.
     *
     * @throws AsmnetException see {@link ModelSpec#read(byte[], String)}
     */
    public ModelSpec spec() {
        byte[] content = new byte[bytes.limit()];
        bytes.duplicate().get(content);
        return ModelSpec.read(content, name);
    }

    private static ByteBuffer map(FileChannel channel, long start, long length, String name)
            throws IOException {
        if (length > LARGEST) {
            throw tooLarge(name);
        }
        return channel.map(FileChannel.MapMode.READ_ONLY, start, length)
                .order(ByteOrder.nativeOrder());
    }

    private static ByteBuffer read(InputStream stream, String name) throws IOException {
        ByteArrayOutputStream content = new ByteArrayOutputStream(1 << 21);
        byte[] part = new byte[1 << 16];
        for (int n = stream.read(part); n >= 0; n = stream.read(part)) {
            content.write(part, 0, n);
            if (content.size() > LARGEST) {
                throw tooLarge(name);
            }
        }
        ByteBuffer bytes = ByteBuffer.allocateDirect(content.size());
        bytes.put(content.toByteArray());
        ((Buffer) bytes).rewind();
        return bytes.order(ByteOrder.nativeOrder());
    }

    private static String nameOf(Context context, Uri uri) {
        try (Cursor cursor = context.getContentResolver().query(
                uri, new String[] {OpenableColumns.DISPLAY_NAME}, null, null, null)) {
            if (cursor != null && cursor.moveToFirst() && cursor.getString(0) != null) {
                return cursor.getString(0);
            }
        } catch (RuntimeException error) {
            // Some providers answer no queries, each in its own way: the address will do.
        }
        return String.valueOf(uri.getLastPathSegment());
    }

    private static AsmnetException unreadable(String name, Exception error) {
        return new AsmnetException("cannot read model " + name + ": " + error.getMessage());
    }

    private static AsmnetException tooLarge(String name) {
        return new AsmnetException(name + " has more than " + (LARGEST >> 20)
                + " MB: it is no model of asmnet-export; choose another file");
    }
}
