package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.cpu.Scratch.Use;
import io.github.sgpt4j.backend.cpu.kernel.OnlineSoftmax;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.SoftmaxGradient;
import io.github.sgpt4j.backend.cpu.kernel.Tiles;
import java.util.Arrays;

/// The gradient of causal attention for one key head of one sequence: of its keys and values, and of the queries of all
/// heads of the group.
///
/// Goes through the queries in blocks of [QueryBlock#SIZE]. For each, all scores are computed first, and their softmax;
/// the rest goes through the keys in blocks, so that what lies between two products stays in the cache. The memory for
/// that grows with the length of the sequence, not with its square.
///
/// Belongs to one thread, which reuses it: it allocates only when a sequence needs more memory than those before.
final class AttentionGradientTask {
    private static final int QUERIES = QueryBlock.SIZE;
    private static final int COLUMNS = Simd.TILE_COLUMNS;

    /// Keys per block, a multiple of [Tiles#CHUNK].
    private static final int BLOCK = 192;

    private static final float[] NOTHING = {};

    private final Scratch scratch;
    private final KeyMatrix packedKeys;
    private final KeyMatrix packedValues;
    private final KeyMatrix storedKeys = new StoredKeyMatrix();
    private final KeyMatrix storedValues = new StoredKeyMatrix();
    private final KeyGradients keyGradients;
    private final KeyGradients valueGradients;
    private final QueryBlock block;
    private final OnlineSoftmax.State state = new OnlineSoftmax.State();
    private final float[] positions = new float[COLUMNS];
    private final float[] slopes = new float[COLUMNS];
    /// The inverse sum of each query's exponentials.
    private final float[] factors = new float[QUERIES];

    private KeyMatrix keys;
    private KeyMatrix values;
    /// Values of a panel of [#scores].
    private int scoresSize;
    /// Scores, then their exponentials `[panels][keys][TILE_COLUMNS]`.
    private Floats scores = Floats.EMPTY;
    /// Gradients of the weights of a block of keys, then of its scores `[keys][TILE_COLUMNS]`.
    private Floats scoreGradients = Floats.EMPTY;
    /// Gradients of the scores of a block of keys `[keys][QUERIES]`.
    private Floats scoreGradientRows = Floats.EMPTY;
    /// Weights of a block of keys `[keys][QUERIES]`.
    private Floats weights = Floats.EMPTY;

    /// @param scratch of the thread that runs it
    AttentionGradientTask(Scratch scratch) {
        this.scratch = scratch;
        packedKeys = new PackedKeyMatrix(scratch, Use.KEYS, true);
        packedValues = new PackedKeyMatrix(scratch, Use.VALUES, false);
        keyGradients = new KeyGradients(scratch, Use.KEY_GRADIENTS);
        valueGradients = new KeyGradients(scratch, Use.VALUE_GRADIENTS);
        block = new QueryBlock(scratch);
        keys = packedKeys;
        values = packedValues;
    }

    /// Computes the gradients of one key head of a segment, and of its queries.
    void run(AttentionGradient gradient, int segment, int kvHead) {
        try {
            begin(gradient, segment, kvHead);
            int length = gradient.batch().length(segment);
            int group = gradient.parameters().heads() / gradient.parameters().kvHeads();
            for (int head = kvHead * group; head < (kvHead + 1) * group; head++) {
                for (int from = 0; from < length; from += QUERIES) {
                    queries(gradient, segment, head, from, Math.min(length, from + QUERIES));
                }
            }
            store(gradient, segment, kvHead);
        } finally {
            end();
        }
    }

    private void begin(AttentionGradient gradient, int segment, int kvHead) {
        AttentionParameters parameters = gradient.parameters();
        boolean packs = gradient.code() == null;
        keys = packs ? packedKeys : storedKeys;
        values = packs ? packedValues : storedValues;
        keys.begin(gradient, segment, gradient.keyColumn(kvHead));
        values.begin(gradient, segment, gradient.valueColumn(kvHead));
        keyGradients.begin(gradient, segment);
        valueGradients.begin(gradient, segment);
        block.begin(parameters.headDim());
        int length = gradient.batch().length(segment);
        long seen = parameters.window() == 0 ? length : Math.min(length, parameters.window() + 2L * QUERIES);
        scoresSize = Math.multiplyExact((int) seen + Simd.TILE_ROWS, COLUMNS);
        scores = scratch.values(Use.SCORES, Math.multiplyExact(QUERIES / COLUMNS, scoresSize));
        scoreGradients = scratch.values(Use.SCORE_GRADIENTS, (BLOCK + Simd.TILE_ROWS) * COLUMNS);
        scoreGradientRows = scratch.values(Use.SCORE_GRADIENT_ROWS, (BLOCK + Simd.TILE_ROWS) * QUERIES);
        weights = scratch.values(Use.WEIGHTS, (BLOCK + Simd.TILE_ROWS) * QUERIES);
    }

