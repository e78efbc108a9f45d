package io.github.sgpt4j.backend.cpu.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The register tiles of every matrix product: `C += A · B` with a tile of C held in named accumulators.
///
/// A is packed `[k][height]`, B is packed `[k][TILE_COLUMNS]`, C is row-major with any stride. The tallest tile of a
/// machine is [Simd#TILE_ROWS]; lower ones serve the rows that are left over (see [#height]).
///
/// The multiply-adds are written out instead of calling [Elementary#fma]: two dozen calls in one method exceed the
/// compiler's budget for inlining, and one call that is not inlined puts vectors on the heap.
public final class Tiles {
    private static final VectorSpecies<Float> F = Simd.F;
    private static final int L = Simd.LANES;
    private static final boolean FMA = Simd.FMA;
    private static final int SMALL = Simd.TILE_ROWS == 12 ? 4 : 2;

    private Tiles() {}

    /// The height of the tile to use when `rows` are left: the full one, or the lowest that holds them all.
    public static int height(int rows) {
        int full = Simd.TILE_ROWS;
        if (rows >= full) {
            return full;
        }
        return (rows + SMALL - 1) / SMALL * SMALL;
    }

    /// Rows that tiles of the heights chosen by [#height] cover for `rows` rows: `rows`, rounded up.
    public static int paddedRows(int rows) {
        return (rows + SMALL - 1) / SMALL * SMALL;
    }

    /// `c[co + r · stride + n] += Σ_p a[ao + p · height + r] · b[bo + p · TILE_COLUMNS + n]` for `height` rows and
    /// `TILE_COLUMNS` columns.
    public static void multiply(
            int height, float[] a, int ao, float[] b, int bo, int k, float[] c, int co, int stride) {
        switch (height) {
            case 12 -> tile12(a, ao, b, bo, k, c, co, stride);
            case 8 -> tile8(a, ao, b, bo, k, c, co, stride);
            case 6 -> tile6(a, ao, b, bo, k, c, co, stride);
            case 4 -> tile4(a, ao, b, bo, k, c, co, stride);
            case 2 -> tile2(a, ao, b, bo, k, c, co, stride);
            default -> throw new IllegalArgumentException("tile of " + height + " rows");
        }
    }

