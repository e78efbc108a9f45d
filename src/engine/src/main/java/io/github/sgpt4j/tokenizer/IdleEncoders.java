package io.github.sgpt4j.tokenizer;

import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// Idle encoders for reuse. Safe to share between threads with little contention: each thread uses the
/// slot that its id selects.
final class IdleEncoders {
    /// An encoder is not kept after a text of more characters: its buffers would be too large.
    private static final int MAX_TEXT_LENGTH = 1 << 16;

    private static final int MAX_SLOTS = 64;

    private final AtomicReferenceArray<@Nullable Encoder> slots = new AtomicReferenceArray<>(
            Math.min(MAX_SLOTS, 2 * Runtime.getRuntime().availableProcessors()));

    /// An idle encoder, or null if a new one is needed.
    @Nullable
    Encoder take() {
        return slots.getAndSet(slot(), null);
    }

    /// Makes an encoder available for reuse.
    ///
    /// @param text the text that it encoded last
    void give(Encoder encoder, String text) {
        if (text.length() <= MAX_TEXT_LENGTH) {
            slots.set(slot(), encoder);
        }
    }

    private int slot() {
        return (int) (Thread.currentThread().threadId() % slots.length());
    }
}
