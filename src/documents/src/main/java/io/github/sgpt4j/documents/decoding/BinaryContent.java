package io.github.sgpt4j.documents.decoding;

/// The bytes of a file are no text in an encoding that is known here.
public final class BinaryContent extends FileProblem {
    private static final long serialVersionUID = 1L;

    /// @param reason such as `byte 0 at offset 12`
    public BinaryContent(String reason) {
        super(reason);
    }
}
