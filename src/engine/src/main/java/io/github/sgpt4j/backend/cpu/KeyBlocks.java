package io.github.sgpt4j.backend.cpu;

/// Keys and values of one key head, block by block of [AttentionTask#BLOCK] positions of a sequence, as attention
/// multiplies with them. Belongs to one thread.
interface KeyBlocks {
    /// Begins with a tree of segments that has so many blocks.
    void begin(Attention attention, int kvHead, int blocks);

    /// Lets go of what belongs to others or is too large to be kept.
    void end();

    /// Scores `K · Qᵀ` of keys `[from, to)` of a block, and of some before `from`, whose scores mean nothing.
    ///
    /// @param owner the segment whose last key in the block is the last that there is
    /// @param size keys in the block
    /// @param from a multiple of [io.github.sgpt4j.backend.cpu.kernel.Tiles#CHUNK]
    /// @param queries `[dim][TILE_COLUMNS]`
    /// @param scores `[to − first][TILE_COLUMNS]`
    /// @return the first key with a score
    int scores(int owner, int block, int size, int from, int to, Floats queries, Floats scores);

    /// Adds `Vᵀ · P` of keys `[from, to)` of a block that [#scores] was just asked for.
    ///
    /// @param weights `[to − from][TILE_COLUMNS]` from index `at` on
    /// @param weighted `[dim][TILE_COLUMNS]`, and room for whole tiles
    void addValues(int owner, int block, int size, int from, int to, Floats weights, int at, Floats weighted);
}
