package io.github.sgpt4j.backend.cuda;

/// How many tokens a device computes at a time unless the caller asks for another number.
///
/// 256 for each multiprocessor, their number rounded down to a power of two, but from 4,096 to 16,384.
/// With 4,096 tokens of a small model, the tiles of a product fill a large device about twice, and what
/// is left over at the end of a launch counts much. Activations take at most a quarter of the memory
/// that the weights leave: otherwise the number is halved, down to 256 tokens.
final class BatchSize {
    private static final int TOKENS_PER_MULTIPROCESSOR = 256;
    private static final int MAX_TOKENS = 16384;
    private static final int MIN_TOKENS = 4096;
    private static final int MIN_IN_LITTLE_MEMORY = 256;
    private static final int SHARE = 4;

    private BatchSize() {}

    /// @param room bytes of memory that are free beside the weights
    /// @param bytesPerToken bytes of activations
    static int tokens(int multiprocessors, long room, long bytesPerToken) {
        int tokens = Math.clamp(
                (long) TOKENS_PER_MULTIPROCESSOR * Integer.highestOneBit(multiprocessors), MIN_TOKENS, MAX_TOKENS);
        while (tokens > MIN_IN_LITTLE_MEMORY && tokens * bytesPerToken > room / SHARE) {
            tokens /= 2;
        }
        return tokens;
    }
}
