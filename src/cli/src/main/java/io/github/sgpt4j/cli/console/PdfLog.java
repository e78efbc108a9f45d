package io.github.sgpt4j.cli.console;

import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;

/// Silences PDFBox's log: what it finds odd in a file is not for users; that a file cannot be read is told.
public final class PdfLog {
    /// Strong references: the log manager drops unreferenced loggers together with their levels.
    private static final List<Logger> LOGGERS =
            List.of(Logger.getLogger("org.apache.pdfbox"), Logger.getLogger("org.apache.fontbox"));

    private PdfLog() {}

    public static void silence() {
        LOGGERS.forEach(logger -> logger.setLevel(Level.OFF));
    }
}
