package io.github.sgpt4j.cli.console;

import java.io.IOException;
import java.util.Locale;

/// The reader of stdout is gone, as in `sgpt … | head -1`; the command ends quietly.
public final class ClosedOutputException extends IOException {
    private static final long serialVersionUID = 1L;

    public ClosedOutputException(IOException cause) {
        super(cause.getMessage(), cause);
    }

    /// Whether writing to stdout failed because its reader is gone; only the message reveals that.
    public static boolean describes(IOException e) {
        String message = e.getMessage();
        return message != null && message.toLowerCase(Locale.ROOT).contains("pipe");
    }
}
