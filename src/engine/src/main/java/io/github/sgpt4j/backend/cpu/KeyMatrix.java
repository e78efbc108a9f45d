package io.github.sgpt4j.backend.cpu;

/// The keys of one key head of one sequence, or its values, `[keys][dim]`, as the gradient of attention multiplies with
/// them. Belongs to one thread.
interface KeyMatrix {
    /// Begins with another matrix.
    ///
    /// @param column where its rows begin in those of `qkv`
    void begin(AttentionGradient gradient, int segment, int column);

    /// Drops references to memory of others.
    void end();

    /// `out[j] = matrix[first + j] · right` for `count` rows; some more rows of `out`, fewer than
    /// [io.github.sgpt4j.backend.cpu.kernel.Simd#TILE_ROWS], may become anything.
    ///
    /// @param first a multiple of [io.github.sgpt4j.backend.cpu.kernel.Tiles#CHUNK]
    /// @param right `[dim][TILE_COLUMNS]` from index `rightAt` on
    /// @param out `[count][TILE_COLUMNS]` from index `outAt` on
    void multiply(int first, int count, Floats right, int rightAt, Floats out, int outAt);

    /// `out += matrixᵀ · right`, over `count` rows of the matrix.
    ///
    /// @param first a multiple of [io.github.sgpt4j.backend.cpu.kernel.Tiles#CHUNK]
    /// @param right `[count][TILE_COLUMNS]`
    /// @param out `[dim][TILE_COLUMNS]` from index `outAt` on, padded to whole tiles
    void addTransposed(int first, int count, Floats right, Floats out, int outAt);
}
