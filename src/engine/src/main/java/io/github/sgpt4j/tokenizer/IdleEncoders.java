package io.github.sgpt4j.tokenizer;

import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// Encoders that wait for their next text. Safe to share between threads, which seldom meet: each looks in the slot
/// that its number leads to.
final class IdleEncoders {
    /// Texts of more characters than this leave no encoder behind: it would keep too much room.
    private static final int MAX_TEXT_LENGTH = 1 << 16;

    private static final int MAX_SLOTS = 64;

    private final AtomicReferenceArray<@Nullable Encoder> slots = new AtomicReferenceArray<>(
            Math.min(MAX_SLOTS, 2 * Runtime.getRuntime().availableProcessors()));

    /// An encoder that nobody else has, or null if a new one is needed.
    @Nullable
    Encoder take() {
        return slots.getAndSet(slot(), null);
    }

    /// Gives back an encoder, or a new one.
    ///
    /// @param text what it has encoded last
    void give(Encoder encoder, String text) {
        if (text.length() <= MAX_TEXT_LENGTH) {
            slots.set(slot(), encoder);
        }
    }

    private int slot() {
        return (int) (Thread.currentThread().threadId() % slots.length());
    }
}
