package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.cpu.amx.Amx;
import io.github.sgpt4j.backend.cpu.kernel.Largest;
import io.github.sgpt4j.backend.cpu.kernel.Norms;
import io.github.sgpt4j.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;

/// Rows of activations in the form that [Amx] multiplies with weights: the facts of all rows, then
/// the tiles.
///
/// @param memory [#bytes], off-heap
record RowTiles(MemorySegment memory, int rows, int in) {
    /// Bytes for `rows` rows of `in` values.
    static long bytes(int rows, int in) {
        return Amx.tiles(rows) * (Amx.FACT_BYTES + Amx.rowTileBytes(Amx.blocks(in)));
    }

    /// The most bytes of row tiles at a time, unless a single tile of 16 rows has more.
    private static final long MAX_BYTES = 1L << 25;

    /// The most rows of `in` values to convert to tiles at a time.
    static int maxRows(int in) {
        return (int) Math.max(1, MAX_BYTES / Amx.rowTileBytes(Amx.blocks(in))) * Amx.TILE;
    }

    /// Converts rows to tiles, on all threads.
    ///
    /// @param x row 0 starts at index `at`
    /// @param own the caller's scratch, which no task uses: the tiles are valid until it is reused
    static RowTiles split(Workers workers, float[] x, int at, int rows, int in, Scratch own) {
        RowTiles tiles = new RowTiles(own.memory(Scratch.Memory.ROW_TILES, bytes(rows, in)), rows, in);
        workers.parallelFor(tiles.count(), (tile, scratch) -> tiles.split(x, at, tile, scratch));
        return tiles;
    }

    /// The number of row tiles.
    int count() {
        return Amx.tiles(rows);
    }

    private static long facts(int tile) {
        return (long) tile * Amx.FACT_BYTES;
    }

    private long tile(int tile) {
        return facts(count()) + tile * Amx.rowTileBytes(Amx.blocks(in));
    }

    /// Builds one row tile.
    ///
    /// @param x row 0 starts at `at`, the next at `at + in`
    private void split(float[] x, int at, int tile, Scratch scratch) {
        int first = tile * Amx.TILE;
        int count = Math.min(Amx.TILE, rows - first);
        int blocks = Amx.blocks(in);
        int padded = blocks * Amx.BLOCK;
        MemorySegment copy = scratch.memory(Scratch.Memory.ROWS, (long) Amx.TILE * padded * Float.BYTES);
        MemorySegment shifts = scratch.memory(Scratch.Memory.SHIFTS, Amx.SHIFT_BYTES);
        for (int r = 0; r < count; r++) {
            int from = at + (first + r) * in;
            long to = (long) r * padded * Float.BYTES;
            MemorySegment.copy(x, from, copy, LittleEndian.F32, to, in);
            for (int k = in; k < padded; k++) {
                copy.set(LittleEndian.F32, to + (long) k * Float.BYTES, 0f);
            }
            int largest = Largest.bits(x, from, in);
            shifts.set(LittleEndian.F32, (long) r * Float.BYTES, Amx.rowShift(largest));
            long fact = facts(tile) + (long) r * Float.BYTES;
            memory.set(LittleEndian.F32, fact, Amx.rowExponent(largest));
            float spread = Amx.spread(largest, Norms.squares(x, from, in, 0f), in);
            memory.set(LittleEndian.F32, fact + Amx.SECOND_FACTS, spread);
        }
        for (int r = count; r < Amx.TILE; r++) {
            memory.set(LittleEndian.F32, facts(tile) + (long) r * Float.BYTES + Amx.SECOND_FACTS, 0f);
        }
        Amx.splitRows(copy, count, blocks, shifts, memory, tile(tile));
    }

    /// The products of some rows with some column tiles.
    ///
    /// @param firstTile first of `count` row tiles
    /// @param firstColumn first of `columns` column tiles
    /// @return floats `[16 · count][16 · columns]`, valid until the scratch is reused
    MemorySegment multiply(
            int firstTile, int count, TiledMatrix matrix, int firstColumn, int columns, Scratch scratch) {
        long rowBytes = (long) columns * Amx.TILE * Float.BYTES;
        MemorySegment out = scratch.memory(Scratch.Memory.SUMS, count * Amx.TILE * rowBytes);
        MemorySegment own = scratch.memory(Scratch.Memory.LEVELS, Amx.SCRATCH_BYTES);
        int blocks = Amx.blocks(in);
        for (int i = 0; i < columns; i++) {
            int column = firstColumn + i;
            Amx.multiply(
                    memory,
                    tile(firstTile),
                    count,
                    facts(firstTile),
                    matrix.memory(),
                    matrix.tile(column),
                    matrix.facts(column),
                    blocks,
                    out,
                    (long) i * Amx.TILE * Float.BYTES,
                    rowBytes,
                    own);
        }
        return out;
    }
}