    private static void tile12(float[] a, int ao, float[] b, int bo, int k, float[] c, int co, int stride) {
        int r0 = co;
        int r1 = co + stride;
        int r2 = co + 2 * stride;
        int r3 = co + 3 * stride;
        int r4 = co + 4 * stride;
        int r5 = co + 5 * stride;
        int r6 = co + 6 * stride;
        int r7 = co + 7 * stride;
        int r8 = co + 8 * stride;
        int r9 = co + 9 * stride;
        int r10 = co + 10 * stride;
        int r11 = co + 11 * stride;
        FloatVector c0a = FloatVector.fromArray(F, c, r0);
        FloatVector c0b = FloatVector.fromArray(F, c, r0 + L);
        FloatVector c1a = FloatVector.fromArray(F, c, r1);
        FloatVector c1b = FloatVector.fromArray(F, c, r1 + L);
        FloatVector c2a = FloatVector.fromArray(F, c, r2);
        FloatVector c2b = FloatVector.fromArray(F, c, r2 + L);
        FloatVector c3a = FloatVector.fromArray(F, c, r3);
        FloatVector c3b = FloatVector.fromArray(F, c, r3 + L);
        FloatVector c4a = FloatVector.fromArray(F, c, r4);
        FloatVector c4b = FloatVector.fromArray(F, c, r4 + L);
        FloatVector c5a = FloatVector.fromArray(F, c, r5);
        FloatVector c5b = FloatVector.fromArray(F, c, r5 + L);
        FloatVector c6a = FloatVector.fromArray(F, c, r6);
        FloatVector c6b = FloatVector.fromArray(F, c, r6 + L);
        FloatVector c7a = FloatVector.fromArray(F, c, r7);
        FloatVector c7b = FloatVector.fromArray(F, c, r7 + L);
        FloatVector c8a = FloatVector.fromArray(F, c, r8);
        FloatVector c8b = FloatVector.fromArray(F, c, r8 + L);
        FloatVector c9a = FloatVector.fromArray(F, c, r9);
        FloatVector c9b = FloatVector.fromArray(F, c, r9 + L);
        FloatVector c10a = FloatVector.fromArray(F, c, r10);
        FloatVector c10b = FloatVector.fromArray(F, c, r10 + L);
        FloatVector c11a = FloatVector.fromArray(F, c, r11);
        FloatVector c11b = FloatVector.fromArray(F, c, r11 + L);
        for (int p = 0; p < k; p++) {
            int i = ao + p * 12;
            int j = bo + p * (2 * L);
            FloatVector left = FloatVector.fromArray(F, b, j);
            FloatVector right = FloatVector.fromArray(F, b, j + L);
            FloatVector x = FloatVector.broadcast(F, a[i]);
            c0a = FMA ? x.fma(left, c0a) : x.mul(left).add(c0a);
            c0b = FMA ? x.fma(right, c0b) : x.mul(right).add(c0b);
            x = FloatVector.broadcast(F, a[i + 1]);
            c1a = FMA ? x.fma(left, c1a) : x.mul(left).add(c1a);
            c1b = FMA ? x.fma(right, c1b) : x.mul(right).add(c1b);
            x = FloatVector.broadcast(F, a[i + 2]);
            c2a = FMA ? x.fma(left, c2a) : x.mul(left).add(c2a);
            c2b = FMA ? x.fma(right, c2b) : x.mul(right).add(c2b);
            x = FloatVector.broadcast(F, a[i + 3]);
            c3a = FMA ? x.fma(left, c3a) : x.mul(left).add(c3a);
            c3b = FMA ? x.fma(right, c3b) : x.mul(right).add(c3b);
            x = FloatVector.broadcast(F, a[i + 4]);
            c4a = FMA ? x.fma(left, c4a) : x.mul(left).add(c4a);
            c4b = FMA ? x.fma(right, c4b) : x.mul(right).add(c4b);
            x = FloatVector.broadcast(F, a[i + 5]);
            c5a = FMA ? x.fma(left, c5a) : x.mul(left).add(c5a);
            c5b = FMA ? x.fma(right, c5b) : x.mul(right).add(c5b);
            x = FloatVector.broadcast(F, a[i + 6]);
            c6a = FMA ? x.fma(left, c6a) : x.mul(left).add(c6a);
            c6b = FMA ? x.fma(right, c6b) : x.mul(right).add(c6b);
            x = FloatVector.broadcast(F, a[i + 7]);
            c7a = FMA ? x.fma(left, c7a) : x.mul(left).add(c7a);
            c7b = FMA ? x.fma(right, c7b) : x.mul(right).add(c7b);
            x = FloatVector.broadcast(F, a[i + 8]);
            c8a = FMA ? x.fma(left, c8a) : x.mul(left).add(c8a);
            c8b = FMA ? x.fma(right, c8b) : x.mul(right).add(c8b);
            x = FloatVector.broadcast(F, a[i + 9]);
            c9a = FMA ? x.fma(left, c9a) : x.mul(left).add(c9a);
            c9b = FMA ? x.fma(right, c9b) : x.mul(right).add(c9b);
            x = FloatVector.broadcast(F, a[i + 10]);
            c10a = FMA ? x.fma(left, c10a) : x.mul(left).add(c10a);
            c10b = FMA ? x.fma(right, c10b) : x.mul(right).add(c10b);
            x = FloatVector.broadcast(F, a[i + 11]);
            c11a = FMA ? x.fma(left, c11a) : x.mul(left).add(c11a);
            c11b = FMA ? x.fma(right, c11b) : x.mul(right).add(c11b);
        }
        c0a.intoArray(c, r0);
        c0b.intoArray(c, r0 + L);
        c1a.intoArray(c, r1);
        c1b.intoArray(c, r1 + L);
        c2a.intoArray(c, r2);
        c2b.intoArray(c, r2 + L);
        c3a.intoArray(c, r3);
        c3b.intoArray(c, r3 + L);
        c4a.intoArray(c, r4);
        c4b.intoArray(c, r4 + L);
        c5a.intoArray(c, r5);
        c5b.intoArray(c, r5 + L);
        c6a.intoArray(c, r6);
        c6b.intoArray(c, r6 + L);
        c7a.intoArray(c, r7);
        c7b.intoArray(c, r7 + L);
        c8a.intoArray(c, r8);
        c8b.intoArray(c, r8 + L);
        c9a.intoArray(c, r9);
        c9b.intoArray(c, r9 + L);
        c10a.intoArray(c, r10);
        c10b.intoArray(c, r10 + L);
        c11a.intoArray(c, r11);
        c11b.intoArray(c, r11 + L);
    }

