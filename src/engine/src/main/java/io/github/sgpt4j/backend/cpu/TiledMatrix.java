package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.cpu.amx.Amx;
import java.lang.foreign.MemorySegment;

/// A weight matrix as the matrix unit reads it, 3 bytes for a weight: column tile after column tile of
/// [Amx#TILE] output features, those that are missing in the last one zeros; then the facts of
/// all tiles.
///
/// @param memory off-heap, [#bytes]
/// @param bias of whole column tiles at least, zeros where there is none
record TiledMatrix(int in, int out, MemorySegment memory, float[] bias) {
    int columnTiles() {
        return Amx.tiles(out);
    }

    /// Bytes of [#memory].
    static long bytes(int in, int out) {
        return Math.multiplyExact(Amx.tiles(out), Amx.columnTileBytes(Amx.blocks(in)) + Amx.FACT_BYTES);
    }

    /// Where a column tile begins.
    long tile(int index) {
        return index * Amx.columnTileBytes(Amx.blocks(in));
    }

    /// Where its facts begin.
    long facts(int index) {
        return tile(columnTiles()) + (long) index * Amx.FACT_BYTES;
    }
}
