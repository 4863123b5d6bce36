package org.asmnet.core;

/** Bad input: one sentence that names the offending value and the remedy. */
public final class AsmnetException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** @param message the sentence, fit for showing to the user */
    public AsmnetException(String message) {
        super(message);
    }
}
