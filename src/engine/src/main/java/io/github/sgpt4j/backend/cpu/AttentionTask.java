package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.cpu.Scratch.Use;
import io.github.sgpt4j.backend.cpu.kernel.OnlineSoftmax;
import io.github.sgpt4j.backend.cpu.kernel.Packing;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.SoftCap;
import io.github.sgpt4j.backend.cpu.kernel.Tiles;
import io.github.sgpt4j.batch.PackedBatch;
import java.util.Arrays;

/// Attention of some of a tree's queries with one key head, block by block with a running softmax.
///
/// Everything is computed transposed, with a panel of `TILE_COLUMNS` queries across the vector
/// lanes: scores `K · Qᵀ` are `[keys][queries]`, so the softmax works on whole vectors, and its
/// result is already laid out as the right operand of `Vᵀ · P`, `[dims][queries]`. A panel holds
/// queries of one head or, if a segment is short, of several heads of the group.
///
/// Blocks begin at fixed positions of the whole sequence, wherever its segments begin. So a block
/// may hold keys of several segments, and the sums of a sequence always run in the same order,
/// whatever prefix it shares with others.
///
/// Belongs to one thread, which reuses it: it allocates only when a tree needs more memory than
/// those before.
final class AttentionTask {
    private static final int COLUMNS = Simd.TILE_COLUMNS;

    /// Keys per block: their scores take 24 KiB with the widest vectors. A multiple of every full
    /// tile's height and of [Tiles#CHUNK].
    static final int BLOCK = 192;

    private final Scratch scratch;
    private final KeyBlocks packedKeys;
    private final KeyBlocks storedKeys = new StoredKeys();
    private final OnlineSoftmax.State state = new OnlineSoftmax.State();
    private final float[] positions = new float[COLUMNS];
    private final float[] slopes = new float[COLUMNS];

    private Attention attention = Attention.NONE;
    private PackedBatch batch = Attention.NONE.batch().packed();
    private AttentionParameters parameters = Attention.NONE.parameters();
    private KeyBlocks keyBlocks;
    private int kvHead;
    private int dim;
    private Floats queries = Floats.EMPTY;
    private Floats scores = Floats.EMPTY;
    /// `[dim][TILE_COLUMNS]`, padded to whole tiles.
    private Floats weighted = Floats.EMPTY;

    /// @param scratch of the thread that runs it
    AttentionTask(Scratch scratch) {
        this.scratch = scratch;
        packedKeys = new PackedKeys(scratch);
        keyBlocks = packedKeys;
    }

    /// Computes attention for panels `[from, to)`, all of one tree.
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
        keyBlocks = attention.code() != null ? storedKeys : packedKeys;
        keyBlocks.begin(attention, kvHead, attention.batch().treeBlocks(segment));
        queries = scratch.values(Use.QUERIES, dim * COLUMNS);
        scores = scratch.values(Use.SCORES, BLOCK * COLUMNS);
        weighted = scratch.values(Use.WEIGHTED_VALUES, Tiles.paddedRows(dim) * COLUMNS);
    }

    /// Drops references to memory of others.
    private void end() {
        attention = Attention.NONE;
        batch = Attention.NONE.batch().packed();
        parameters = Attention.NONE.parameters();
        keyBlocks.end();
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
        int end =
                parameters.lastSeen(position + to - from - 1, attention.batch().end(segment)) + 1;
        keys(segment, end, parameters.firstSeen(position), position);
        store(row, to - from, firstHead, heads);
    }

    /// Attends to keys `[0, end)` of the sequence that ends with a segment, skipping the blocks
    /// before position `lowest`.
    private void keys(int segment, int end, int lowest, int firstQuery) {
        for (int block = lowest / BLOCK; block * BLOCK < end; block++) {
            int owner = attention.batch().blockOwner(segment, block);
            int size = Math.min(BLOCK, attention.batch().end(owner) - block * BLOCK);
            int from = Math.max(0, lowest - block * BLOCK) / Tiles.CHUNK * Tiles.CHUNK;
            int to = Math.min(size, end - block * BLOCK);
            block(owner, block, size, from, to, firstQuery);
        }
    }

    private void load(int firstRow, int length, int position, int firstHead, int heads) {
        Arrays.fill(queries.array(), 0, dim * COLUMNS, 0f);
        Arrays.fill(weighted.array(), 0, Tiles.paddedRows(dim) * COLUMNS, 0f);
        state.reset();
        // Lanes without a query compute on zeros at a valid position and are not stored.
        Arrays.fill(positions, position);
        Arrays.fill(slopes, 0f);
        for (int h = 0; h < heads; h++) {
            for (int i = 0; i < length; i++) {
                int column = h * length + i;
                int at = attention.qkvRow(firstRow + i) + (firstHead + h) * dim;
                Packing.column(attention.qkv().array(), at, dim, parameters.scale(), queries.array(), column, COLUMNS);
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
                Packing.row(weighted.array(), column, COLUMNS, dim, 1f / state.sum(column), attention.out(), at);
            }
        }
    }

    /// Attends to keys `[from, to)` of a block with `size` keys. `from` is a multiple of
    /// [Tiles#CHUNK].
    private void block(int owner, int block, int size, int from, int to, int firstQuery) {
        // Keys before `from` that have scores are masked below.
        int start = keyBlocks.scores(owner, block, size, from, to, queries, scores);
        int count = to - start;
        int first = block * BLOCK + start;
        if (parameters.softcap() > 0) {
            SoftCap.apply(parameters.softcap(), scores.array(), 0, count * COLUMNS);
        }
        if (parameters.slopes().length != 0) {
            OnlineSoftmax.addSlopes(scores.array(), 0, count, slopes, positions, first);
        }
        int window = parameters.window();
        // How far after a query its last key is.
        long ahead = !parameters.bidirectional() ? 0 : window == 0 ? Integer.MAX_VALUE : window - 1;
        boolean tooLate = block * BLOCK + to - 1 > firstQuery + ahead;
        boolean tooEarly = window > 0 && first <= firstQuery + COLUMNS - 1 - window;
        if (tooLate || tooEarly) {
            float reach = window == 0 ? Float.POSITIVE_INFINITY : (float) window;
            OnlineSoftmax.mask(scores.array(), 0, count, positions, first, reach, (float) ahead);
        }
        OnlineSoftmax.update(scores.array(), 0, count, state, weighted.array(), dim);
        keyBlocks.addValues(owner, block, size, from, to, scores, (from - start) * COLUMNS, weighted);
    }
}
