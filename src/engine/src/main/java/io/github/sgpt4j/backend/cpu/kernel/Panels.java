package io.github.sgpt4j.backend.cpu.kernel;

/// How packed weights lie in memory: panels of `TILE_COLUMNS` output features, `[half][stream][chunk][CHUNK][LANES]`.
///
/// A panel's left and right vectors lie apart, and of each, chunks of [Tiles#CHUNK] input features go to [#STREAMS]
/// places in turn, so that a tile reads its panel at four places at a time. A processor fetches a limited number of
/// cache lines ahead at each place it sees being read: where few rows meet many weights, and reading those from memory
/// decides, one place is slower than four by a half. What is missing of the last chunks is zeros.
public final class Panels {
    /// Places at which a half is read.
    public static final int STREAMS = 2;

    private Panels() {}

    /// Elements of one stream of a half of `in` input features.
    public static long stream(int in) {
        int chunks = Tiles.paddedDepth(in) / Tiles.CHUNK;
        return (chunks + STREAMS - 1L) / STREAMS * Tiles.CHUNK * Simd.LANES;
    }

    /// Elements of a panel.
    public static long size(int in) {
        return 2 * STREAMS * stream(in);
    }

    /// Where a chunk begins, in elements from the start of its panel.
    ///
    /// @param half 0 for the left vector, 1 for the right one
    public static long chunk(int in, int half, int chunk) {
        return (half * STREAMS + chunk % STREAMS) * stream(in) + (long) (chunk / STREAMS) * Tiles.CHUNK * Simd.LANES;
    }
}
