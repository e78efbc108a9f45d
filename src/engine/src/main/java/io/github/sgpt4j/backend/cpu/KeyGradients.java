package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.cpu.kernel.Packing;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.Tiles;
import io.github.sgpt4j.backend.cpu.vector.VectorCode;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The gradients of the keys of one key head of one sequence, or of its values: sums over queries, `[keys][dim]`, kept
/// as panels of `TILE_COLUMNS` columns. Belongs to one thread.
final class KeyGradients {
    private static final int CHUNK = Tiles.CHUNK;
    private static final int COLUMNS = Simd.TILE_COLUMNS;
    private static final long ROW_BYTES = (long) COLUMNS * Float.BYTES;

    private final Scratch scratch;
    private final Scratch.Use use;

    private @Nullable VectorCode code;
    private int keys;
    private int dim;
    /// Values of a panel.
    private int panelSize;
    /// `[⌈dim / TILE_COLUMNS⌉][keys][TILE_COLUMNS]`, with rows for a tile that ends after the last key.
    private Floats sums = Floats.EMPTY;

    KeyGradients(Scratch scratch, Scratch.Use use) {
        this.scratch = scratch;
        this.use = use;
    }

    /// Begins with zeros.
    void begin(AttentionGradient gradient, int segment) {
        code = gradient.code();
        keys = gradient.batch().length(segment);
        dim = gradient.parameters().headDim();
        panelSize = Math.multiplyExact(keys + Simd.TILE_ROWS, COLUMNS);
        int size = Math.multiplyExact((dim + COLUMNS - 1) / COLUMNS, panelSize);
        sums = scratch.values(use, size);
        Arrays.fill(sums.array(), 0, size, 0f);
    }

    /// Drops references to arrays that may be too large to keep.
    void end() {
        sums = Floats.EMPTY;
    }

    /// `sums[first + j] += Σ_q left[j][q] · right[q]` for `count` keys and `depth` queries. A count that is no multiple
    /// of `TILE_COLUMNS` ends with the last key.
    ///
    /// @param left rows of [Tiles#CHUNK] values, the first from index `leftAt` on
    /// @param right `[⌈dim / TILE_COLUMNS⌉][CHUNK][TILE_COLUMNS]`; query 0 is row `rightRow` of each panel
    void add(int first, int count, int depth, Floats left, int leftAt, Floats right, int rightRow) {
        for (int panel = 0; panel * COLUMNS < dim; panel++) {
            int from = (panel * CHUNK + rightRow) * COLUMNS;
            int to = panel * panelSize + first * COLUMNS;
            if (code == null) {
                addTiles(count, depth, left.array(), leftAt, right.array(), from, to);
            } else {
                addByCode(code, count, depth, left, leftAt, right, from, to);
            }
        }
    }

    private void addTiles(int count, int depth, float[] left, int leftAt, float[] right, int from, int to) {
        for (int j = 0; j < count; ) {
            int height = Tiles.height(count - j);
            int at = leftAt + j * CHUNK;
            Tiles.multiply(height, left, at, right, from, depth, sums.array(), to + j * COLUMNS, COLUMNS);
            j += height;
        }
    }

    private void addByCode(
            VectorCode code, int count, int depth, Floats left, int leftAt, Floats right, int from, int to) {
        code.multiply(
                count,
                depth,
                left.memory(),
                (long) leftAt * Float.BYTES,
                (long) CHUNK * Float.BYTES,
                right.memory(),
                (long) from * Float.BYTES,
                (long) from * Float.BYTES,
                sums.memory(),
                (long) to * Float.BYTES,
                ROW_BYTES,
                sums.memory(),
                (long) to * Float.BYTES,
                ROW_BYTES);
    }

    /// Writes the sums, times `scale`.
    ///
    /// @param out the first key's gradient begins at index `at`, the next one `stride` further
    void store(float scale, float[] out, int at, int stride) {
        for (int panel = 0; panel * COLUMNS < dim; panel++) {
            int count = Math.min(COLUMNS, dim - panel * COLUMNS);
            for (int j = 0; j < keys; j++) {
                int from = panel * panelSize + j * COLUMNS;
                Packing.scaled(sums.array(), from, count, scale, out, at + j * stride + panel * COLUMNS);
            }
        }
    }
}
