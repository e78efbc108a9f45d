package io.github.sgpt4j.backend.cpu;

/// Keys and values of one key head, block by block of [AttentionTask#BLOCK] positions of a sequence, as attention
/// multiplies with them. Belongs to one thread.
interface KeyBlocks {
    /// Begins a tree of segments with `blocks` blocks.
    void begin(Attention attention, int kvHead, int blocks);

    /// Drops references to memory of others and to arrays that are too large to keep.
    void end();

    /// Scores `K · Qᵀ` of keys `[from, to)` of a block, and perhaps of some keys before `from`,
    /// which the caller masks.
    ///
    /// @param owner the segment that holds the block's last key, see [CpuBatch#blockOwner]
    /// @param size keys in the block
    /// @param from a multiple of [io.github.sgpt4j.backend.cpu.kernel.Tiles#CHUNK]
    /// @param queries `[dim][TILE_COLUMNS]`
    /// @param scores `[to − first][TILE_COLUMNS]`
    /// @return the first key with a score
    int scores(int owner, int block, int size, int from, int to, Floats queries, Floats scores);

    /// Adds `Vᵀ · P` of keys `[from, to)` of the block that [#scores] was last called for.
    ///
    /// @param weights `[to − from][TILE_COLUMNS]` from index `at` on
    /// @param weighted `[dim][TILE_COLUMNS]`, padded to whole tiles
    void addValues(int owner, int block, int size, int from, int to, Floats weights, int at, Floats weighted);
}
