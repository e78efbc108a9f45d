package io.github.sgpt4j.backend.cpu.amx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Compares products with sums in doubles. Tests that need the unit are tagged "amx" and left out
/// on machines without it.
class AmxTest {
    private static final long SEED = Long.getLong("sgpt4j.seed", 8192);

    private final Arena arena = Arena.ofConfined();
    private final Random random = new Random(SEED);

    @AfterEach
    void close() {
        arena.close();
    }

    /// Rows `[count][64 · blocks]` times columns `[64 · blocks][16]`; the first `in` features are
    /// given, the rest is padding.
    private final class Product {
        private final int rows;
        private final int in;
        private final int blocks;
        private final float[][] x;
        private final float[][] w;
        private final float[][] result;

        Product(int rows, int in, IntToDoubleFunction x, IntToDoubleFunction w) {
            this(fill(rows, in, x), fill(Amx.TILE, in, w));
        }

        Product(float[][] x, float[][] w) {
            this.rows = x.length;
            this.in = x[0].length;
            this.blocks = Amx.blocks(in);
            this.x = x;
            this.w = w;
            this.result = compute();
        }

        private float[][] compute() {
            int tiles = Amx.tiles(rows);
            long tileBytes = Amx.rowTileBytes(blocks);
            MemorySegment rowTiles = arena.allocate(tiles * (tileBytes + Amx.FACT_BYTES), 64);
            MemorySegment columnTile = arena.allocate(Amx.columnTileBytes(blocks) + Amx.FACT_BYTES, 64);
            MemorySegment shifts = arena.allocate(Amx.SHIFT_BYTES, 64);
            int depth = blocks * Amx.BLOCK;
            for (int tile = 0; tile < tiles; tile++) {
                int count = Math.min(Amx.TILE, rows - tile * Amx.TILE);
                MemorySegment floats = arena.allocate(4L * count * depth, 64);
                for (int r = 0; r < count; r++) {
                    float[] row = x[tile * Amx.TILE + r];
                    MemorySegment.copy(row, 0, floats, ValueLayout.JAVA_FLOAT, 4L * r * depth, in);
                    shifts.setAtIndex(ValueLayout.JAVA_FLOAT, r, Amx.rowShift(largest(row)));
                    long at = tiles * tileBytes + tile * Amx.FACT_BYTES + 4L * r;
                    rowTiles.set(ValueLayout.JAVA_FLOAT, at, Amx.rowExponent(largest(row)));
                    rowTiles.set(ValueLayout.JAVA_FLOAT, at + Amx.SECOND_FACTS, spread(row));
                }
                Amx.splitRows(floats, count, blocks, shifts, rowTiles, tile * tileBytes);
            }
            MemorySegment columns = arena.allocate(4L * depth * Amx.TILE, 64);
            for (int c = 0; c < Amx.TILE; c++) {
                for (int k = 0; k < in; k++) {
                    columns.setAtIndex(ValueLayout.JAVA_FLOAT, (long) k * Amx.TILE + c, w[c][k]);
                }
                shifts.setAtIndex(ValueLayout.JAVA_FLOAT, c, Amx.columnShift(largest(w[c])));
                long at = Amx.columnTileBytes(blocks) + 4L * c;
                columnTile.set(ValueLayout.JAVA_FLOAT, at, Amx.columnExponent(largest(w[c])));
                columnTile.set(ValueLayout.JAVA_FLOAT, at + Amx.SECOND_FACTS, limit());
            }
            Amx.splitColumns(columns, 0, blocks, shifts, columnTile, 0);
            // A gap between the rows of the output must stay as it is.
            long outBytes = 8L * Amx.TILE;
            MemorySegment out = arena.allocate(tiles * Amx.TILE * outBytes, 64);
            MemorySegment scratch = arena.allocate(Amx.SCRATCH_BYTES, 64);
            Amx.multiply(
                    rowTiles,
                    0,
                    tiles,
                    tiles * tileBytes,
                    columnTile,
                    0,
                    Amx.columnTileBytes(blocks),
                    blocks,
                    out,
                    0,
                    outBytes,
                    scratch);
            float[][] values = new float[rows][Amx.TILE];
            for (int r = 0; r < rows; r++) {
                for (int c = 0; c < Amx.TILE; c++) {
                    values[r][c] = out.get(ValueLayout.JAVA_FLOAT, r * outBytes + 4L * c);
                    assertEquals(0f, out.get(ValueLayout.JAVA_FLOAT, r * outBytes + 4L * (Amx.TILE + c)));
                }
            }
            return values;
        }

