package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.cpu.Attention.Queries;
import io.github.sgpt4j.backend.cpu.Scratch.Use;
import io.github.sgpt4j.backend.cpu.kernel.OnlineSoftmax;
import io.github.sgpt4j.backend.cpu.kernel.Packing;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.Tiles;
import io.github.sgpt4j.batch.PackedBatch;
import java.util.Arrays;
import java.util.List;

/// Attention of some of a tree's queries with one key head, block by block with a running softmax.
///
/// Everything is computed transposed, with a panel of `TILE_COLUMNS` queries across the vector lanes: scores
/// `K · Qᵀ` are `[keys][queries]`, so the softmax works on whole vectors and its result is, as it lies, the right
/// operand of `Vᵀ · P`, `[dims][queries]`. A panel holds queries of one head, or, where a segment is short, of several
/// heads of the group.
final class AttentionTask {
    private static final int COLUMNS = Simd.TILE_COLUMNS;

    /// Keys per block: scores of that many are 24 KiB at the widest. A multiple of every full tile's height and of
    /// [Tiles#CHUNK].
    static final int BLOCK = 192;

    private static final float[] ZEROS = new float[COLUMNS];

    private final Attention attention;
    private final PackedBatch batch;
    private final AttentionParameters parameters;
    private final int kvHead;
    private final int dim;
    /// Values of a packed key: `dim`, rounded up.
    private final int keyDepth;
    /// Rows of the output's tiles: `dim`, rounded up.
    private final int paddedDim;
    /// Packed keys and values: for every block of every segment of the tree, key tiles then value tiles.
    private final float[] keysAndValues;

    private final int[] firstBlock;
    private final boolean[] packed;
    private final float[] queries;
    private final float[] scores;
    private final float[] weighted;
    private final OnlineSoftmax.State state = new OnlineSoftmax.State();
    private final float[] positions = new float[COLUMNS];
    private final float[] slopes = new float[COLUMNS];

    AttentionTask(Attention attention, int[] tree, int kvHead, Scratch scratch) {
        this.attention = attention;
        this.batch = attention.batch().packed();
        this.parameters = attention.parameters();
        this.kvHead = kvHead;
        this.dim = parameters.headDim();
        this.keyDepth = Tiles.paddedDepth(dim);
        this.paddedDim = Tiles.paddedRows(dim);
        // Indexed by segment; a tree's segments lie between its first and its last.
        this.firstBlock = new int[tree[tree.length - 1] + 1];
        int blocks = 0;
        for (int segment : tree) {
            firstBlock[segment] = blocks;
            blocks += (batch.length(segment) + BLOCK - 1) / BLOCK;
        }
        this.packed = new boolean[blocks];
        this.keysAndValues = scratch.floats(Use.KEYS_AND_VALUES, Math.multiplyExact(blocks, blockSize()));
        this.queries = scratch.floats(Use.QUERIES, dim * COLUMNS);
        this.scores = scratch.floats(Use.SCORES, BLOCK * COLUMNS);
        this.weighted = scratch.floats(Use.WEIGHTED_VALUES, paddedDim * COLUMNS);
    }

    private int blockSize() {
        return BLOCK * (keyDepth + paddedDim);
    }

    void run(List<Queries> pieces) {
        int group = parameters.heads() / parameters.kvHeads();
        for (Queries piece : pieces) {
            int length = piece.to() - piece.from();
            int together = Math.min(group, COLUMNS / length);
            for (int head = 0; head < group; head += together) {
                panel(piece, kvHead * group + head, Math.min(together, group - head));
            }
        }
    }

    /// One panel: the queries of `heads` heads, head after head.
    private void panel(Queries piece, int firstHead, int heads) {
        load(piece, firstHead, heads);
        int depth = attention.batch().depth(piece.segment());
        int lowest = parameters.window() == 0 ? 0 : Math.max(0, depth + piece.from() - parameters.window() + 1);
        chain(piece.segment(), batch.parents()[piece.segment()], lowest, depth + piece.from());
        segment(piece.segment(), piece.to(), lowest, depth + piece.from());
        store(piece, firstHead, heads);
    }

    private void load(Queries piece, int firstHead, int heads) {
        int length = piece.to() - piece.from();
        int depth = attention.batch().depth(piece.segment());
        Arrays.fill(queries, 0, dim * COLUMNS, 0f);
        Arrays.fill(weighted, 0, paddedDim * COLUMNS, 0f);
        state.reset();
        // Lanes without a query compute with a position that exists and zeros, and are not stored.
        Arrays.fill(positions, depth + piece.from());
        Arrays.fill(slopes, 0f);
        for (int h = 0; h < heads; h++) {
            for (int i = 0; i < length; i++) {
                int column = h * length + i;
                int row = batch.start(piece.segment()) + piece.from() + i;
                int at = attention.qkvRow(row) + (firstHead + h) * dim;
                Packing.column(attention.qkv(), at, dim, parameters.scale(), queries, column, COLUMNS);
                positions[column] = depth + piece.from() + i;
                slopes[column] =
                        parameters.slopes().length == 0 ? 0f : parameters.slopes()[firstHead + h];
            }
        }
    }

