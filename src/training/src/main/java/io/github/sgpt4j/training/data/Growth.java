package io.github.sgpt4j.training.data;

/// How lists grow.
final class Growth {
    private static final int MAX_LENGTH = Integer.MAX_VALUE - 16;

    private Growth() {}

    /// The next length of a full array: half as much again.
    static int of(int length) {
        if (length == MAX_LENGTH) {
            throw new IllegalStateException("more than %d entries".formatted(length));
        }
        return (int) Math.min(MAX_LENGTH, length + (long) (length >> 1) + 1);
    }
}
