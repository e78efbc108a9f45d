package io.github.sgpt4j.inference;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.tokenizer.EncodedText;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;

/// Texts as token ids, one window at a time. Optionally, the next window is tokenized in the background
/// while the current one is used.
public final class TokenizedWindows implements AutoCloseable {
    /// A text's token ids. Safe to share between threads.
    interface Encoding {
        EncodedText encode(String text);
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

    private final List<String> texts;
    private final int size;
    private final Ahead ahead;
    private final Encoding encoding;
    private final Cancellation cancellation;
    private int from;
    private Optional<Background<EncodedText[]>> next = Optional.empty();

    /// @param size number of texts in a window
    /// @param cancellation of the call, checked before each text
    TokenizedWindows(List<String> texts, int size, Ahead ahead, Encoding encoding, Cancellation cancellation) {
        this.texts = texts;
        this.size = size;
        this.ahead = ahead;
        this.encoding = encoding;
        this.cancellation = cancellation;
    }

    /// The next window; empty at the end. One thread at a time.
    Optional<Window> next() {
        if (from >= texts.size()) {
            return Optional.empty();
        }
        int first = from;
        int end = Math.min(texts.size(), from + size);
        EncodedText[] encoded = next.isPresent() ? next.get().result(cancellation) : encode(first, end);
        from = end;
        next = ahead != Ahead.NOT && end < texts.size()
                ? Optional.of(Background.start(
                        () -> encode(end, Math.min(texts.size(), end + size)), ForkJoinPool.commonPool()))
                : Optional.empty();
        return Optional.of(new Window(first, encoded));
    }

    private EncodedText[] encode(int first, int end) {
        IntStream indices = IntStream.range(first, end);
        return (ahead == Ahead.ALL_PROCESSORS ? indices.parallel() : indices)
                .mapToObj(i -> encode(texts.get(i)))
                .toArray(EncodedText[]::new);
    }

    private EncodedText encode(String text) {
        cancellation.check();
        return encoding.encode(text);
    }

    /// Waits for the window being tokenized, so nothing runs in the background afterwards.
    @Override
    public void close() {
        next.ifPresent(Background::close);
    }
}
