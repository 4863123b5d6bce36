package org.asmnet.demo

import java.util.Locale
import org.asmnet.core.Event
import org.asmnet.core.Face

/** A line about the first face: how far away it is, its eyes, its blinks so far. */
class FaceLine {
    private var id = -1
    private var blinks = 0

    /** Count what the faces of a frame did. */
    fun count(faces: List<Face>) {
        val face = faces.firstOrNull() ?: return
        if (face.id != id) blinks = 0
        id = face.id
        for (n in face.events.indices) {
            if (face.events[n].kind == Event.Kind.BLINK) blinks++
        }
    }

    /** The line, for the faces counted last. */
    fun text(faces: List<Face>): String {
        val face = faces.firstOrNull() ?: return "no face"
        val centimetres = face.position[2] / 10
        val open = 100 * face.eyes.average()
        return String.format(
            Locale.ROOT,
            "face %d: %.0f cm, eyes %.0f %% open, blinks %d",
            face.id,
            centimetres,
            open,
            blinks,
        )
    }
}
