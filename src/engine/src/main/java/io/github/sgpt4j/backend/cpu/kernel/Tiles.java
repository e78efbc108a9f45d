package io.github.sgpt4j.backend.cpu.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The register tiles of every matrix product: `C = S + A · B` with a tile of C held in named accumulators.
///
/// A is packed `[⌈k / CHUNK⌉][height][CHUNK]`: runs of [#CHUNK] values of a row stay together, so
/// that packing is plain copying, and every address in the loop is a base plus a constant. B is
/// packed `[k][TILE_COLUMNS]`; C and S are row-major with any stride. S is C itself to add to it,
/// or a bias row with stride 0. The tallest tile of a machine is [Simd#TILE_ROWS]; lower ones
/// compute the remaining rows (see [#height]).
///
/// The multiply-adds are written out instead of calling [Elementary#fma]: two dozen calls in one
/// method exceed the compiler's inlining budget, and a single call that is not inlined allocates
/// vectors on the heap.
public final class Tiles {
    /// Contiguous values of a row of A, and steps of the innermost loop. With only 16, entering and
    /// leaving that loop would take a tenth of the time.
    public static final int CHUNK = 64;

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

    /// Length of a packed row of A with `k` values: `k`, rounded up to whole chunks.
    public static int paddedDepth(int k) {
        return (k + CHUNK - 1) / CHUNK * CHUNK;
    }

    /// `c[co + r · stride + n] += Σ_p a(r, p) · b[bo + p · TILE_COLUMNS + n]` for `height` rows and `TILE_COLUMNS`
    /// columns, with the packed rows of A starting at `ao`.
    public static void multiply(
            int height, float[] a, int ao, float[] b, int bo, int k, float[] c, int co, int stride) {
        multiply(height, a, ao, b, bo, k, c, co, stride, c, co, stride);
    }

    /// As above, but `c = s + …` with the tile `s[so + r · sourceStride + n]` instead of C's old
    /// values.
    public static void multiply(
            int height,
            float[] a,
            int ao,
            float[] b,
            int bo,
            int k,
            float[] s,
            int so,
            int sourceStride,
            float[] c,
            int co,
            int stride) {
        switch (height) {
            case 12 -> tile12(a, ao, b, bo, k, s, so, sourceStride, c, co, stride);
            case 8 -> tile8(a, ao, b, bo, k, s, so, sourceStride, c, co, stride);
            case 6 -> tile6(a, ao, b, bo, k, s, so, sourceStride, c, co, stride);
            case 4 -> tile4(a, ao, b, bo, k, s, so, sourceStride, c, co, stride);
            case 2 -> tile2(a, ao, b, bo, k, s, so, sourceStride, c, co, stride);
            default -> throw new IllegalArgumentException("tile of " + height + " rows");
        }
    }