    private static void tile8(float[] a, int ao, float[] b, int bo, int k, float[] c, int co, int stride) {
        int r0 = co;
        int r1 = co + stride;
        int r2 = co + 2 * stride;
        int r3 = co + 3 * stride;
        int r4 = co + 4 * stride;
        int r5 = co + 5 * stride;
        int r6 = co + 6 * stride;
        int r7 = co + 7 * stride;
        FloatVector c0a = FloatVector.fromArray(F, c, r0);
        FloatVector c0b = FloatVector.fromArray(F, c, r0 + L);
        FloatVector c1a = FloatVector.fromArray(F, c, r1);
        FloatVector c1b = FloatVector.fromArray(F, c, r1 + L);
        FloatVector c2a = FloatVector.fromArray(F, c, r2);
        FloatVector c2b = FloatVector.fromArray(F, c, r2 + L);
        FloatVector c3a = FloatVector.fromArray(F, c, r3);
        FloatVector c3b = FloatVector.fromArray(F, c, r3 + L);
        FloatVector c4a = FloatVector.fromArray(F, c, r4);
        FloatVector c4b = FloatVector.fromArray(F, c, r4 + L);
        FloatVector c5a = FloatVector.fromArray(F, c, r5);
        FloatVector c5b = FloatVector.fromArray(F, c, r5 + L);
        FloatVector c6a = FloatVector.fromArray(F, c, r6);
        FloatVector c6b = FloatVector.fromArray(F, c, r6 + L);
        FloatVector c7a = FloatVector.fromArray(F, c, r7);
        FloatVector c7b = FloatVector.fromArray(F, c, r7 + L);
        for (int p = 0; p < k; p++) {
            int i = ao + p * 8;
            int j = bo + p * (2 * L);
            FloatVector left = FloatVector.fromArray(F, b, j);
            FloatVector right = FloatVector.fromArray(F, b, j + L);
            FloatVector x = FloatVector.broadcast(F, a[i]);
            c0a = FMA ? x.fma(left, c0a) : x.mul(left).add(c0a);
            c0b = FMA ? x.fma(right, c0b) : x.mul(right).add(c0b);
            x = FloatVector.broadcast(F, a[i + 1]);
            c1a = FMA ? x.fma(left, c1a) : x.mul(left).add(c1a);
            c1b = FMA ? x.fma(right, c1b) : x.mul(right).add(c1b);
            x = FloatVector.broadcast(F, a[i + 2]);
            c2a = FMA ? x.fma(left, c2a) : x.mul(left).add(c2a);
            c2b = FMA ? x.fma(right, c2b) : x.mul(right).add(c2b);
            x = FloatVector.broadcast(F, a[i + 3]);
            c3a = FMA ? x.fma(left, c3a) : x.mul(left).add(c3a);
            c3b = FMA ? x.fma(right, c3b) : x.mul(right).add(c3b);
            x = FloatVector.broadcast(F, a[i + 4]);
            c4a = FMA ? x.fma(left, c4a) : x.mul(left).add(c4a);
            c4b = FMA ? x.fma(right, c4b) : x.mul(right).add(c4b);
            x = FloatVector.broadcast(F, a[i + 5]);
            c5a = FMA ? x.fma(left, c5a) : x.mul(left).add(c5a);
            c5b = FMA ? x.fma(right, c5b) : x.mul(right).add(c5b);
            x = FloatVector.broadcast(F, a[i + 6]);
            c6a = FMA ? x.fma(left, c6a) : x.mul(left).add(c6a);
            c6b = FMA ? x.fma(right, c6b) : x.mul(right).add(c6b);
            x = FloatVector.broadcast(F, a[i + 7]);
            c7a = FMA ? x.fma(left, c7a) : x.mul(left).add(c7a);
            c7b = FMA ? x.fma(right, c7b) : x.mul(right).add(c7b);
        }
        c0a.intoArray(c, r0);
        c0b.intoArray(c, r0 + L);
        c1a.intoArray(c, r1);
        c1b.intoArray(c, r1 + L);
        c2a.intoArray(c, r2);
        c2b.intoArray(c, r2 + L);
        c3a.intoArray(c, r3);
        c3b.intoArray(c, r3 + L);
        c4a.intoArray(c, r4);
        c4b.intoArray(c, r4 + L);
        c5a.intoArray(c, r5);
        c5b.intoArray(c, r5 + L);
        c6a.intoArray(c, r6);
        c6b.intoArray(c, r6 + L);
        c7a.intoArray(c, r7);
        c7b.intoArray(c, r7 + L);
    }

