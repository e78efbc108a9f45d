package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.cpu.amx.Amx;
import io.github.sgpt4j.backend.cpu.kernel.Activations;
import io.github.sgpt4j.backend.cpu.kernel.ProductCopies;
import java.lang.foreign.MemorySegment;

/// One linear layer on one block of activations on the matrix unit: `out = activation(x · Wᵀ + b)` or
/// `out += x · Wᵀ + b`.
///
/// Rows are converted to tiles once, for all threads. Then each task multiplies some of them, as
/// many as stay in the second-level cache, with some column tiles. A row's results do not depend on
/// the other rows or on the number of threads.
final class TiledProduct {
    /// Most bytes of row tiles per task.
    private static final long TASK_BYTES = 1L << 20;

    /// Column tiles whose results are written to the output together, as that many neighbouring
    /// cache lines of each row.
    private static final int GROUP = 8;

    private final TiledMatrix matrix;
    private final Activation activation;
    private final boolean add;
    private final CpuTensor out;
    private final int firstRow;
    private final RowTiles tiles;

    private TiledProduct(
            TiledMatrix matrix, Activation activation, boolean add, CpuTensor out, int firstRow, RowTiles tiles) {
        this.matrix = matrix;
        this.activation = activation;
        this.add = add;
        this.out = out;
        this.firstRow = firstRow;
        this.tiles = tiles;
    }

    static void run(
            Workers workers, CpuTensor x, TiledMatrix matrix, Activation activation, boolean add, CpuTensor out) {
        // A loop of one task, for its scratch; the loops inside use others.
        workers.parallelFor(1, (one, own) -> {
            // Threads wait for one another at the end of each slab of rows: the fewer slabs, the
            // better.
            int most = workers.available() == 1 ? Amx.TILE * tilesPerTask(matrix.in()) : RowTiles.maxRows(matrix.in());
            for (int first = 0; first < x.rows(); first += most) {
                int count = Math.min(most, x.rows() - first);
                RowTiles tiles = RowTiles.split(workers, x.data(), x.offset(first), count, matrix.in(), own);
                new TiledProduct(matrix, activation, add, out, first, tiles).run(workers);
            }
        });
    }

    /// Most row tiles per task.
    private static int tilesPerTask(int in) {
        return (int) Math.max(1, TASK_BYTES / Amx.rowTileBytes(Amx.blocks(in)));
    }

    private void run(Workers workers) {
        int most = tilesPerTask(matrix.in());
        int blocks = (tiles.count() + most - 1) / most;
        int groups = workers.piecesOfEach(blocks, matrix.columnTiles());
        workers.parallelFor(blocks * groups, (task, scratch) -> {
            int block = task / groups;
            int group = task % groups;
            int first = (int) ((long) tiles.count() * block / blocks);
            int count = (int) ((long) tiles.count() * (block + 1) / blocks) - first;
            int from = (int) ((long) matrix.columnTiles() * group / groups);
            int to = (int) ((long) matrix.columnTiles() * (group + 1) / groups);
            for (int column = from; column < to; column += GROUP) {
                columns(first, count, column, Math.min(GROUP, to - column), scratch);
            }
        });
    }

    private void columns(int firstTile, int count, int firstColumn, int tileColumns, Scratch scratch) {
        MemorySegment products = tiles.multiply(firstTile, count, matrix, firstColumn, tileColumns, scratch);
        int first = firstTile * Amx.TILE;
        int rows = Math.min(count * Amx.TILE, tiles.rows() - first);
        int stride = matrix.out();
        int column = firstColumn * Amx.TILE;
        int width = tileColumns * Amx.TILE;
        int columns = Math.min(width, stride - column);
        int at = out.offset(firstRow + first) + column;
        ProductCopies.put(products, width, rows, columns, matrix.bias(), column, add, out.data(), at, stride);
        if (activation != Activation.NONE) {
            for (int r = 0; r < rows; r++) {
                Activations.apply(activation, out.data(), at + r * stride, columns);
            }
        }
    }
}
