package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.cpu.amx.Amx;
import java.lang.foreign.MemorySegment;

/// A weight matrix as the matrix unit reads it, 3 bytes per weight: column tiles of [Amx#TILE]
/// output features, padded with zeros in the last one; then the facts of all tiles.
///
/// @param memory off-heap, [#bytes]
/// @param bias padded to whole column tiles at least, zeros if there is no bias
record TiledMatrix(int in, int out, MemorySegment memory, float[] bias) {
    int columnTiles() {
        return Amx.tiles(out);
    }

    /// Bytes of [#memory].
    static long bytes(int in, int out) {
        return Math.multiplyExact(Amx.tiles(out), Amx.columnTileBytes(Amx.blocks(in)) + Amx.FACT_BYTES);
    }

    /// The byte offset of a column tile.
    long tile(int index) {
        return index * Amx.columnTileBytes(Amx.blocks(in));
    }

    /// The byte offset of a column tile's facts.
    long facts(int index) {
        return tile(columnTiles()) + (long) index * Amx.FACT_BYTES;
    }
}
