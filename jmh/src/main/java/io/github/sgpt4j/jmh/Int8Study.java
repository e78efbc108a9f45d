package io.github.sgpt4j.jmh;

import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.kernel.Tiles;
import io.github.sgpt4j.backend.cpu.kernel.WeightTiles;
import io.github.sgpt4j.backend.cpu.kernel.Widening;
import io.github.sgpt4j.tensor.ElementType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/// Loops that show whether 8-bit weights would pay off: register tiles with operands in the first-level caches, and
/// weights streamed from memory for the few rows of a short text. One thread.
final class Int8Study {
    /// A tile's depth, at which the part of a panel stays in the L1 or L2 cache.
    private static final int DEPTH = 384;
    /// Number of weights widened at a time; divides half a panel.
    private static final int PIECE = 128;

    private static final int MAX_VALUE = 127;

    private Int8Study() {}

    /// A loop to measure.
    ///
    /// @param operations multiplications and additions per call
    record Loop(String name, double operations, Runnable body) {
        Loop repeated(int times) {
            return new Loop(name, operations * times, () -> {
                for (int i = 0; i < times; i++) {
                    body.run();
                }
            });
        }
    }

    /// The arithmetic of a tile.
    enum Kind {
        /// The engine's tile.
        FP32,
        /// 16-bit products, widened after two.
        PRODUCTS,
        /// Pairs of 16-bit products that the compiler finds in a plain loop.
        PAIRS
    }

    /// A tile over one block, with its result checked.
    static Loop tile(Kind kind) {
        return switch (kind) {
            case FP32 -> floats();
            case PRODUCTS -> products();
            case PAIRS -> pairs();
        };
    }

    private static Loop floats() {
        int rows = Simd.TILE_ROWS;
        int columns = Simd.TILE_COLUMNS;
        float[] a = new float[rows * Tiles.paddedDepth(DEPTH)];
        float[] b = new float[columns * DEPTH];
        float[] c = new float[rows * columns];
        float[] bias = new float[columns];
        fill(a, 1);
        fill(b, 2);
        return new Loop(
                "fp32, %d × %d".formatted(rows, columns),
                2.0 * rows * columns * DEPTH,
                () -> Tiles.multiply(rows, a, 0, b, 0, DEPTH, bias, 0, 0, c, 0, columns));
    }

    private static Loop products() {
        int columns = Int8Tiles.columns();
        byte[] a = bytes(Int8Tiles.ROWS * DEPTH, MAX_VALUE, 1);
        byte[] b = bytes(columns * DEPTH, MAX_VALUE, 2);
        int[] packedA = Int8Tiles.packRows(a, DEPTH);
        short[] packedB = Int8Tiles.packColumns(b, DEPTH);
        int[] c = new int[Int8Tiles.ROWS * columns];
        int[] high = new int[c.length];
        Runnable body = () -> Int8Tiles.products(packedA, packedB, DEPTH, c, high);
        body.run();
        for (int r = 0; r < Int8Tiles.ROWS; r++) {
            for (int n = 0; n < columns; n++) {
                int sum = 0;
                for (int k = 0; k < DEPTH; k++) {
                    sum += a[r * DEPTH + k] * b[k * columns + n];
                }
                require("products", sum, c[r * columns + n]);
            }
        }
        return new Loop("int8, widened after 2 products", 2.0 * c.length * DEPTH, body);
    }

    private static Loop pairs() {
        int columns = 512;
        int steps = 16;
        short[] a = shorts(steps, columns);
        short[] b = shorts(steps, columns);
        int[] c = new int[columns];
        Int8Tiles.pairs(a, b, 0, c, columns);
        require("pairs", a[2] * b[2] + a[3] * b[3], c[1]);
        return new Loop("pairs of 16-bit products by C2", 4.0 * columns * steps, () -> {
            for (int s = 0; s < steps; s++) {
                Int8Tiles.pairs(a, b, s * 2 * columns, c, columns);
            }
        });
    }

    private static short[] shorts(int steps, int columns) {
        byte[] values = bytes(steps * columns * 2, MAX_VALUE, 3);
        short[] wide = new short[values.length];
        for (int i = 0; i < wide.length; i++) {
            wide[i] = values[i];
        }
        return wide;
    }

    /// Weights of `bits` bits streamed from memory and multiplied by `rows` rows of floats.
    ///
    /// @param megafloats millions of weights
    static Loop stream(Arena arena, int bits, int rows, int megafloats) {
        int columns = Simd.TILE_COLUMNS;
        int panels = Math.toIntExact(megafloats * 1_000_000L / columns / DEPTH);
        long weights = (long) panels * columns * DEPTH;
        int height = Tiles.height(rows);
        float[] a = new float[height * Tiles.paddedDepth(DEPTH)];
        float[] c = new float[height * columns];
        float[] panel = new float[columns * DEPTH];
        float[] bias = new float[columns];
        fill(a, 1);
        double operations = 2.0 * rows * weights;
        String name = "%d-bit weights, %d row%s".formatted(bits, rows, rows == 1 ? "" : "s");
        if (bits == 8) {
            byte[] bytes = bytes(Math.toIntExact(weights), MAX_VALUE, 4);
            return new Loop(name, operations, () -> {
                for (int p = 0; p < panels; p++) {
                    int from = p * panel.length;
                    inHalves(panel.length, (at, count) -> Int8Tiles.widen(bytes, from + at, panel, at, count));
                    Tiles.multiply(height, a, 0, panel, 0, DEPTH, bias, 0, 0, c, 0, columns);
                }
            });
        }
        if (bits == 16) {
            MemorySegment halves = arena.allocate(2 * weights, 64);
            return new Loop(name, operations, () -> {
                for (int p = 0; p < panels; p++) {
                    long from = (long) p * panel.length;
                    inHalves(
                            panel.length,
                            (at, count) -> Widening.widen(halves, ElementType.BF16, 2 * (from + at), panel, at, count));
                    Tiles.multiply(height, a, 0, panel, 0, DEPTH, bias, 0, 0, c, 0, columns);
                }
            });
        }
        MemorySegment floats = arena.allocate(4 * weights, 64);
        long halfBytes = (long) Float.BYTES * DEPTH * Simd.LANES;
        return new Loop(name, operations, () -> {
            for (int p = 0; p < panels; p++) {
                long at = 2 * p * halfBytes;
                WeightTiles.multiply(height, a, 0, floats, at, halfBytes, DEPTH, bias, 0, 0, c, 0, columns);
            }
        });
    }

    private interface Piece {
        void widen(int at, int count);
    }

    /// Iterates over both halves of a panel together, as tiles do.
    private static void inHalves(int elements, Piece piece) {
        int half = elements / 2;
        for (int at = 0; at < half; at += PIECE) {
            piece.widen(at, PIECE);
            piece.widen(half + at, PIECE);
        }
    }

    private static void require(String what, int expected, int got) {
        if (expected != got) {
            throw new IllegalStateException("%s: expected %d, got %d".formatted(what, expected, got));
        }
    }

    private static void fill(float[] values, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat(-1, 1);
        }
    }

    private static byte[] bytes(int count, int most, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] values = new byte[count];
        for (int i = 0; i < count; i++) {
            values[i] = (byte) random.nextInt(-most, most + 1);
        }
        return values;
    }
}
