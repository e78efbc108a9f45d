package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.cpu.kernel.Packing;
import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.Tiles;

/// Keys or values packed for [Tiles], [Tiles#CHUNK] rows at a time.
final class PackedKeyMatrix implements KeyMatrix {
    private static final int CHUNK = Tiles.CHUNK;
    private static final int COLUMNS = Simd.TILE_COLUMNS;
    private static final float[] ZEROS = new float[COLUMNS];

    private final Scratch scratch;
    private final Scratch.Use use;
    private final boolean transposes;

    private int keys;
    private int dim;
    /// Values of a packed row: `dim`, rounded up.
    private int depth;
    /// Values that a chunk takes.
    private int chunkSize;
    /// For every chunk, the tiles of the matrix, then those of its transpose.
    private float[] tiles = ZEROS;

    /// @param transposes whether [#addTransposed] will be called
    PackedKeyMatrix(Scratch scratch, Scratch.Use use, boolean transposes) {
        this.scratch = scratch;
        this.use = use;
        this.transposes = transposes;
    }

    @Override
    public void begin(AttentionGradient gradient, int segment, int column) {
        CpuTensor qkv = gradient.qkv();
        int start = gradient.batch().start(segment);
        keys = gradient.batch().length(segment);
        dim = gradient.parameters().headDim();
        depth = Tiles.paddedDepth(dim);
        chunkSize = CHUNK * (transposes ? depth + Tiles.paddedRows(dim) : depth);
        int chunks = (keys + CHUNK - 1) / CHUNK;
        tiles = scratch.floats(use, Math.multiplyExact(chunks, chunkSize));
        for (int chunk = 0; chunk < chunks; chunk++) {
            int first = chunk * CHUNK;
            int count = Math.min(CHUNK, keys - first);
            int from = qkv.offset(start + first) + column;
            int to = chunk * chunkSize;
            Packing.tiles(qkv.data(), from, qkv.columns(), count, dim, tiles, to);
            if (transposes) {
                to += CHUNK * depth;
                Packing.columnTiles(qkv.data(), from, qkv.columns(), 0, count, count, dim, tiles, to);
            }
        }
    }

    @Override
    public void end() {
        tiles = ZEROS;
    }

    @Override
    public void multiply(int first, int count, Floats right, int rightAt, Floats out, int outAt) {
        float[] b = right.array();
        float[] c = out.array();
        for (int done = 0; done < count; done += CHUNK) {
            int at = (first + done) / CHUNK * chunkSize;
            int packed = Math.min(CHUNK, keys - first - done);
            int wanted = Math.min(CHUNK, count - done);
            for (int j = 0; j < wanted; ) {
                int height = Tiles.height(packed - j);
                int o = outAt + (done + j) * COLUMNS;
                Tiles.multiply(height, tiles, at + j * depth, b, rightAt, dim, ZEROS, 0, 0, c, o, COLUMNS);
                j += height;
            }
        }
    }

    @Override
    public void addTransposed(int first, int count, Floats right, Floats out, int outAt) {
        float[] b = right.array();
        float[] c = out.array();
        for (int done = 0; done < count; done += CHUNK) {
            int at = (first + done) / CHUNK * chunkSize + CHUNK * depth;
            int rows = Math.min(CHUNK, count - done);
            for (int d = 0; d < dim; ) {
                int height = Tiles.height(dim - d);
                Tiles.multiply(height, tiles, at + d * CHUNK, b, done * COLUMNS, rows, c, outAt + d * COLUMNS, COLUMNS);
                d += height;
            }
        }
    }
}