    /// Drops references to memory of others and to arrays that may be too large to keep.
    private void end() {
        keys.end();
        values.end();
        keyGradients.end();
        valueGradients.end();
        scores = Floats.EMPTY;
    }

    private void store(AttentionGradient gradient, int segment, int kvHead) {
        CpuTensor to = gradient.gradient();
        int first = to.offset(gradient.batch().start(segment));
        keyGradients.store(gradient.parameters().scale(), to.data(), first + gradient.keyColumn(kvHead), to.columns());
        valueGradients.store(1f, to.data(), first + gradient.valueColumn(kvHead), to.columns());
    }

    /// Queries `[from, to)` of a head.
    private void queries(AttentionGradient gradient, int segment, int head, int from, int to) {
        AttentionParameters parameters = gradient.parameters();
        int row = gradient.batch().start(segment) + from;
        block.load(gradient, head, row, to - from);
        int visible = parameters.window() == 0 ? 0 : Math.max(0, from - parameters.window() + 1);
        int lowest = visible / Tiles.CHUNK * Tiles.CHUNK;
        Arrays.fill(slopes, parameters.slopes().length == 0 ? 0f : parameters.slopes()[head]);
        for (int panel = 0; panel < block.panels(); panel++) {
            softmax(parameters, panel, lowest, from + panel * COLUMNS, Math.min(to, from + (panel + 1) * COLUMNS));
        }
        for (int first = lowest; first < to; first += BLOCK) {
            keys(first, Math.min(to, first + BLOCK), lowest, from, to);
        }
        block.store(gradient, head, row);
    }

    /// Computes the exponentials of the scores of queries `[first, end)`, a panel, for keys `[lowest, end)`, and the
    /// inverses of their sums.
    private void softmax(AttentionParameters parameters, int panel, int lowest, int first, int end) {
        int at = panel * scoresSize;
        int count = end - lowest;
        block.scores(keys, lowest, count, panel, scores, at);
        for (int lane = 0; lane < COLUMNS; lane++) {
            positions[lane] = Math.min(first + lane, end - 1);
        }
        if (parameters.slopes().length != 0) {
            OnlineSoftmax.addSlopes(scores.array(), at, count, slopes, positions, lowest);
        }
        int window = parameters.window();
        if (window > 0 && window < count) {
            OnlineSoftmax.mask(scores.array(), at, count, positions, lowest, window, 0f);
        } else {
            int diagonal = at + (first - lowest) * COLUMNS;
            OnlineSoftmax.mask(scores.array(), diagonal, end - first, positions, first, Float.POSITIVE_INFINITY, 0f);
        }
        state.reset();
        OnlineSoftmax.update(scores.array(), at, count, state, NOTHING, 0);
        for (int lane = 0; lane < COLUMNS; lane++) {
            factors[panel * COLUMNS + lane] = 1f / state.sum(lane);
        }
    }

    /// Adds to all gradients what comes from keys `[first, end)` and queries `[from, to)`.
    private void keys(int first, int end, int lowest, int from, int to) {
        for (int panel = Math.max(0, first - from) / COLUMNS; panel < block.panels(); panel++) {
            int count = Math.min(end, Math.min(to, from + (panel + 1) * COLUMNS)) - first;
            block.weightGradients(values, first, count, panel, scoreGradients);
            SoftmaxGradient.apply(
                    scores.array(),
                    panel * scoresSize + (first - lowest) * COLUMNS,
                    scoreGradients.array(),
                    count,
                    factors,
                    block.deltas(),
                    panel * COLUMNS,
                    weights.array(),
                    scoreGradientRows.array());
            block.add(keys, first, count, panel, scoreGradients);
        }
        // Keys that the same panels see: the first ones all of them, the others those that begin no earlier.
        for (int key = first; key < end; ) {
            int query = Math.max(0, key - from) / COLUMNS * COLUMNS;
            int next = Math.min(end, from + query + COLUMNS);
            int at = (key - first) * QUERIES + query;
            block.addToKeys(keyGradients, key, next - key, query, scoreGradientRows, at);
            block.addToValues(valueGradients, key, next - key, query, weights, at);
            key = next;
        }
    }
}