        private double exact(int row, int column) {
            double sum = 0;
            for (int k = 0; k < in; k++) {
                sum += (double) x[row][k] * w[column][k];
            }
            return sum;
        }

        private float limit() {
            float spread = 0;
            for (float[] column : w) {
                spread = Math.max(spread, spread(column));
            }
            return Amx.limit(spread, in);
        }

        /// Whether a row is computed with all its digits.
        boolean takesAllDigits(int row) {
            return spread(x[row]) > limit();
        }

        /// The error that rounding of weights and result, and omitted digits, may cause.
        private double allowed(int row, int column) {
            double sum = 0;
            for (int k = 0; k < in; k++) {
                sum += Math.abs(x[row][k]);
            }
            double largestWeight = Float.intBitsToFloat(largest(w[column]));
            double largestRow = Float.intBitsToFloat(largest(x[row]));
            // Seven standard deviations of √in · 2.8e-8 times what the largest numbers could be, and as much for
            // rounding.
            double left = takesAllDigits(row) ? in * 0x1p-28 : Math.sqrt(in) * 7 * 2 * 4 * 2.8e-8;
            return sum * largestWeight * 0x1p-22
                    + largestRow * largestWeight * left
                    + Math.abs(exact(row, column)) * 0x1p-22
                    + Float.MIN_NORMAL;
        }

        void check() {
            for (int r = 0; r < rows; r++) {
                for (int c = 0; c < Amx.TILE; c++) {
                    double off = Math.abs(result[r][c] - exact(r, c));
                    assertTrue(
                            off <= allowed(r, c),
                            "seed %d, %d rows, %d features, row %d, column %d: got %s for %s, off by %.3g, allowed %.3g"
                                    .formatted(SEED, rows, in, r, c, result[r][c], exact(r, c), off, allowed(r, c)));
                }
            }
        }
    }

    private static float[][] fill(int count, int length, IntToDoubleFunction value) {
        float[][] values = new float[count][length];
        for (int r = 0; r < count; r++) {
            for (int k = 0; k < length; k++) {
                values[r][k] = (float) value.applyAsDouble(r);
            }
        }
        return values;
    }

