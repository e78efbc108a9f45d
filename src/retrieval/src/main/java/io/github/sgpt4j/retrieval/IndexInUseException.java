package io.github.sgpt4j.retrieval;

import java.io.IOException;
import java.nio.file.Path;

/// Something else is writing this index, perhaps another process. Reading stays possible.
public final class IndexInUseException extends IOException {
    private static final long serialVersionUID = 1L;

    IndexInUseException(Path index, Throwable cause) {
        super(
                index + ": expected no other writer, but another process or object is writing this index;"
                        + " wait for it to end, or open the index read-only",
                cause);
    }
}
