package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.cpu.Scratch.Use;
import io.github.sgpt4j.backend.cpu.kernel.OnlineSoftmax;
import io.github.sgpt4j.backend.cpu.kernel.Packing;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.Tiles;
import io.github.sgpt4j.batch.PackedBatch;
import java.util.Arrays;

/// Attention of some of a tree's queries with one key head, block by block with a running softmax.
///
/// Everything is computed transposed, with a panel of `TILE_COLUMNS` queries across the vector lanes: scores
/// `K · Qᵀ` are `[keys][queries]`, so the softmax works on whole vectors and its result is, as it lies, the right
/// operand of `Vᵀ · P`, `[dims][queries]`. A panel holds queries of one head, or, where a segment is short, of several
/// heads of the group.
///
/// Blocks are cut at positions of the whole sequence, wherever its segments begin: a block may hold keys of several
/// segments, and what a sequence's tokens attend to is summed in one order, whatever it shares with others. Sequences
/// of a tree have their blocks in the same places, one after the other; those that they share stay.
///
/// Belongs to one thread, which uses it again and again: nothing is allocated but what a larger tree needs more.
final class AttentionTask {
    private static final int COLUMNS = Simd.TILE_COLUMNS;

    /// Keys per block: scores of that many are 24 KiB at the widest. A multiple of every full tile's height and of
    /// [Tiles#CHUNK].
    static final int BLOCK = 192;

    private static final float[] ZEROS = new float[COLUMNS];

    private final Scratch scratch;
    private final OnlineSoftmax.State state = new OnlineSoftmax.State();
    private final float[] positions = new float[COLUMNS];
    private final float[] slopes = new float[COLUMNS];
    /// The segment whose keys are packed in each block, or [PackedBatch#NO_PARENT].
    private int[] owners = {};

    private Attention attention = Attention.NONE;
    private PackedBatch batch = Attention.NONE.batch().packed();
    private AttentionParameters parameters = Attention.NONE.parameters();
    private int kvHead;
    private int dim;
    /// Values of a packed key: `dim`, rounded up.
    private int keyDepth;
    /// Rows of the output's tiles: `dim`, rounded up.
    private int paddedDim;
    /// Packed keys and values of a sequence: for every block, key tiles then value tiles.
    private float[] keysAndValues = ZEROS;

    private float[] queries = ZEROS;
    private float[] scores = ZEROS;
    private float[] weighted = ZEROS;

    /// @param scratch whose thread runs it
    AttentionTask(Scratch scratch) {
        this.scratch = scratch;
    }

    /// Attends with panels `[from, to)`, which belong to one tree.
    void run(Attention attention, int kvHead, int from, int to) {
        this.kvHead = kvHead;
        try {
            begin(attention, attention.batch().segment(attention.batch().member(from)));
            panels(from, to);
        } finally {
            end();
        }
    }

    private void begin(Attention attention, int segment) {
        this.attention = attention;
        batch = attention.batch().packed();
        parameters = attention.parameters();
        dim = parameters.headDim();
        keyDepth = Tiles.paddedDepth(dim);
        paddedDim = Tiles.paddedRows(dim);
        int blocks = attention.batch().treeBlocks(segment);
        if (owners.length < blocks) {
            owners = new int[blocks];
        }
        Arrays.fill(owners, 0, blocks, PackedBatch.NO_PARENT);
        keysAndValues = scratch.floats(Use.KEYS_AND_VALUES, Math.multiplyExact(blocks, blockSize()));
        queries = scratch.floats(Use.QUERIES, dim * COLUMNS);
        scores = scratch.floats(Use.SCORES, BLOCK * COLUMNS);
        weighted = scratch.floats(Use.WEIGHTED_VALUES, paddedDim * COLUMNS);
    }

    /// Lets go of what belongs to others or is too large to be kept.
    private void end() {
        attention = Attention.NONE;
        batch = Attention.NONE.batch().packed();
        parameters = Attention.NONE.parameters();
        keysAndValues = ZEROS;
    }

    private int blockSize() {
        return BLOCK * (keyDepth + paddedDim);
    }

