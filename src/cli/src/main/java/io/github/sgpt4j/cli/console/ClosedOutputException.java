package io.github.sgpt4j.cli.console;

import java.io.IOException;
import java.util.Locale;

/// Nobody reads stdout any more, as in `sgpt … | head -1`; the command ends quietly.
public final class ClosedOutputException extends IOException {
    private static final long serialVersionUID = 1L;

    public ClosedOutputException(IOException cause) {
        super(cause.getMessage(), cause);
    }

    /// Whether writing to stdout failed because its reader is gone; operating systems tell it by message only.
    public static boolean describes(IOException e) {
        String message = e.getMessage();
        return message != null && message.toLowerCase(Locale.ROOT).contains("pipe");
    }
}
