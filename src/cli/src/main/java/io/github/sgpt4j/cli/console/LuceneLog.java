package io.github.sgpt4j.cli.console;

import java.util.logging.Level;
import java.util.logging.Logger;

/// Silences Lucene's log, which reports on stderr which of its implementations it chose.
public final class LuceneLog {
    /// A strong reference: the log manager drops unreferenced loggers together with their levels.
    private static final Logger LOGGER = Logger.getLogger("org.apache.lucene");

    private LuceneLog() {}

    public static void silence() {
        LOGGER.setLevel(Level.SEVERE);
    }
}