    private static void tile6(float[] a, int ao, float[] b, int bo, int k, float[] c, int co, int stride) {
        int r0 = co;
        int r1 = co + stride;
        int r2 = co + 2 * stride;
        int r3 = co + 3 * stride;
        int r4 = co + 4 * stride;
        int r5 = co + 5 * stride;
        FloatVector c0a = FloatVector.fromArray(F, c, r0);
        FloatVector c0b = FloatVector.fromArray(F, c, r0 + L);
        FloatVector c1a = FloatVector.fromArray(F, c, r1);
        FloatVector c1b = FloatVector.fromArray(F, c, r1 + L);
        FloatVector c2a = FloatVector.fromArray(F, c, r2);
        FloatVector c2b = FloatVector.fromArray(F, c, r2 + L);
        FloatVector c3a = FloatVector.fromArray(F, c, r3);
        FloatVector c3b = FloatVector.fromArray(F, c, r3 + L);
        FloatVector c4a = FloatVector.fromArray(F, c, r4);
        FloatVector c4b = FloatVector.fromArray(F, c, r4 + L);
        FloatVector c5a = FloatVector.fromArray(F, c, r5);
        FloatVector c5b = FloatVector.fromArray(F, c, r5 + L);
        for (int p = 0; p < k; p++) {
            int i = ao + p * 6;
            int j = bo + p * (2 * L);
            FloatVector left = FloatVector.fromArray(F, b, j);
            FloatVector right = FloatVector.fromArray(F, b, j + L);
            FloatVector x = FloatVector.broadcast(F, a[i]);
            c0a = FMA ? x.fma(left, c0a) : x.mul(left).add(c0a);
            c0b = FMA ? x.fma(right, c0b) : x.mul(right).add(c0b);
            x = FloatVector.broadcast(F, a[i + 1]);
            c1a = FMA ? x.fma(left, c1a) : x.mul(left).add(c1a);
            c1b = FMA ? x.fma(right, c1b) : x.mul(right).add(c1b);
            x = FloatVector.broadcast(F, a[i + 2]);
            c2a = FMA ? x.fma(left, c2a) : x.mul(left).add(c2a);
            c2b = FMA ? x.fma(right, c2b) : x.mul(right).add(c2b);
            x = FloatVector.broadcast(F, a[i + 3]);
            c3a = FMA ? x.fma(left, c3a) : x.mul(left).add(c3a);
            c3b = FMA ? x.fma(right, c3b) : x.mul(right).add(c3b);
            x = FloatVector.broadcast(F, a[i + 4]);
            c4a = FMA ? x.fma(left, c4a) : x.mul(left).add(c4a);
            c4b = FMA ? x.fma(right, c4b) : x.mul(right).add(c4b);
            x = FloatVector.broadcast(F, a[i + 5]);
            c5a = FMA ? x.fma(left, c5a) : x.mul(left).add(c5a);
            c5b = FMA ? x.fma(right, c5b) : x.mul(right).add(c5b);
        }
        c0a.intoArray(c, r0);
        c0b.intoArray(c, r0 + L);
        c1a.intoArray(c, r1);
        c1b.intoArray(c, r1 + L);
        c2a.intoArray(c, r2);
        c2b.intoArray(c, r2 + L);
        c3a.intoArray(c, r3);
        c3b.intoArray(c, r3 + L);
        c4a.intoArray(c, r4);
        c4b.intoArray(c, r4 + L);
        c5a.intoArray(c, r5);
        c5b.intoArray(c, r5 + L);
    }

