package org.asmnet.demo

import android.content.Context
import android.net.Uri
import org.asmnet.android.Asmnet
import org.asmnet.android.ModelFile

/** The landmark models to choose from: assets of the app, and the user's own files. */
object Models {
    private const val ASSETS = "file:///android_asset/"
    private const val ENDING = ".tflite"
    private val DETECTORS = setOf(Asmnet.DETECTOR, Asmnet.TURNED_DETECTOR)

    val DEFAULT: Uri = Uri.parse(ASSETS + "asmnet-spatial-68-112-int8.tflite")

    /** The shipped ones, the default first. */
    fun shipped(context: Context): List<Uri> = context.assets.list("").orEmpty()
        .filter { it.endsWith(ENDING) && it !in DETECTORS }
        .map { Uri.parse(ASSETS + it) }
        .sortedBy { it != DEFAULT }

    /** How to call a shipped one. */
    fun name(model: Uri): String = model.lastPathSegment.orEmpty().removeSuffix(ENDING)

    /**
     * Its content. A document may come over the network: not on the main thread.
     *
     * @throws org.asmnet.core.AsmnetException it cannot be read
     */
    fun file(context: Context, model: Uri): ModelFile =
        if (model.scheme == "file") {
            ModelFile.asset(context, model.lastPathSegment.orEmpty())
        } else {
            ModelFile.uri(context, model)
        }
}