    private static void tile12(
            float[] a, int ao, float[] b, int bo, int k, float[] s, int so, int ss, float[] c, int co, int stride) {
        FloatVector c0a = FloatVector.fromArray(F, s, so);
        FloatVector c0b = FloatVector.fromArray(F, s, so + L);
        FloatVector c1a = FloatVector.fromArray(F, s, so + ss);
        FloatVector c1b = FloatVector.fromArray(F, s, so + ss + L);
        FloatVector c2a = FloatVector.fromArray(F, s, so + 2 * ss);
        FloatVector c2b = FloatVector.fromArray(F, s, so + 2 * ss + L);
        FloatVector c3a = FloatVector.fromArray(F, s, so + 3 * ss);
        FloatVector c3b = FloatVector.fromArray(F, s, so + 3 * ss + L);
        FloatVector c4a = FloatVector.fromArray(F, s, so + 4 * ss);
        FloatVector c4b = FloatVector.fromArray(F, s, so + 4 * ss + L);
        FloatVector c5a = FloatVector.fromArray(F, s, so + 5 * ss);
        FloatVector c5b = FloatVector.fromArray(F, s, so + 5 * ss + L);
        FloatVector c6a = FloatVector.fromArray(F, s, so + 6 * ss);
        FloatVector c6b = FloatVector.fromArray(F, s, so + 6 * ss + L);
        FloatVector c7a = FloatVector.fromArray(F, s, so + 7 * ss);
        FloatVector c7b = FloatVector.fromArray(F, s, so + 7 * ss + L);
        FloatVector c8a = FloatVector.fromArray(F, s, so + 8 * ss);
        FloatVector c8b = FloatVector.fromArray(F, s, so + 8 * ss + L);
        FloatVector c9a = FloatVector.fromArray(F, s, so + 9 * ss);
        FloatVector c9b = FloatVector.fromArray(F, s, so + 9 * ss + L);
        FloatVector c10a = FloatVector.fromArray(F, s, so + 10 * ss);
        FloatVector c10b = FloatVector.fromArray(F, s, so + 10 * ss + L);
        FloatVector c11a = FloatVector.fromArray(F, s, so + 11 * ss);
        FloatVector c11b = FloatVector.fromArray(F, s, so + 11 * ss + L);
        for (int q = 0; q < k; q += CHUNK) {
            int i = ao + q * 12;
            int j = bo + q * (2 * L);
            int n = Math.min(CHUNK, k - q);
            for (int p = 0; p < n; p++) {
                FloatVector left = FloatVector.fromArray(F, b, j + p * (2 * L));
                FloatVector right = FloatVector.fromArray(F, b, j + p * (2 * L) + L);
                FloatVector x = FloatVector.broadcast(F, a[i + p]);
                c0a = FMA ? x.fma(left, c0a) : x.mul(left).add(c0a);
                c0b = FMA ? x.fma(right, c0b) : x.mul(right).add(c0b);
                x = FloatVector.broadcast(F, a[i + p + CHUNK]);
                c1a = FMA ? x.fma(left, c1a) : x.mul(left).add(c1a);
                c1b = FMA ? x.fma(right, c1b) : x.mul(right).add(c1b);
                x = FloatVector.broadcast(F, a[i + p + 2 * CHUNK]);
                c2a = FMA ? x.fma(left, c2a) : x.mul(left).add(c2a);
                c2b = FMA ? x.fma(right, c2b) : x.mul(right).add(c2b);
                x = FloatVector.broadcast(F, a[i + p + 3 * CHUNK]);
                c3a = FMA ? x.fma(left, c3a) : x.mul(left).add(c3a);
                c3b = FMA ? x.fma(right, c3b) : x.mul(right).add(c3b);
                x = FloatVector.broadcast(F, a[i + p + 4 * CHUNK]);
                c4a = FMA ? x.fma(left, c4a) : x.mul(left).add(c4a);
                c4b = FMA ? x.fma(right, c4b) : x.mul(right).add(c4b);
                x = FloatVector.broadcast(F, a[i + p + 5 * CHUNK]);
                c5a = FMA ? x.fma(left, c5a) : x.mul(left).add(c5a);
                c5b = FMA ? x.fma(right, c5b) : x.mul(right).add(c5b);
                x = FloatVector.broadcast(F, a[i + p + 6 * CHUNK]);
                c6a = FMA ? x.fma(left, c6a) : x.mul(left).add(c6a);
                c6b = FMA ? x.fma(right, c6b) : x.mul(right).add(c6b);
                x = FloatVector.broadcast(F, a[i + p + 7 * CHUNK]);
                c7a = FMA ? x.fma(left, c7a) : x.mul(left).add(c7a);
                c7b = FMA ? x.fma(right, c7b) : x.mul(right).add(c7b);
                x = FloatVector.broadcast(F, a[i + p + 8 * CHUNK]);
                c8a = FMA ? x.fma(left, c8a) : x.mul(left).add(c8a);
                c8b = FMA ? x.fma(right, c8b) : x.mul(right).add(c8b);
                x = FloatVector.broadcast(F, a[i + p + 9 * CHUNK]);
                c9a = FMA ? x.fma(left, c9a) : x.mul(left).add(c9a);
                c9b = FMA ? x.fma(right, c9b) : x.mul(right).add(c9b);
                x = FloatVector.broadcast(F, a[i + p + 10 * CHUNK]);
                c10a = FMA ? x.fma(left, c10a) : x.mul(left).add(c10a);
                c10b = FMA ? x.fma(right, c10b) : x.mul(right).add(c10b);
                x = FloatVector.broadcast(F, a[i + p + 11 * CHUNK]);
                c11a = FMA ? x.fma(left, c11a) : x.mul(left).add(c11a);
                c11b = FMA ? x.fma(right, c11b) : x.mul(right).add(c11b);
            }
        }
        c0a.intoArray(c, co);
        c0b.intoArray(c, co + L);
        c1a.intoArray(c, co + stride);
        c1b.intoArray(c, co + stride + L);
        c2a.intoArray(c, co + 2 * stride);
        c2b.intoArray(c, co + 2 * stride + L);
        c3a.intoArray(c, co + 3 * stride);
        c3b.intoArray(c, co + 3 * stride + L);
        c4a.intoArray(c, co + 4 * stride);
        c4b.intoArray(c, co + 4 * stride + L);
        c5a.intoArray(c, co + 5 * stride);
        c5b.intoArray(c, co + 5 * stride + L);
        c6a.intoArray(c, co + 6 * stride);
        c6b.intoArray(c, co + 6 * stride + L);
        c7a.intoArray(c, co + 7 * stride);
        c7b.intoArray(c, co + 7 * stride + L);
        c8a.intoArray(c, co + 8 * stride);
        c8b.intoArray(c, co + 8 * stride + L);
        c9a.intoArray(c, co + 9 * stride);
        c9b.intoArray(c, co + 9 * stride + L);
        c10a.intoArray(c, co + 10 * stride);
        c10b.intoArray(c, co + 10 * stride + L);
        c11a.intoArray(c, co + 11 * stride);
        c11b.intoArray(c, co + 11 * stride + L);
    }

