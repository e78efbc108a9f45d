package io.github.sgpt4j.retrieval;

import java.io.IOException;
import java.io.Serial;

/// A document of an index is not what this library writes, though the files are whole.
final class DamagedDocumentException extends IOException {
    @Serial
    private static final long serialVersionUID = 1;

    DamagedDocumentException(String message) {
        super(message);
    }

    DamagedDocumentException(String message, Throwable cause) {
        super(message, cause);
    }
}
