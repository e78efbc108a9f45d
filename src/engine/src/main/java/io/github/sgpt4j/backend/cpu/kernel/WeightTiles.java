package io.github.sgpt4j.backend.cpu.kernel;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The tiles of [Tiles] with B off-heap, where packed weights are, for processors with 32 vector
/// registers: reading weights in place beats copying panels into arrays first, as long as they are
/// floats. Processors with 16 have too few general registers for it: see [Simd#PANEL_VECTORS].
///
/// The loops are repeated instead of sharing those of [Tiles]: the two address B differently, and a
/// loop that asks an object for its vectors is fast only while all of its calls are inlined.
public final class WeightTiles {
    private static final int CHUNK = Tiles.CHUNK;
    private static final VectorSpecies<Float> F = Simd.F;
    private static final int L = Simd.LANES;
    private static final boolean FMA = Simd.FMA;

    /// Bytes of a vector.
    private static final int V = 4 * L;

    private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

    private WeightTiles() {}

    /// `c[co + r · stride + n] = s[so + r · sourceStride + n] + Σ_p a(r, p) · b(p, n)` as in [Tiles#multiply].
    ///
    /// @param b 32-bit floats, `[k][LANES]` from byte `bo` on for the left half of the columns, and from
    ///     `bo + right` on for the right half
    public static void multiply(
            int height,
            float[] a,
            int ao,
            MemorySegment b,
            long bo,
            long right,
            int k,
            float[] s,
            int so,
            int sourceStride,
            float[] c,
            int co,
            int stride) {
        switch (height) {
            case 12 -> tile12(a, ao, b, bo, right, k, s, so, sourceStride, c, co, stride);
            case 8 -> tile8(a, ao, b, bo, right, k, s, so, sourceStride, c, co, stride);
            case 4 -> tile4(a, ao, b, bo, right, k, s, so, sourceStride, c, co, stride);
            default -> throw new IllegalArgumentException("tile of " + height + " rows");
        }
    }