    private static void tile4(float[] a, int ao, float[] b, int bo, int k, float[] c, int co, int stride) {
        int r0 = co;
        int r1 = co + stride;
        int r2 = co + 2 * stride;
        int r3 = co + 3 * stride;
        FloatVector c0a = FloatVector.fromArray(F, c, r0);
        FloatVector c0b = FloatVector.fromArray(F, c, r0 + L);
        FloatVector c1a = FloatVector.fromArray(F, c, r1);
        FloatVector c1b = FloatVector.fromArray(F, c, r1 + L);
        FloatVector c2a = FloatVector.fromArray(F, c, r2);
        FloatVector c2b = FloatVector.fromArray(F, c, r2 + L);
        FloatVector c3a = FloatVector.fromArray(F, c, r3);
        FloatVector c3b = FloatVector.fromArray(F, c, r3 + L);
        for (int p = 0; p < k; p++) {
            int i = ao + p * 4;
            int j = bo + p * (2 * L);
            FloatVector left = FloatVector.fromArray(F, b, j);
            FloatVector right = FloatVector.fromArray(F, b, j + L);
            FloatVector x = FloatVector.broadcast(F, a[i]);
            c0a = FMA ? x.fma(left, c0a) : x.mul(left).add(c0a);
            c0b = FMA ? x.fma(right, c0b) : x.mul(right).add(c0b);
            x = FloatVector.broadcast(F, a[i + 1]);
            c1a = FMA ? x.fma(left, c1a) : x.mul(left).add(c1a);
            c1b = FMA ? x.fma(right, c1b) : x.mul(right).add(c1b);
            x = FloatVector.broadcast(F, a[i + 2]);
            c2a = FMA ? x.fma(left, c2a) : x.mul(left).add(c2a);
            c2b = FMA ? x.fma(right, c2b) : x.mul(right).add(c2b);
            x = FloatVector.broadcast(F, a[i + 3]);
            c3a = FMA ? x.fma(left, c3a) : x.mul(left).add(c3a);
            c3b = FMA ? x.fma(right, c3b) : x.mul(right).add(c3b);
        }
        c0a.intoArray(c, r0);
        c0b.intoArray(c, r0 + L);
        c1a.intoArray(c, r1);
        c1b.intoArray(c, r1 + L);
        c2a.intoArray(c, r2);
        c2b.intoArray(c, r2 + L);
        c3a.intoArray(c, r3);
        c3b.intoArray(c, r3 + L);
    }

    private static void tile2(float[] a, int ao, float[] b, int bo, int k, float[] c, int co, int stride) {
        int r0 = co;
        int r1 = co + stride;
        FloatVector c0a = FloatVector.fromArray(F, c, r0);
        FloatVector c0b = FloatVector.fromArray(F, c, r0 + L);
        FloatVector c1a = FloatVector.fromArray(F, c, r1);
        FloatVector c1b = FloatVector.fromArray(F, c, r1 + L);
        for (int p = 0; p < k; p++) {
            int i = ao + p * 2;
            int j = bo + p * (2 * L);
            FloatVector left = FloatVector.fromArray(F, b, j);
            FloatVector right = FloatVector.fromArray(F, b, j + L);
            FloatVector x = FloatVector.broadcast(F, a[i]);
            c0a = FMA ? x.fma(left, c0a) : x.mul(left).add(c0a);
            c0b = FMA ? x.fma(right, c0b) : x.mul(right).add(c0b);
            x = FloatVector.broadcast(F, a[i + 1]);
            c1a = FMA ? x.fma(left, c1a) : x.mul(left).add(c1a);
            c1b = FMA ? x.fma(right, c1b) : x.mul(right).add(c1b);
        }
        c0a.intoArray(c, r0);
        c0b.intoArray(c, r0 + L);
        c1a.intoArray(c, r1);
        c1b.intoArray(c, r1 + L);
    }
}