    private static void tile8(
            float[] a, int ao, float[] b, int bo, int k, float[] s, int so, int ss, float[] c, int co, int stride) {
        FloatVector c0a = FloatVector.fromArray(F, s, so);
        FloatVector c0b = FloatVector.fromArray(F, s, so + L);
        FloatVector c1a = FloatVector.fromArray(F, s, so + ss);
        FloatVector c1b = FloatVector.fromArray(F, s, so + ss + L);
        FloatVector c2a = FloatVector.fromArray(F, s, so + 2 * ss);
        FloatVector c2b = FloatVector.fromArray(F, s, so + 2 * ss + L);
        FloatVector c3a = FloatVector.fromArray(F, s, so + 3 * ss);
        FloatVector c3b = FloatVector.fromArray(F, s, so + 3 * ss + L);
        FloatVector c4a = FloatVector.fromArray(F, s, so + 4 * ss);
        FloatVector c4b = FloatVector.fromArray(F, s, so + 4 * ss + L);
        FloatVector c5a = FloatVector.fromArray(F, s, so + 5 * ss);
        FloatVector c5b = FloatVector.fromArray(F, s, so + 5 * ss + L);
        FloatVector c6a = FloatVector.fromArray(F, s, so + 6 * ss);
        FloatVector c6b = FloatVector.fromArray(F, s, so + 6 * ss + L);
        FloatVector c7a = FloatVector.fromArray(F, s, so + 7 * ss);
        FloatVector c7b = FloatVector.fromArray(F, s, so + 7 * ss + L);
        for (int q = 0; q < k; q += CHUNK) {
            int i = ao + q * 8;
            int j = bo + q * (2 * L);
            int n = Math.min(CHUNK, k - q);
            for (int p = 0; p < n; p++) {
                FloatVector left = FloatVector.fromArray(F, b, j + p * (2 * L));
                FloatVector right = FloatVector.fromArray(F, b, j + p * (2 * L) + L);
                FloatVector x = FloatVector.broadcast(F, a[i + p]);
                c0a = FMA ? x.fma(left, c0a) : x.mul(left).add(c0a);
                c0b = FMA ? x.fma(right, c0b) : x.mul(right).add(c0b);
                x = FloatVector.broadcast(F, a[i + p + CHUNK]);
                c1a = FMA ? x.fma(left, c1a) : x.mul(left).add(c1a);
                c1b = FMA ? x.fma(right, c1b) : x.mul(right).add(c1b);
                x = FloatVector.broadcast(F, a[i + p + 2 * CHUNK]);
                c2a = FMA ? x.fma(left, c2a) : x.mul(left).add(c2a);
                c2b = FMA ? x.fma(right, c2b) : x.mul(right).add(c2b);
                x = FloatVector.broadcast(F, a[i + p + 3 * CHUNK]);
                c3a = FMA ? x.fma(left, c3a) : x.mul(left).add(c3a);
                c3b = FMA ? x.fma(right, c3b) : x.mul(right).add(c3b);
                x = FloatVector.broadcast(F, a[i + p + 4 * CHUNK]);
                c4a = FMA ? x.fma(left, c4a) : x.mul(left).add(c4a);
                c4b = FMA ? x.fma(right, c4b) : x.mul(right).add(c4b);
                x = FloatVector.broadcast(F, a[i + p + 5 * CHUNK]);
                c5a = FMA ? x.fma(left, c5a) : x.mul(left).add(c5a);
                c5b = FMA ? x.fma(right, c5b) : x.mul(right).add(c5b);
                x = FloatVector.broadcast(F, a[i + p + 6 * CHUNK]);
                c6a = FMA ? x.fma(left, c6a) : x.mul(left).add(c6a);
                c6b = FMA ? x.fma(right, c6b) : x.mul(right).add(c6b);
                x = FloatVector.broadcast(F, a[i + p + 7 * CHUNK]);
                c7a = FMA ? x.fma(left, c7a) : x.mul(left).add(c7a);
                c7b = FMA ? x.fma(right, c7b) : x.mul(right).add(c7b);
            }
        }
        c0a.intoArray(c, co);
        c0b.intoArray(c, co + L);
        c1a.intoArray(c, co + stride);
        c1b.intoArray(c, co + stride + L);
        c2a.intoArray(c, co + 2 * stride);
        c2b.intoArray(c, co + 2 * stride + L);
        c3a.intoArray(c, co + 3 * stride);
        c3b.intoArray(c, co + 3 * stride + L);
        c4a.intoArray(c, co + 4 * stride);
        c4b.intoArray(c, co + 4 * stride + L);
        c5a.intoArray(c, co + 5 * stride);
        c5b.intoArray(c, co + 5 * stride + L);
        c6a.intoArray(c, co + 6 * stride);
        c6b.intoArray(c, co + 6 * stride + L);
        c7a.intoArray(c, co + 7 * stride);
        c7b.intoArray(c, co + 7 * stride + L);
    }

