package io.github.sgpt4j.backend.cuda.ffi;

import io.github.sgpt4j.error.BackendException;
import java.util.OptionalInt;

/// A native call's status, as the cause of a [BackendException] that says it in a sentence.
public final class CudaFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String sentence;
    private final int status;

    private CudaFailure(String sentence, int status) {
        super(sentence, null, false, false);
        this.sentence = sentence;
        this.status = status;
    }

    /// The exception for a call that did not return 0.
    static BackendException of(String call, int status, String name, String text, String advice) {
        String sentence = "%s failed with %s (%d): %s".formatted(call, name, status, text);
        return new BackendException("cuda: " + sentence + advice, new CudaFailure(sentence, status));
    }

    /// What failed and how, without advice.
    public String sentence() {
        return sentence;
    }

    /// The native status.
    public int status() {
        return status;
    }

    /// The native status behind an exception, or empty if it has none.
    public static OptionalInt statusOf(Throwable exception) {
        return exception.getCause() instanceof CudaFailure failure
                ? OptionalInt.of(failure.status)
                : OptionalInt.empty();
    }
}
