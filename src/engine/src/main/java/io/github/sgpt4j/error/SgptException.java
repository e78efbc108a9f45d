package io.github.sgpt4j.error;

/// The base class of all failures that this library reports on purpose. The message is one sentence
/// that says what was being read or computed, where (file, tensor, byte offset, operation), what was
/// expected and what was found.
///
/// @see FormatException a broken or missing file, or a wrong value
/// @see UnsupportedModelException a well-formed model that needs an unsupported feature
/// @see BackendException a device, data type or amount of memory that is unavailable
/// @see CancelledException a call whose thread was interrupted
public abstract sealed class SgptException extends RuntimeException
        permits FormatException, UnsupportedModelException, BackendException, CancelledException {
    private static final long serialVersionUID = 1L;

    SgptException(String message) {
        super(oneLine(message));
    }

    SgptException(String message, Throwable cause) {
        super(oneLine(message), cause);
    }

    /// Messages quote names from untrusted files: control characters and line ends become escapes.
    private static String oneLine(String message) {
        if (message.chars().noneMatch(SgptException::breaks)) {
            return message;
        }
        StringBuilder line = new StringBuilder(message.length() + 16);
        for (int i = 0; i < message.length(); i++) {
            char c = message.charAt(i);
            if (breaks(c)) {
                line.append("\\u%04x".formatted((int) c));
            } else {
                line.append(c);
            }
        }
        return line.toString();
    }

    private static boolean breaks(int c) {
        return Character.isISOControl(c) || Character.getType(c) == Character.FORMAT || c == '\u2028' || c == '\u2029';
    }
}
