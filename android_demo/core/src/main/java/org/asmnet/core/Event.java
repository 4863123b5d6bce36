package org.asmnet.core;

/** Something that a face did. */
public final class Event {
    /** What. */
    public enum Kind {
        /** Both eyes closed and opened again. */
        BLINK("blink"),
        /** The mouth stood wide open for a while. */
        YAWN("yawn");

        /** As records write it. */
        public final String word;

        Kind(String word) {
            this.word = word;
        }
    }

    /** What it was. */
    public final Kind kind;
    /** Seconds, by the clock of the frames. */
    public final double start;
    /** Seconds: of the frame with which it ended. */
    public final double end;

    /** See the fields. */
    public Event(Kind kind, double start, double end) {
        this.kind = kind;
        this.start = start;
        this.end = end;
    }
}