    private void store(Queries piece, int firstHead, int heads) {
        int length = piece.to() - piece.from();
        for (int h = 0; h < heads; h++) {
            for (int i = 0; i < length; i++) {
                int column = h * length + i;
                int row = batch.start(piece.segment()) + piece.from() + i;
                int at = attention.outRow(row) + (firstHead + h) * dim;
                Packing.row(weighted, column, COLUMNS, dim, 1f / state.sum(column), attention.out(), at);
            }
        }
    }

    /// All keys of the ancestors, the first one's first.
    private void chain(int ancestor, int parent, int lowest, int firstQuery) {
        int[] path = new int[batch.segments()];
        int length = 0;
        for (int s = parent; s != PackedBatch.NO_PARENT; s = batch.parents()[s]) {
            path[length++] = s;
        }
        for (int i = length - 1; i >= 0; i--) {
            segment(path[i], batch.length(path[i]), lowest, firstQuery);
        }
    }

    /// Keys `[0, end)` of a segment, without the blocks before position `lowest`.
    private void segment(int segment, int end, int lowest, int firstQuery) {
        int depth = attention.batch().depth(segment);
        int first = Math.max(0, lowest - depth) / BLOCK;
        for (int block = first; block * BLOCK < end; block++) {
            int size = Math.min(BLOCK, batch.length(segment) - block * BLOCK);
            int from = Math.max(0, lowest - depth - block * BLOCK) / Tiles.CHUNK * Tiles.CHUNK;
            int to = Math.min(size, end - block * BLOCK);
            if (from < to) {
                pack(segment, block, size);
                int at = (firstBlock[segment] + block) * blockSize();
                block(at, size, from, to, depth + block * BLOCK, firstQuery);
            }
        }
    }

    private void pack(int segment, int block, int size) {
        int index = firstBlock[segment] + block;
        if (packed[index]) {
            return;
        }
        packed[index] = true;
        int stride = parameters.qkvColumns();
        int row = attention.qkvRow(batch.start(segment) + block * BLOCK);
        int keys = row + (parameters.heads() + kvHead) * dim;
        int values = keys + parameters.kvHeads() * dim;
        int at = index * blockSize();
        Packing.tiles(attention.qkv(), keys, stride, size, dim, keysAndValues, at);
        Packing.columnTiles(attention.qkv(), values, stride, size, dim, keysAndValues, at + BLOCK * keyDepth);
    }

    /// Keys `[from, to)` of a packed block of `size`, the first of which has position `position`. `from` is a multiple
    /// of [Tiles#CHUNK].
    private void block(int at, int size, int from, int to, int position, int firstQuery) {
        // Scores begin with a tile of keys, weighted values with a chunk; what lies between is masked.
        int start = from / Simd.TILE_ROWS * Simd.TILE_ROWS;
        int count = to - start;
        for (int j = start; j < to; ) {
            int height = Tiles.height(size - j);
            int o = (j - start) * COLUMNS;
            Tiles.multiply(height, keysAndValues, at + j * keyDepth, queries, 0, dim, ZEROS, 0, 0, scores, o, COLUMNS);
            j += height;
        }
        int first = position + start;
        if (parameters.slopes().length != 0) {
            OnlineSoftmax.addSlopes(scores, count, slopes, positions, first);
        }
        int window = parameters.window();
        boolean tooLate = position + to - 1 > firstQuery;
        boolean tooEarly = window > 0 && first <= firstQuery + COLUMNS - 1 - window;
        if (tooLate || tooEarly) {
            OnlineSoftmax.mask(scores, count, positions, first, window == 0 ? Float.POSITIVE_INFINITY : (float) window);
        }
        OnlineSoftmax.update(scores, count, state, weighted, dim);
        int values = at + BLOCK * keyDepth;
        int valueDepth = Tiles.paddedDepth(size);
        int weights = (from - start) * COLUMNS;
        for (int c = 0; c < dim; ) {
            int height = Tiles.height(dim - c);
            int tile = values + c * valueDepth + from * height;
            Tiles.multiply(height, keysAndValues, tile, scores, weights, to - from, weighted, c * COLUMNS, COLUMNS);
            c += height;
        }
    }
}
