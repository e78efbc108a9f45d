package io.github.sgpt4j.cli.search.interactive;

import java.io.Closeable;
import java.util.Optional;

/// Lines that somebody types.
public interface TypedLines extends Closeable {
    /// The next line; empty at the end. A line that was given up (Ctrl-C) is an empty text.
    Optional<String> next();

    /// Columns of the terminal now, 0 if unknown.
    int columns();
}
