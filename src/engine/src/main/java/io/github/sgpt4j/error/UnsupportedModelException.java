package io.github.sgpt4j.error;

/// A well-formed model asks for a family, module, tokenizer step or option that this library does not implement.
public final class UnsupportedModelException extends SgptException {
    private static final long serialVersionUID = 1L;

    /// @param message one sentence: what, where, expected, got; control characters become escapes
    public UnsupportedModelException(String message) {
        super(message);
    }
}
