package io.github.sgpt4j.backend.cpu.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("vector")
class TilesTest {
    private final Random random = new Random(11);

    private float[] random(int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = random.nextFloat() - 0.5f;
        }
        return values;
    }

    @Test
    void everyTileAddsItsProductAndTouchesNothingElse() {
        for (int height : new int[] {12, 8, 6, 4, 2}) {
            for (int k : new int[] {0, 1, 2, 15, 63, 64, 65, 384}) {
                check(height, k);
            }
        }
    }

    private void check(int height, int k) {
        int columns = Simd.TILE_COLUMNS;
        int stride = columns + 5;
        float[] a = random(3 + Tiles.paddedDepth(k) * height);
        float[] b = random(2 + k * columns);
        float[] c = random(4 + height * stride);
        float[] s = random(1 + height * columns);
        float[] bias = random(2 + columns);
        float[] added = c.clone();
        Tiles.multiply(height, a, 3, b, 2, k, added, 4, stride);
        compare(height, k, a, b, c, (r, n) -> c[4 + r * stride + n], added);
        float[] fresh = c.clone();
        Tiles.multiply(height, a, 3, b, 2, k, s, 1, columns, fresh, 4, stride);
        compare(height, k, a, b, c, (r, n) -> s[1 + r * columns + n], fresh);
        if (height % 4 != 0) {
            return;
        }
        float[] stored = c.clone();
        try (Arena arena = Arena.ofConfined()) {
            long half = (long) Float.BYTES * k * Simd.LANES + 8;
            MemorySegment segment = arena.allocate(2 * half + 4, 4).asSlice(4);
            for (int i = 0; i < k * columns; i++) {
                int column = i % columns;
                long at = column / Simd.LANES * half
                        + (long) Float.BYTES * (i / columns * Simd.LANES + column % Simd.LANES);
                segment.set(ValueLayout.JAVA_FLOAT, at, b[2 + i]);
            }
            WeightTiles.multiply(height, a, 3, segment, 0, half, k, bias, 2, 0, stored, 4, stride);
        }
        compare(height, k, a, b, c, (r, n) -> bias[2 + n], stored);
    }

    private interface Start {
        float at(int row, int column);
    }

    /// Compares the tile with sums in doubles that begin with `start`, and its surroundings with
    /// `before`.
    private void compare(int height, int k, float[] a, float[] b, float[] before, Start start, float[] c) {
        int columns = Simd.TILE_COLUMNS;
        int stride = columns + 5;
        for (int i = 0; i < c.length; i++) {
            int row = (i - 4) / stride;
            int column = (i - 4) % stride;
            double expected = before[i];
            if (i >= 4 && column < columns) {
                expected = start.at(row, column);
                for (int p = 0; p < k; p++) {
                    expected += (double) a[3 + packed(p, row, height)] * b[2 + p * columns + column];
                }
            }
            assertEquals(expected, c[i], 1e-5, "height %d, k %d, index %d".formatted(height, k, i));
        }
    }

    /// The index of value `p` of a row in a tile.
    private static int packed(int p, int row, int height) {
        return (p / Tiles.CHUNK * height + row) * Tiles.CHUNK + p % Tiles.CHUNK;
    }

    @Test
    void heightsCoverAnyNumberOfRows() {
        for (int rows = 1; rows < 50; rows++) {
            int covered = 0;
            while (covered < rows) {
                int height = Tiles.height(rows - covered);
                assertTrue(height <= Simd.TILE_ROWS);
                covered += height;
            }
            assertEquals(Tiles.paddedRows(rows), covered);
            assertTrue(covered - rows < 4);
        }
    }

    @Test
    void packedTilesHoldRowsAndZeros() {
        for (int rows : new int[] {1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 30}) {
            int k = rows % 2 == 0 ? 5 : 37;
            int depth = Tiles.paddedDepth(k);
            float[] x = random(2 + rows * 39);
            float[] packed = new float[1 + Tiles.paddedRows(rows) * depth];
            Arrays.fill(packed, Float.NaN);
            Packing.tiles(x, 2, 39, rows, k, packed, 1);
            for (int r = 0; r < rows; ) {
                int height = Tiles.height(rows - r);
                for (int p = 0; p < k; p++) {
                    for (int i = 0; i < height; i++) {
                        float expected = r + i < rows ? x[2 + (r + i) * 39 + p] : 0f;
                        assertEquals(expected, packed[1 + r * depth + packed(p, i, height)]);
                    }
                }
                r += height;
            }
        }
    }

    @Test
    void packedColumnTilesHoldColumnsAndZeros() {
        for (int columns : new int[] {1, 2, 3, 5, 6, 7, 12, 13, 64}) {
            int rows = columns % 2 == 0 ? 3 : 35;
            int depth = Tiles.paddedDepth(rows);
            int stride = columns + 2;
            float[] x = random(1 + rows * stride);
            float[] packed = new float[Tiles.paddedRows(columns) * depth];
            Arrays.fill(packed, Float.NaN);
            Packing.columnTiles(x, 1, stride, 0, rows, rows, columns, packed, 0);
            for (int c = 0; c < columns; ) {
                int height = Tiles.height(columns - c);
                for (int r = 0; r < rows; r++) {
                    for (int i = 0; i < height; i++) {
                        float expected = c + i < columns ? x[1 + r * stride + c + i] : 0f;
                        assertEquals(expected, packed[c * depth + packed(r, i, height)]);
                    }
                }
                c += height;
            }
        }
    }

    @Test
    void tilesPackedFromPiecesAreThoseOfTheWhole() {
        int k = 70;
        int stride = 75;
        for (int rows : new int[] {1, 5, 12, 13, 30}) {
            float[] x = random(rows * stride);
            float[] tiles = new float[Tiles.paddedRows(rows) * Tiles.paddedDepth(k)];
            float[] columns = new float[Tiles.paddedRows(k) * Tiles.paddedDepth(rows)];
            Packing.tiles(x, 0, stride, rows, k, tiles, 0);
            Packing.columnTiles(x, 0, stride, 0, rows, rows, k, columns, 0);
            for (int cut = 0; cut <= rows; cut++) {
                float[] tilesInTwo = new float[tiles.length];
                float[] columnsInTwo = new float[columns.length];
                Arrays.fill(tilesInTwo, Float.NaN);
                Packing.tiles(x, cut * stride, stride, cut, rows, rows, k, tilesInTwo, 0);
                Packing.tiles(x, 0, stride, 0, cut, rows, k, tilesInTwo, 0);
                Packing.columnTiles(x, cut * stride, stride, cut, rows, rows, k, columnsInTwo, 0);
                Packing.columnTiles(x, 0, stride, 0, cut, rows, k, columnsInTwo, 0);
                for (int r = 0; r < rows; ) {
                    int height = Tiles.height(rows - r);
                    for (int p = 0; p < k; p++) {
                        for (int i = 0; i < height; i++) {
                            int at = r * Tiles.paddedDepth(k) + packed(p, i, height);
                            assertEquals(tiles[at], tilesInTwo[at]);
                        }
                    }
                    r += height;
                }
                assertArrayEquals(columns, columnsInTwo);
            }
        }
    }
}
