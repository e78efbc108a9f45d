package io.github.sgpt4j.scoring;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.IntStream;

/// Texts as token ids, a window at a time; if asked for, the next window is made on other threads while one is used.
final class TokenizedWindows implements AutoCloseable {
    /// A text's token ids. Safe to share between threads.
    interface Encoding {
        int[] encode(String text);
    }

    /// @param first index of the first text
    /// @param ids token ids of this text and those after it
    record Window(int first, int[][] ids) {}

    private final List<String> texts;
    private final int size;
    private final boolean ahead;
    private final Encoding encoding;
    private int from;
    private Optional<CompletableFuture<int[][]>> next = Optional.empty();

    /// @param size texts of a window
    /// @param ahead whether to work ahead, on all processors
    TokenizedWindows(List<String> texts, int size, boolean ahead, Encoding encoding) {
        this.texts = texts;
        this.size = size;
        this.ahead = ahead;
        this.encoding = encoding;
    }

    /// The next window; empty at the end. One thread at a time.
    Optional<Window> next() {
        if (from >= texts.size()) {
            return Optional.empty();
        }
        int first = from;
        int end = Math.min(texts.size(), from + size);
        int[][] ids = next.isPresent() ? joined(next.get()) : encode(first, end);
        from = end;
        next = ahead && end < texts.size()
                ? Optional.of(CompletableFuture.supplyAsync(() -> encode(end, Math.min(texts.size(), end + size))))
                : Optional.empty();
        return Optional.of(new Window(first, ids));
    }

    private int[][] encode(int first, int end) {
        IntStream indices = IntStream.range(first, end);
        return (ahead ? indices.parallel() : indices)
                .mapToObj(i -> encoding.encode(texts.get(i)))
                .toArray(int[][]::new);
    }

    private static int[][] joined(CompletableFuture<int[][]> future) {
        try {
            return future.join();
        } catch (CompletionException e) {
            switch (e.getCause()) {
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                case null, default -> throw e;
            }
        }
    }

    /// Waits for what is being made: nothing goes on in the background afterwards.
    @Override
    public void close() {
        next.ifPresent(
                future -> future.handle((ids, failure) -> failure == null).join());
    }
}
