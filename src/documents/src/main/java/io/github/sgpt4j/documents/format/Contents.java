package io.github.sgpt4j.documents.format;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/// The documents of an open file, one by one.
public interface Contents extends Closeable {
    /// The next document, or nothing at the end.
    ///
    /// @throws IOException if the file cannot be read further
    Optional<Content> next() throws IOException;

    /// One document that is in memory.
    static Contents of(Content content) {
        Deque<Content> left = new ArrayDeque<>(List.of(content));
        return new Contents() {
            @Override
            public Optional<Content> next() {
                return Optional.ofNullable(left.poll());
            }

            @Override
            public void close() {
                left.clear();
            }
        };
    }
}