    private static int largest(float[] values) {
        int largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Float.floatToRawIntBits(value) & Integer.MAX_VALUE);
        }
        return largest;
    }

    private static float spread(float[] values) {
        return Amx.spread(largest(values), squares(values), values.length);
    }

    private static double squares(float[] values) {
        double squares = 0;
        for (float value : values) {
            squares += (double) value * value;
        }
        return squares;
    }

    @Test
    @Tag("amx")
    void productsOfAllShapesAreRight() {
        for (int rows : new int[] {1, 15, 16, 17, 33, 64}) {
            for (int in : new int[] {1, 16, 63, 64, 65, 200, 768, 3072}) {
                new Product(rows, in, r -> random.nextGaussian(), c -> random.nextGaussian() * 0.02).check();
            }
        }
    }

    @Test
    @Tag("amx")
    void rowsAndColumnsMayDifferInMagnitude() {
        new Product(
                        20,
                        300,
                        r -> Math.scalb(random.nextGaussian(), 5 * r - 50),
                        c -> Math.scalb(random.nextGaussian(), 30 - 4 * c))
                .check();
    }

    @Test
    @Tag("amx")
    void hugeNumbersMayMeetTinyOnes() {
        for (int magnitude : new int[] {-80, 0, 126}) {
            new Product(
                            16,
                            64,
                            r -> Math.scalb(random.nextDouble(), magnitude),
                            c -> Math.scalb(random.nextDouble(), -Math.max(0, magnitude) - 10))
                    .check();
            new Product(
                            16,
                            64,
                            r -> Math.scalb(random.nextDouble(), -Math.max(0, magnitude) - 10),
                            c -> Math.scalb(random.nextDouble(), magnitude))
                    .check();
        }
    }

    @Test
    @Tag("amx")
    void aFewLargeNumbersDoNotSpoilTheOthers() {
        Product product = new Product(
                32,
                768,
                r -> random.nextGaussian() * (r % 3 == 0 && random.nextInt(200) == 0 ? 100 : 1),
                c -> random.nextGaussian() * 0.02);
        product.check();
        int all = 0;
        for (int r = 0; r < 32; r++) {
            all += product.takesAllDigits(r) ? 1 : 0;
        }
        assertTrue(all > 3 && all < 12, all + " rows with all digits");
    }

    @Test
    @Tag("amx")
    void aFewLargeWeightsDoNotSpoilTheOthers() {
        Product product = new Product(
                32, 768, r -> random.nextGaussian(), c -> random.nextGaussian() * (random.nextInt(300) == 0 ? 50 : 1));
        product.check();
        for (int r = 0; r < 32; r++) {
            assertTrue(product.takesAllDigits(r));
        }
    }

    @Test
    @Tag("amx")
    void aRowThatNeedsAllDigitsDoesNotChangeItsNeighbours() {
        float[][] rows = fill(16, 300, r -> random.nextGaussian());
        float[][] columns = fill(Amx.TILE, 300, c -> random.nextGaussian());
        Product alike = new Product(rows, columns);
        float[][] others = rows.clone();
        others[5] = rows[5].clone();
        others[5][17] = 1000;
        others[9] = rows[9].clone();
        others[9][0] = Float.NaN;
        Product different = new Product(others, columns);
        assertTrue(different.takesAllDigits(5) && !alike.takesAllDigits(5));
        for (int r = 0; r < 16; r++) {
            if (r != 5 && r != 9) {
                assertArrayEquals(alike.result[r], different.result[r], "row " + r);
            }
        }
    }

    @Test
    @Tag("amx")
    void smallIntegersAreExact() {
        Product product = new Product(17, 100, r -> random.nextInt(-1000, 1001), c -> random.nextInt(-1000, 1001));
        for (int r = 0; r < 17; r++) {
            for (int c = 0; c < Amx.TILE; c++) {
                assertEquals((float) product.exact(r, c), product.result[r][c]);
            }
        }
    }

    @Test
    @Tag("amx")
    void zerosGiveZeros() {
        Product product = new Product(
                16, 70, r -> r % 2 == 0 ? 0 : random.nextGaussian(), c -> c == 3 ? 0 : random.nextGaussian());
        product.check();
        for (int r = 0; r < 16; r++) {
            for (int c = 0; c < Amx.TILE; c++) {
                if (r % 2 == 0 || c == 3) {
                    assertEquals(0f, product.result[r][c]);
                }
            }
        }
    }

    @Test
    @Tag("amx")
    void numbersThatAreNotFiniteMakeOnlyTheirRowOrColumnNaN() {
        Product product = new Product(
                18,
                80,
                r -> r == 2 ? Double.NaN : r == 5 ? Double.POSITIVE_INFINITY : random.nextGaussian(),
                c -> c == 7 ? Double.NEGATIVE_INFINITY : random.nextGaussian());
        for (int r = 0; r < 18; r++) {
            for (int c = 0; c < Amx.TILE; c++) {
                assertEquals(
                        r == 2 || r == 5 || c == 7, Float.isNaN(product.result[r][c]), "row " + r + ", column " + c);
            }
        }
    }

    @Test
    void scalesUseAllDigitsAndNoMore() {
        for (int i = 0; i < 100_000; i++) {
            float largest = i == 0 ? Math.nextDown(2f) : Math.scalb(1 + random.nextFloat(), random.nextInt(-120, 120));
            int bits = Float.floatToRawIntBits(largest);
            double column = Math.rint(largest * Math.pow(2, Amx.columnShift(bits)));
            assertTrue(column <= 127 * 0x10101 && column >= 127 * 0x10101 / 2, () -> "column " + largest);
            double row = Math.rint(largest * Math.pow(2, Amx.rowShift(bits)));
            assertTrue(row <= 127.0 * 0x1010101 && row >= 127.0 * 0x1010101 / 2, () -> "row " + largest);
            assertEquals(24, Amx.rowShift(bits) + Amx.rowExponent(bits));
            assertEquals(16, Amx.columnShift(bits) + Amx.columnExponent(bits));
        }
    }

    @Test
    @Tag("amx")
    void columnsAreMeasured() {
        int blocks = 3;
        int rows = blocks * Amx.BLOCK;
        float[][] w = fill(Amx.TILE, rows, c -> c == 3 ? 0 : Math.scalb(random.nextGaussian(), c));
        w[5][100] = Float.NEGATIVE_INFINITY;
        w[6][101] = Float.NaN;
        MemorySegment columns = arena.allocate(16 + 4L * rows * Amx.TILE, 64);
        for (int k = 0; k < rows; k++) {
            for (int c = 0; c < Amx.TILE; c++) {
                columns.set(ValueLayout.JAVA_FLOAT, 16 + 4L * (k * Amx.TILE + c), w[c][k]);
            }
        }
        MemorySegment measures = arena.allocate(Amx.FACT_BYTES, 64);
        Amx.measureColumns(columns, 16, blocks, measures);
        for (int c = 0; c < Amx.TILE; c++) {
            assertEquals(largest(w[c]), measures.getAtIndex(ValueLayout.JAVA_INT, c));
            float squares = measures.get(ValueLayout.JAVA_FLOAT, Amx.SECOND_FACTS + 4L * c);
            double expected = squares(w[c]);
            assertEquals(expected, squares, Double.isFinite(expected) ? 1e-5 * expected : 0, "column " + c);
        }
    }

    @Test
    void spreadIsTheRatioOfTheLargestPossibleNumber() {
        assertEquals(0f, Amx.spread(0, 0, 5));
        assertEquals(2 / 1.5, Amx.spread(Float.floatToRawIntBits(1.5f), 4 * 1.5 * 1.5, 4), 1e-6);
        assertEquals(4 / 2.0, Amx.spread(Float.floatToRawIntBits(2f), 4 * 2.0 * 2.0, 4), 1e-6);
        assertEquals(Float.POSITIVE_INFINITY, Amx.spread(Float.floatToRawIntBits(3e38f), Double.POSITIVE_INFINITY, 4));
        assertEquals(Float.POSITIVE_INFINITY, Amx.spread(Float.floatToRawIntBits(1e-30f), 0, 4));
        assertEquals(Float.POSITIVE_INFINITY, Amx.spread(Float.floatToRawIntBits(Float.NaN), Double.NaN, 4));
        assertEquals(16f, Amx.limit(8, 1024));
        assertEquals(Float.POSITIVE_INFINITY, Amx.limit(0, 1024));
    }

    @Test
    @Tag("amx")
    void memoryIsNotExceeded() {
        MemorySegment small = arena.allocate(64, 64);
        MemorySegment large = arena.allocate(1 << 16, 64);
        assertThrows(IndexOutOfBoundsException.class, () -> Amx.splitRows(small, 1, 1, large, large, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> Amx.splitRows(large, 1, 1, large, small, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> Amx.splitRows(large, 17, 1, large, large, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> Amx.measureColumns(small, 0, 1, large));
        assertThrows(IndexOutOfBoundsException.class, () -> Amx.measureColumns(large, 0, 1, small));
        assertThrows(IndexOutOfBoundsException.class, () -> Amx.splitColumns(small, 0, 1, large, large, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> Amx.splitColumns(large, 0, 1, large, small, 0));
        assertThrows(
                IndexOutOfBoundsException.class,
                () -> Amx.multiply(large, 0, 1, 0, large, 0, 0, 1, small, 0, 64, large));
        assertThrows(
                IndexOutOfBoundsException.class,
                () -> Amx.multiply(large, 0, 5, 0, large, 0, 0, 4, large, 0, 64, large));
        MemorySegment heap = MemorySegment.ofArray(new byte[1 << 16]);
        assertThrows(IllegalArgumentException.class, () -> Amx.splitRows(heap, 1, 1, large, large, 0));
    }

    @Test
    @Tag("amx")
    void closedMemoryIsRefused() {
        MemorySegment open = arena.allocate(1 << 16, 64);
        Arena other = Arena.ofShared();
        MemorySegment closed = other.allocate(1 << 16, 64);
        other.close();
        assertThrows(
                IllegalStateException.class, () -> Amx.multiply(open, 0, 1, 0, closed, 0, 0, 1, open, 0, 64, open));
    }
}
