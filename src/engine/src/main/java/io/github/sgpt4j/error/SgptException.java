package io.github.sgpt4j.error;

/// The root of every failure that this library reports on purpose. The message is one sentence that says what
/// was being read or computed, where (file, tensor, byte offset, operation), what was expected and what was found.
///
/// @see FormatException a file or value that does not hold what it should
/// @see UnsupportedModelException a well-formed model that needs something this library lacks
/// @see BackendException a device, data type or amount of memory that cannot be had
public abstract sealed class SgptException extends RuntimeException
        permits FormatException, UnsupportedModelException, BackendException {
    private static final long serialVersionUID = 1L;

    SgptException(String message) {
        super(message);
    }

    SgptException(String message, Throwable cause) {
        super(message, cause);
    }
}