    private static void tile6(
            float[] a, int ao, float[] b, int bo, int k, float[] s, int so, int ss, float[] c, int co, int stride) {
        FloatVector c0a = FloatVector.fromArray(F, s, so);
        FloatVector c0b = FloatVector.fromArray(F, s, so + L);
        FloatVector c1a = FloatVector.fromArray(F, s, so + ss);
        FloatVector c1b = FloatVector.fromArray(F, s, so + ss + L);
        FloatVector c2a = FloatVector.fromArray(F, s, so + 2 * ss);
        FloatVector c2b = FloatVector.fromArray(F, s, so + 2 * ss + L);
        FloatVector c3a = FloatVector.fromArray(F, s, so + 3 * ss);
        FloatVector c3b = FloatVector.fromArray(F, s, so + 3 * ss + L);
        FloatVector c4a = FloatVector.fromArray(F, s, so + 4 * ss);
        FloatVector c4b = FloatVector.fromArray(F, s, so + 4 * ss + L);
        FloatVector c5a = FloatVector.fromArray(F, s, so + 5 * ss);
        FloatVector c5b = FloatVector.fromArray(F, s, so + 5 * ss + L);
        for (int q = 0; q < k; q += CHUNK) {
            int i = ao + q * 6;
            int j = bo + q * (2 * L);
            int n = Math.min(CHUNK, k - q);
            for (int p = 0; p < n; p++) {
                FloatVector left = FloatVector.fromArray(F, b, j + p * (2 * L));
                FloatVector right = FloatVector.fromArray(F, b, j + p * (2 * L) + L);
                FloatVector x = FloatVector.broadcast(F, a[i + p]);
                c0a = FMA ? x.fma(left, c0a) : x.mul(left).add(c0a);
                c0b = FMA ? x.fma(right, c0b) : x.mul(right).add(c0b);
                x = FloatVector.broadcast(F, a[i + p + CHUNK]);
                c1a = FMA ? x.fma(left, c1a) : x.mul(left).add(c1a);
                c1b = FMA ? x.fma(right, c1b) : x.mul(right).add(c1b);
                x = FloatVector.broadcast(F, a[i + p + 2 * CHUNK]);
                c2a = FMA ? x.fma(left, c2a) : x.mul(left).add(c2a);
                c2b = FMA ? x.fma(right, c2b) : x.mul(right).add(c2b);
                x = FloatVector.broadcast(F, a[i + p + 3 * CHUNK]);
                c3a = FMA ? x.fma(left, c3a) : x.mul(left).add(c3a);
                c3b = FMA ? x.fma(right, c3b) : x.mul(right).add(c3b);
                x = FloatVector.broadcast(F, a[i + p + 4 * CHUNK]);
                c4a = FMA ? x.fma(left, c4a) : x.mul(left).add(c4a);
                c4b = FMA ? x.fma(right, c4b) : x.mul(right).add(c4b);
                x = FloatVector.broadcast(F, a[i + p + 5 * CHUNK]);
                c5a = FMA ? x.fma(left, c5a) : x.mul(left).add(c5a);
                c5b = FMA ? x.fma(right, c5b) : x.mul(right).add(c5b);
            }
        }
        c0a.intoArray(c, co);
        c0b.intoArray(c, co + L);
        c1a.intoArray(c, co + stride);
        c1b.intoArray(c, co + stride + L);
        c2a.intoArray(c, co + 2 * stride);
        c2b.intoArray(c, co + 2 * stride + L);
        c3a.intoArray(c, co + 3 * stride);
        c3b.intoArray(c, co + 3 * stride + L);
        c4a.intoArray(c, co + 4 * stride);
        c4b.intoArray(c, co + 4 * stride + L);
        c5a.intoArray(c, co + 5 * stride);
        c5b.intoArray(c, co + 5 * stride + L);
    }