    private void panels(int first, int end) {
        CpuBatch index = attention.batch();
        int group = parameters.heads() / parameters.kvHeads();
        int member = index.member(first);
        for (int panel = first; panel < end; panel++) {
            while (panel >= index.firstPanel(member + 1)) {
                member++;
            }
            int segment = index.segment(member);
            int from = (panel - index.firstPanel(member)) * COLUMNS;
            int to = Math.min(batch.length(segment), from + COLUMNS);
            int together = Math.min(group, COLUMNS / (to - from));
            for (int head = 0; head < group; head += together) {
                panel(segment, from, to, kvHead * group + head, Math.min(together, group - head));
            }
        }
    }

    /// One panel: tokens `[from, to)` of a segment as queries of `heads` heads, head after head.
    private void panel(int segment, int from, int to, int firstHead, int heads) {
        int position = attention.batch().depth(segment) + from;
        int row = batch.start(segment) + from;
        load(row, to - from, position, firstHead, heads);
        int lowest = parameters.window() == 0 ? 0 : Math.max(0, position - parameters.window() + 1);
        keys(segment, position + to - from, lowest, position);
        store(row, to - from, firstHead, heads);
    }

    /// Keys `[0, end)` of the sequence that ends with a segment, without the blocks before position `lowest`.
    private void keys(int segment, int end, int lowest, int firstQuery) {
        for (int block = lowest / BLOCK; block * BLOCK < end; block++) {
            int owner = attention.batch().blockOwner(segment, block);
            int size = Math.min(BLOCK, attention.batch().end(owner) - block * BLOCK);
            int from = Math.max(0, lowest - block * BLOCK) / Tiles.CHUNK * Tiles.CHUNK;
            int to = Math.min(size, end - block * BLOCK);
            pack(owner, block, size);
            block(block, size, from, to, firstQuery);
        }
    }

    private void load(int firstRow, int length, int position, int firstHead, int heads) {
        Arrays.fill(queries, 0, dim * COLUMNS, 0f);
        Arrays.fill(weighted, 0, paddedDim * COLUMNS, 0f);
        state.reset();
        // Lanes without a query compute with a position that exists and zeros, and are not stored.
        Arrays.fill(positions, position);
        Arrays.fill(slopes, 0f);
        for (int h = 0; h < heads; h++) {
            for (int i = 0; i < length; i++) {
                int column = h * length + i;
                int at = attention.qkvRow(firstRow + i) + (firstHead + h) * dim;
                Packing.column(attention.qkv(), at, dim, parameters.scale(), queries, column, COLUMNS);
                positions[column] = position + i;
                slopes[column] =
                        parameters.slopes().length == 0 ? 0f : parameters.slopes()[firstHead + h];
            }
        }
    }

    private void store(int firstRow, int length, int firstHead, int heads) {
        for (int h = 0; h < heads; h++) {
            for (int i = 0; i < length; i++) {
                int column = h * length + i;
                int at = attention.outRow(firstRow + i) + (firstHead + h) * dim;
                Packing.row(weighted, column, COLUMNS, dim, 1f / state.sum(column), attention.out(), at);
            }
        }
    }

    /// Keys of a block of a sequence, packed once as long as the sequences of the tree come one after the other.
    private void pack(int owner, int block, int size) {
        if (owners[block] == owner) {
            return;
        }
        owners[block] = owner;
        int stride = parameters.qkvColumns();
        int at = block * blockSize();
        int end = size;
        for (int segment = owner; end > 0; segment = batch.parents()[segment]) {
            int first = Math.max(0, attention.batch().depth(segment) - block * BLOCK);
            int position = block * BLOCK + first - attention.batch().depth(segment);
            int keys = attention.qkvRow(batch.start(segment) + position) + (parameters.heads() + kvHead) * dim;
            int values = keys + parameters.kvHeads() * dim;
            Packing.tiles(attention.qkv(), keys, stride, first, end, size, dim, keysAndValues, at);
            Packing.columnTiles(
                    attention.qkv(), values, stride, first, end, size, dim, keysAndValues, at + BLOCK * keyDepth);
            end = first;
        }
    }

    /// Keys `[from, to)` of a packed block of `size`. `from` is a multiple of [Tiles#CHUNK].
    private void block(int block, int size, int from, int to, int firstQuery) {
        int at = block * blockSize();
        int position = block * BLOCK;
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
