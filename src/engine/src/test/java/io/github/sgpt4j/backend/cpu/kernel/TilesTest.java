package io.github.sgpt4j.backend.cpu.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
            for (int k : new int[] {0, 1, 2, 7, 384}) {
                check(height, k);
            }
        }
    }

    private void check(int height, int k) {
        int columns = Simd.TILE_COLUMNS;
        int stride = columns + 5;
        float[] a = random(3 + k * height);
        float[] b = random(2 + k * columns);
        float[] c = random(4 + height * stride);
        float[] before = c.clone();
        Tiles.multiply(height, a, 3, b, 2, k, c, 4, stride);
        for (int i = 0; i < c.length; i++) {
            int row = (i - 4) / stride;
            int column = (i - 4) % stride;
            double expected = before[i];
            if (i >= 4 && column < columns) {
                for (int p = 0; p < k; p++) {
                    expected += (double) a[3 + p * height + row] * b[2 + p * columns + column];
                }
            }
            assertEquals(expected, c[i], 1e-5, "height %d, k %d, index %d".formatted(height, k, i));
        }
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
            int k = 5;
            float[] x = random(2 + rows * 9);
            float[] packed = new float[1 + Tiles.paddedRows(rows) * k];
            Arrays.fill(packed, Float.NaN);
            Packing.tiles(x, 2, 9, rows, k, packed, 1);
            for (int r = 0; r < rows; ) {
                int height = Tiles.height(rows - r);
                for (int p = 0; p < k; p++) {
                    for (int i = 0; i < height; i++) {
                        float expected = r + i < rows ? x[2 + (r + i) * 9 + p] : 0f;
                        assertEquals(expected, packed[1 + r * k + p * height + i]);
                    }
                }
                r += height;
            }
        }
    }

    @Test
    void packedColumnTilesHoldColumnsAndZeros() {
        for (int columns : new int[] {1, 2, 3, 5, 6, 7, 12, 13, 64}) {
            int rows = 3;
            int stride = columns + 2;
            float[] x = random(1 + rows * stride);
            float[] packed = new float[Tiles.paddedRows(columns) * rows];
            Arrays.fill(packed, Float.NaN);
            Packing.columnTiles(x, 1, stride, rows, columns, packed, 0);
            for (int c = 0; c < columns; ) {
                int height = Tiles.height(columns - c);
                for (int r = 0; r < rows; r++) {
                    for (int i = 0; i < height; i++) {
                        float expected = c + i < columns ? x[1 + r * stride + c + i] : 0f;
                        assertEquals(expected, packed[c * rows + r * height + i]);
                    }
                }
                c += height;
            }
        }
    }
}
