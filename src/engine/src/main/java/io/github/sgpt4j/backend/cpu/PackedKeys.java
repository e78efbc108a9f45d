package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.cpu.Scratch.Use;
import io.github.sgpt4j.backend.cpu.kernel.Packing;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.Tiles;
import io.github.sgpt4j.batch.PackedBatch;
import java.util.Arrays;

/// Keys and values packed for [Tiles], once for each tree as long as its sequences come one after
/// another. All sequences of a tree use the same slots for their blocks, so shared blocks stay
/// packed.
final class PackedKeys implements KeyBlocks {
    private static final int BLOCK = AttentionTask.BLOCK;
    private static final int COLUMNS = Simd.TILE_COLUMNS;
    private static final float[] ZEROS = new float[COLUMNS];

    private final Scratch scratch;
    /// The segment whose keys are packed in each block, or [PackedBatch#NO_PARENT].
    private int[] owners = {};

    private Attention attention = Attention.NONE;
    private int kvHead;
    private int dim;
    /// Values of a packed key: `dim`, rounded up.
    private int keyDepth;
    /// Rows of the output's tiles: `dim`, rounded up.
    private int paddedDim;
    /// For every block, key tiles then value tiles.
    private float[] keysAndValues = ZEROS;

    PackedKeys(Scratch scratch) {
        this.scratch = scratch;
    }

    @Override
    public void begin(Attention attention, int kvHead, int blocks) {
        this.attention = attention;
        this.kvHead = kvHead;
        dim = attention.parameters().headDim();
        keyDepth = Tiles.paddedDepth(dim);
        paddedDim = Tiles.paddedRows(dim);
        if (owners.length < blocks) {
            owners = new int[blocks];
        }
        Arrays.fill(owners, 0, blocks, PackedBatch.NO_PARENT);
        keysAndValues = scratch.floats(Use.KEYS_AND_VALUES, Math.multiplyExact(blocks, blockSize()));
    }

    @Override
    public void end() {
        attention = Attention.NONE;
        keysAndValues = ZEROS;
    }

    private int blockSize() {
        return BLOCK * (keyDepth + paddedDim);
    }

    private void pack(int owner, int block, int size) {
        if (owners[block] == owner) {
            return;
        }
        owners[block] = owner;
        int stride = attention.parameters().qkvColumns();
        int at = block * blockSize();
        int end = size;
        for (int segment = owner; end > 0; segment = attention.batch().packed().parents()[segment]) {
            int first = Math.max(0, attention.batch().depth(segment) - block * BLOCK);
            int keys = attention.keys(segment, block * BLOCK + first, kvHead);
            int values = attention.values(segment, block * BLOCK + first, kvHead);
            Packing.tiles(attention.qkv().array(), keys, stride, first, end, size, dim, keysAndValues, at);
            Packing.columnTiles(
                    attention.qkv().array(),
                    values,
                    stride,
                    first,
                    end,
                    size,
                    dim,
                    keysAndValues,
                    at + BLOCK * keyDepth);
            end = first;
        }
    }

    @Override
    public int scores(int owner, int block, int size, int from, int to, Floats queries, Floats scores) {
        pack(owner, block, size);
        int at = block * blockSize();
        // Scores begin at a tile of keys, weighted values at a chunk.
        int start = from / Simd.TILE_ROWS * Simd.TILE_ROWS;
        float[] q = queries.array();
        float[] s = scores.array();
        for (int j = start; j < to; ) {
            int height = Tiles.height(size - j);
            int o = (j - start) * COLUMNS;
            Tiles.multiply(height, keysAndValues, at + j * keyDepth, q, 0, dim, ZEROS, 0, 0, s, o, COLUMNS);
            j += height;
        }
        return start;
    }

    @Override
    public void addValues(int owner, int block, int size, int from, int to, Floats weights, int at, Floats weighted) {
        int values = block * blockSize() + BLOCK * keyDepth;
        int valueDepth = Tiles.paddedDepth(size);
        for (int c = 0; c < dim; ) {
            int height = Tiles.height(dim - c);
            int tile = values + c * valueDepth + from * height;
            int o = c * COLUMNS;
            Tiles.multiply(height, keysAndValues, tile, weights.array(), at, to - from, weighted.array(), o, COLUMNS);
            c += height;
        }
    }
}
