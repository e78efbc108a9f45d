package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.cpu.Scratch.Use;
import io.github.sgpt4j.backend.cpu.kernel.Packing;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.SoftmaxGradient;
import io.github.sgpt4j.backend.cpu.kernel.Tiles;
import java.util.Arrays;

/// Up to [#SIZE] consecutive queries of one head, and the gradients of their outputs, in the orders in which the
/// gradient of attention multiplies with them: across the vector lanes, in *panels* of `TILE_COLUMNS` queries, and row
/// by row. Collects the gradients of the queries. Belongs to one thread.
final class QueryBlock {
    /// Queries of a full block: a run of values of a row of a packed left operand, so that `[keys][SIZE]` is one.
    static final int SIZE = Tiles.CHUNK;

    private static final int COLUMNS = Simd.TILE_COLUMNS;

    private final Scratch scratch;
    private final float[] deltas = new float[SIZE];
    private final float[] lanes = new float[Simd.LANES];

    private int dim;
    private int columnPanels;
    private int gradientSize;
    private int count;
    /// `[panels][dim][TILE_COLUMNS]`, times the scale.
    private Floats queries = Floats.EMPTY;
    /// As [#queries], not scaled.
    private Floats outGradients = Floats.EMPTY;
    /// `[⌈dim / TILE_COLUMNS⌉][SIZE][TILE_COLUMNS]`.
    private Floats queryRows = Floats.EMPTY;
    /// As [#queryRows].
    private Floats outGradientRows = Floats.EMPTY;
    /// `[panels][dim][TILE_COLUMNS]`, each padded to whole tiles.
    private Floats gradients = Floats.EMPTY;

    QueryBlock(Scratch scratch) {
        this.scratch = scratch;
    }

    /// Prepares for heads of some size.
    void begin(int headDim) {
        dim = headDim;
        columnPanels = (dim + COLUMNS - 1) / COLUMNS;
        gradientSize = Tiles.paddedRows(dim) * COLUMNS;
        queries = scratch.values(Use.QUERIES, dim * SIZE);
        outGradients = scratch.values(Use.OUTPUT_GRADIENTS, dim * SIZE);
        queryRows = scratch.values(Use.QUERY_ROWS, columnPanels * SIZE * COLUMNS);
        outGradientRows = scratch.values(Use.OUTPUT_GRADIENT_ROWS, columnPanels * SIZE * COLUMNS);
        gradients = scratch.values(Use.QUERY_GRADIENTS, SIZE / COLUMNS * gradientSize);
    }

    /// Reads `count` queries of a head from row `row` on; their gradients become zero. Lanes without a query compute on
    /// zeros.
    void load(AttentionGradient gradient, int head, int row, int count) {
        this.count = count;
        float scale = gradient.parameters().scale();
        CpuTensor qkv = gradient.qkv();
        CpuTensor out = gradient.out();
        CpuTensor outGradient = gradient.outGradient();
        clear();
        for (int i = 0; i < count; i++) {
            int query = qkv.offset(row + i) + head * dim;
            int result = out.offset(row + i) + head * dim;
            int from = outGradient.offset(row + i) + head * dim;
            int lane = i / COLUMNS * dim * COLUMNS + i % COLUMNS;
            Packing.column(qkv.data(), query, dim, scale, queries.array(), lane, COLUMNS);
            Packing.column(outGradient.data(), from, dim, 1f, outGradients.array(), lane, COLUMNS);
            row(qkv.data(), query, queryRows.array(), i);
            row(outGradient.data(), from, outGradientRows.array(), i);
            deltas[i] = SoftmaxGradient.dot(outGradient.data(), from, out.data(), result, dim, lanes);
        }
    }

    private void clear() {
        Arrays.fill(deltas, 0f);
        Arrays.fill(gradients.array(), 0, panels() * gradientSize, 0f);
        if (count % COLUMNS > 0) {
            int last = count / COLUMNS * dim * COLUMNS;
            Arrays.fill(queries.array(), last, last + dim * COLUMNS, 0f);
            Arrays.fill(outGradients.array(), last, last + dim * COLUMNS, 0f);
        }
    }

    private void row(float[] x, int at, float[] rows, int i) {
        for (int panel = 0; panel < columnPanels; panel++) {
            int columns = Math.min(COLUMNS, dim - panel * COLUMNS);
            System.arraycopy(x, at + panel * COLUMNS, rows, (panel * SIZE + i) * COLUMNS, columns);
        }
    }

    /// Panels that hold queries.
    int panels() {
        return (count + COLUMNS - 1) / COLUMNS;
    }

    /// `D` of each query, see [SoftmaxGradient].
    float[] deltas() {
        return deltas;
    }

    /// Scores of some keys, see [KeyMatrix#multiply].
    void scores(KeyMatrix keys, int first, int count, int panel, Floats out, int at) {
        keys.multiply(first, count, queries, panel * dim * COLUMNS, out, at);
    }

    /// Gradients of the weights of some keys, see [KeyMatrix#multiply].
    void weightGradients(KeyMatrix values, int first, int count, int panel, Floats out) {
        values.multiply(first, count, outGradients, panel * dim * COLUMNS, out, 0);
    }

    /// Adds to the gradients of a panel's queries what comes from some keys.
    ///
    /// @param scoreGradients `[count][TILE_COLUMNS]`
    void add(KeyMatrix keys, int first, int count, int panel, Floats scoreGradients) {
        keys.addTransposed(first, count, scoreGradients, gradients, panel * gradientSize);
    }

    /// Adds `scoreGradients · Q` to the gradients of keys, see [KeyGradients#add], for the queries from `firstQuery`
    /// on.
    void addToKeys(KeyGradients sums, int first, int count, int firstQuery, Floats scoreGradients, int at) {
        sums.add(first, count, this.count - firstQuery, scoreGradients, at, queryRows, firstQuery);
    }

    /// Adds `weights · dOut` to the gradients of values, as [#addToKeys].
    void addToValues(KeyGradients sums, int first, int count, int firstQuery, Floats weights, int at) {
        sums.add(first, count, this.count - firstQuery, weights, at, outGradientRows, firstQuery);
    }

    /// Writes the gradients of the queries.
    void store(AttentionGradient gradient, int head, int row) {
        CpuTensor to = gradient.gradient();
        float scale = gradient.parameters().scale();
        for (int i = 0; i < count; i++) {
            int lane = i / COLUMNS * gradientSize + i % COLUMNS;
            Packing.row(gradients.array(), lane, COLUMNS, dim, scale, to.data(), to.offset(row + i) + head * dim);
        }
    }
}