    private static void tile4(
            float[] a, int ao, float[] b, int bo, int k, float[] s, int so, int ss, float[] c, int co, int stride) {
        FloatVector c0a = FloatVector.fromArray(F, s, so);
        FloatVector c0b = FloatVector.fromArray(F, s, so + L);
        FloatVector c1a = FloatVector.fromArray(F, s, so + ss);
        FloatVector c1b = FloatVector.fromArray(F, s, so + ss + L);
        FloatVector c2a = FloatVector.fromArray(F, s, so + 2 * ss);
        FloatVector c2b = FloatVector.fromArray(F, s, so + 2 * ss + L);
        FloatVector c3a = FloatVector.fromArray(F, s, so + 3 * ss);
        FloatVector c3b = FloatVector.fromArray(F, s, so + 3 * ss + L);
        for (int q = 0; q < k; q += CHUNK) {
            int i = ao + q * 4;
            int j = bo + q * (2 * L);
            int n = Math.min(CHUNK, k - q);
            for (int p = 0; p < n; p++) {
                FloatVector left = FloatVector.fromArray(F, b, j + p * (2 * L));
                FloatVector right = FloatVector.fromArray(F, b, j + p * (2 * L) + L);
                FloatVector x = FloatVector.broadcast(F, a[i + p]);
                c0a = FMA ? x.fma(left, c0a) : x.mul(left).add(c0a);
                c0b = FMA ? x.fma(right, c0b) : x.mul(right).add(c0b);
                x = FloatVector.broadcast(F, a[i + p + CHUNK]);
                c1a = FMA ? x.fma(left, c1a) : x.mul(left).add(c1a);
                c1b = FMA ? x.fma(right, c1b) : x.mul(right).add(c1b);
                x = FloatVector.broadcast(F, a[i + p + 2 * CHUNK]);
                c2a = FMA ? x.fma(left, c2a) : x.mul(left).add(c2a);
                c2b = FMA ? x.fma(right, c2b) : x.mul(right).add(c2b);
                x = FloatVector.broadcast(F, a[i + p + 3 * CHUNK]);
                c3a = FMA ? x.fma(left, c3a) : x.mul(left).add(c3a);
                c3b = FMA ? x.fma(right, c3b) : x.mul(right).add(c3b);
            }
        }
        c0a.intoArray(c, co);
        c0b.intoArray(c, co + L);
        c1a.intoArray(c, co + stride);
        c1b.intoArray(c, co + stride + L);
        c2a.intoArray(c, co + 2 * stride);
        c2b.intoArray(c, co + 2 * stride + L);
        c3a.intoArray(c, co + 3 * stride);
        c3b.intoArray(c, co + 3 * stride + L);
    }

    private static void tile2(
            float[] a, int ao, float[] b, int bo, int k, float[] s, int so, int ss, float[] c, int co, int stride) {
        FloatVector c0a = FloatVector.fromArray(F, s, so);
        FloatVector c0b = FloatVector.fromArray(F, s, so + L);
        FloatVector c1a = FloatVector.fromArray(F, s, so + ss);
        FloatVector c1b = FloatVector.fromArray(F, s, so + ss + L);
        for (int q = 0; q < k; q += CHUNK) {
            int i = ao + q * 2;
            int j = bo + q * (2 * L);
            int n = Math.min(CHUNK, k - q);
            for (int p = 0; p < n; p++) {
                FloatVector left = FloatVector.fromArray(F, b, j + p * (2 * L));
                FloatVector right = FloatVector.fromArray(F, b, j + p * (2 * L) + L);
                FloatVector x = FloatVector.broadcast(F, a[i + p]);
                c0a = FMA ? x.fma(left, c0a) : x.mul(left).add(c0a);
                c0b = FMA ? x.fma(right, c0b) : x.mul(right).add(c0b);
                x = FloatVector.broadcast(F, a[i + p + CHUNK]);
                c1a = FMA ? x.fma(left, c1a) : x.mul(left).add(c1a);
                c1b = FMA ? x.fma(right, c1b) : x.mul(right).add(c1b);
            }
        }
        c0a.intoArray(c, co);
        c0b.intoArray(c, co + L);
        c1a.intoArray(c, co + stride);
        c1b.intoArray(c, co + stride + L);
    }
}
