package org.asmnet.demo

import android.content.ContentProvider
import android.content.ContentValues
import android.database.Cursor
import android.database.MatrixCursor
import android.net.Uri
import android.os.ParcelFileDescriptor
import android.provider.OpenableColumns
import java.io.File
import java.io.FileNotFoundException

/** Lets the app that the user chose read one trace. (FileProvider would need AndroidX.) */
class TraceProvider : ContentProvider() {
    override fun onCreate() = true

    private fun fileOf(uri: Uri): File {
        val folder = Recording.folder(requireNotNull(context)).canonicalFile
        val file = File(folder, uri.lastPathSegment ?: "").canonicalFile
        if (uri.pathSegments.size != 1 || file.parentFile != folder || !file.isFile) {
            throw FileNotFoundException("there is no trace $uri")
        }
        return file
    }

    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor {
        if (mode != "r") throw SecurityException("traces are read-only, mode '$mode' is not 'r'")
        return ParcelFileDescriptor.open(fileOf(uri), ParcelFileDescriptor.MODE_READ_ONLY)
    }

    override fun query(
        uri: Uri,
        projection: Array<out String>?,
        selection: String?,
        arguments: Array<out String>?,
        order: String?,
    ): Cursor? {
        val file = try {
            fileOf(uri)
        } catch (_: FileNotFoundException) {
            return null
        }
        val columns = projection ?: arrayOf(OpenableColumns.DISPLAY_NAME, OpenableColumns.SIZE)
        val row = columns.map {
            when (it) {
                OpenableColumns.DISPLAY_NAME -> file.name
                OpenableColumns.SIZE -> file.length()
                else -> null
            }
        }
        return MatrixCursor(columns, 1).apply { addRow(row) }
    }

    override fun getType(uri: Uri) = TYPE

    override fun insert(uri: Uri, values: ContentValues?): Uri? = readOnly()

    override fun update(
        uri: Uri,
        values: ContentValues?,
        selection: String?,
        arguments: Array<out String>?,
    ): Int = readOnly()

    override fun delete(uri: Uri, selection: String?, arguments: Array<out String>?): Int =
        readOnly()

    private fun readOnly(): Nothing = throw UnsupportedOperationException("traces are read-only")

    companion object {
        const val TYPE = "application/x-ndjson"

        // As in the manifest.
        private const val AUTHORITY = "org.asmnet.demo.traces"

        fun uriOf(file: File): Uri =
            Uri.parse("content://$AUTHORITY/${Uri.encode(file.name)}")
    }
}
