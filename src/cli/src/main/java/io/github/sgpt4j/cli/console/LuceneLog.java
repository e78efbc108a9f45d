package io.github.sgpt4j.cli.console;

import java.util.logging.Level;
import java.util.logging.Logger;

/// Lucene tells through `java.util.logging`, on stderr, which of its implementations it chose; nobody asked.
public final class LuceneLog {
    /// Kept, since the log manager forgets loggers, and their levels, that nobody holds.
    private static final Logger LOGGER = Logger.getLogger("org.apache.lucene");

    private LuceneLog() {}

    public static void silence() {
        LOGGER.setLevel(Level.SEVERE);
    }
}
