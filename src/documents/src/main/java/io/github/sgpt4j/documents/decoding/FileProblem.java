package io.github.sgpt4j.documents.decoding;

import java.io.IOException;

/// A file that cannot be read as a document. The message is the reason, without the file's name.
public class FileProblem extends IOException {
    private static final long serialVersionUID = 1L;

    /// @param reason such as `encrypted`
    public FileProblem(String reason) {
        super(reason);
    }

    /// @param reason such as `encrypted`
    /// @param cause the underlying failure
    public FileProblem(String reason, Throwable cause) {
        super(reason, cause);
    }
}