    private static void tile12(
            float[] a,
            int ao,
            MemorySegment b,
            long bo,
            long right,
            int k,
            float[] s,
            int so,
            int ss,
            float[] c,
            int co,
            int stride) {
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
            long j = bo + q * (long) V;
            long h = j + right;
            int n = Math.min(CHUNK, k - q);
            for (int p = 0; p < n; p++) {
                FloatVector y = FloatVector.fromMemorySegment(F, b, j + p * V, ORDER);
                FloatVector z = FloatVector.fromMemorySegment(F, b, h + p * V, ORDER);
                FloatVector x = FloatVector.broadcast(F, a[i + p]);
                c0a = FMA ? x.fma(y, c0a) : x.mul(y).add(c0a);
                c0b = FMA ? x.fma(z, c0b) : x.mul(z).add(c0b);
                x = FloatVector.broadcast(F, a[i + p + CHUNK]);
                c1a = FMA ? x.fma(y, c1a) : x.mul(y).add(c1a);
                c1b = FMA ? x.fma(z, c1b) : x.mul(z).add(c1b);
                x = FloatVector.broadcast(F, a[i + p + 2 * CHUNK]);
                c2a = FMA ? x.fma(y, c2a) : x.mul(y).add(c2a);
                c2b = FMA ? x.fma(z, c2b) : x.mul(z).add(c2b);
                x = FloatVector.broadcast(F, a[i + p + 3 * CHUNK]);
                c3a = FMA ? x.fma(y, c3a) : x.mul(y).add(c3a);
                c3b = FMA ? x.fma(z, c3b) : x.mul(z).add(c3b);
                x = FloatVector.broadcast(F, a[i + p + 4 * CHUNK]);
                c4a = FMA ? x.fma(y, c4a) : x.mul(y).add(c4a);
                c4b = FMA ? x.fma(z, c4b) : x.mul(z).add(c4b);
                x = FloatVector.broadcast(F, a[i + p + 5 * CHUNK]);
                c5a = FMA ? x.fma(y, c5a) : x.mul(y).add(c5a);
                c5b = FMA ? x.fma(z, c5b) : x.mul(z).add(c5b);
                x = FloatVector.broadcast(F, a[i + p + 6 * CHUNK]);
                c6a = FMA ? x.fma(y, c6a) : x.mul(y).add(c6a);
                c6b = FMA ? x.fma(z, c6b) : x.mul(z).add(c6b);
                x = FloatVector.broadcast(F, a[i + p + 7 * CHUNK]);
                c7a = FMA ? x.fma(y, c7a) : x.mul(y).add(c7a);
                c7b = FMA ? x.fma(z, c7b) : x.mul(z).add(c7b);
                x = FloatVector.broadcast(F, a[i + p + 8 * CHUNK]);
                c8a = FMA ? x.fma(y, c8a) : x.mul(y).add(c8a);
                c8b = FMA ? x.fma(z, c8b) : x.mul(z).add(c8b);
                x = FloatVector.broadcast(F, a[i + p + 9 * CHUNK]);
                c9a = FMA ? x.fma(y, c9a) : x.mul(y).add(c9a);
                c9b = FMA ? x.fma(z, c9b) : x.mul(z).add(c9b);
                x = FloatVector.broadcast(F, a[i + p + 10 * CHUNK]);
                c10a = FMA ? x.fma(y, c10a) : x.mul(y).add(c10a);
                c10b = FMA ? x.fma(z, c10b) : x.mul(z).add(c10b);
                x = FloatVector.broadcast(F, a[i + p + 11 * CHUNK]);
                c11a = FMA ? x.fma(y, c11a) : x.mul(y).add(c11a);
                c11b = FMA ? x.fma(z, c11b) : x.mul(z).add(c11b);
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
            float[] a,
            int ao,
            MemorySegment b,
            long bo,
            long right,
            int k,
            float[] s,
            int so,
            int ss,
            float[] c,
            int co,
            int stride) {
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
            long j = bo + q * (long) V;
            long h = j + right;
            int n = Math.min(CHUNK, k - q);
            for (int p = 0; p < n; p++) {
                FloatVector y = FloatVector.fromMemorySegment(F, b, j + p * V, ORDER);
                FloatVector z = FloatVector.fromMemorySegment(F, b, h + p * V, ORDER);
                FloatVector x = FloatVector.broadcast(F, a[i + p]);
                c0a = FMA ? x.fma(y, c0a) : x.mul(y).add(c0a);
                c0b = FMA ? x.fma(z, c0b) : x.mul(z).add(c0b);
                x = FloatVector.broadcast(F, a[i + p + CHUNK]);
                c1a = FMA ? x.fma(y, c1a) : x.mul(y).add(c1a);
                c1b = FMA ? x.fma(z, c1b) : x.mul(z).add(c1b);
                x = FloatVector.broadcast(F, a[i + p + 2 * CHUNK]);
                c2a = FMA ? x.fma(y, c2a) : x.mul(y).add(c2a);
                c2b = FMA ? x.fma(z, c2b) : x.mul(z).add(c2b);
                x = FloatVector.broadcast(F, a[i + p + 3 * CHUNK]);
                c3a = FMA ? x.fma(y, c3a) : x.mul(y).add(c3a);
                c3b = FMA ? x.fma(z, c3b) : x.mul(z).add(c3b);
                x = FloatVector.broadcast(F, a[i + p + 4 * CHUNK]);
                c4a = FMA ? x.fma(y, c4a) : x.mul(y).add(c4a);
                c4b = FMA ? x.fma(z, c4b) : x.mul(z).add(c4b);
                x = FloatVector.broadcast(F, a[i + p + 5 * CHUNK]);
                c5a = FMA ? x.fma(y, c5a) : x.mul(y).add(c5a);
                c5b = FMA ? x.fma(z, c5b) : x.mul(z).add(c5b);
                x = FloatVector.broadcast(F, a[i + p + 6 * CHUNK]);
                c6a = FMA ? x.fma(y, c6a) : x.mul(y).add(c6a);
                c6b = FMA ? x.fma(z, c6b) : x.mul(z).add(c6b);
                x = FloatVector.broadcast(F, a[i + p + 7 * CHUNK]);
                c7a = FMA ? x.fma(y, c7a) : x.mul(y).add(c7a);
                c7b = FMA ? x.fma(z, c7b) : x.mul(z).add(c7b);
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

    private static void tile4(
            float[] a,
            int ao,
            MemorySegment b,
            long bo,
            long right,
            int k,
            float[] s,
            int so,
            int ss,
            float[] c,
            int co,
            int stride) {
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
            long j = bo + q * (long) V;
            long h = j + right;
            int n = Math.min(CHUNK, k - q);
            for (int p = 0; p < n; p++) {
                FloatVector y = FloatVector.fromMemorySegment(F, b, j + p * V, ORDER);
                FloatVector z = FloatVector.fromMemorySegment(F, b, h + p * V, ORDER);
                FloatVector x = FloatVector.broadcast(F, a[i + p]);
                c0a = FMA ? x.fma(y, c0a) : x.mul(y).add(c0a);
                c0b = FMA ? x.fma(z, c0b) : x.mul(z).add(c0b);
                x = FloatVector.broadcast(F, a[i + p + CHUNK]);
                c1a = FMA ? x.fma(y, c1a) : x.mul(y).add(c1a);
                c1b = FMA ? x.fma(z, c1b) : x.mul(z).add(c1b);
                x = FloatVector.broadcast(F, a[i + p + 2 * CHUNK]);
                c2a = FMA ? x.fma(y, c2a) : x.mul(y).add(c2a);
                c2b = FMA ? x.fma(z, c2b) : x.mul(z).add(c2b);
                x = FloatVector.broadcast(F, a[i + p + 3 * CHUNK]);
                c3a = FMA ? x.fma(y, c3a) : x.mul(y).add(c3a);
                c3b = FMA ? x.fma(z, c3b) : x.mul(z).add(c3b);
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
}
