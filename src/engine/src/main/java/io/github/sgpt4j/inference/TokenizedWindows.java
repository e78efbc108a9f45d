package io.github.sgpt4j.inference;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.tokenizer.EncodedText;
import java.util.Optional;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;

/// Texts as token ids, one window at a time. Optionally, the next window is tokenized in the background
/// while the current one is used.
public final class TokenizedWindows implements AutoCloseable {
    /// The token ids of a text, by its index. Safe to share between threads.
    interface Encoding {
        EncodedText encode(int index);
    }

    /// @param first index of the first text
    /// @param texts this text and those after it
    record Window(int first, EncodedText[] texts) {}

    /// Where later windows are tokenized.
    enum Ahead {
        /// Not ahead: each is tokenized on the calling thread on demand.
        NOT,
        /// On one thread in the background.
        ONE_THREAD,
        /// On as many threads as there are processors; so is the first window.
        ALL_PROCESSORS
    }

    private final int count;
    private final int size;
    private final Ahead ahead;
    private final Encoding encoding;
    private final Cancellation cancellation;
    private int from;
    private Optional<Background<EncodedText[]>> next = Optional.empty();

    /// @param count number of texts
    /// @param size number of texts in a window
    /// @param cancellation of the call, checked before each text
    TokenizedWindows(int count, int size, Ahead ahead, Encoding encoding, Cancellation cancellation) {
        this.count = count;
        this.size = size;
        this.ahead = ahead;
        this.encoding = encoding;
        this.cancellation = cancellation;
    }

    /// The next window; empty at the end. One thread at a time.
    Optional<Window> next() {
        if (from >= count) {
            return Optional.empty();
        }
        int first = from;
        int end = Math.min(count, from + size);
        EncodedText[] encoded = next.isPresent() ? next.get().result(cancellation) : encode(first, end);
        from = end;
        next = ahead != Ahead.NOT && end < count
                ? Optional.of(Background.start(
                        () -> encode(end, Math.min(count, end + size)), ForkJoinPool.commonPool()))
                : Optional.empty();
        return Optional.of(new Window(first, encoded));
    }

    private EncodedText[] encode(int first, int end) {
        IntStream indices = IntStream.range(first, end);
        return (ahead == Ahead.ALL_PROCESSORS ? indices.parallel() : indices)
                .mapToObj(this::encode)
                .toArray(EncodedText[]::new);
    }

    private EncodedText encode(int index) {
        cancellation.check();
        return encoding.encode(index);
    }

    /// Waits for the window being tokenized, so nothing runs in the background afterwards.
    @Override
    public void close() {
        next.ifPresent(Background::close);
    }
}
