package io.github.sgpt4j.jmh;

import io.github.sgpt4j.backend.cpu.kernel.Simd;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Products of 8-bit integers with 32-bit sums, as far as the Vector API allows.
///
/// It has no multiply-add of bytes (`vpdpbusd`, `sdot`). The alternatives are 16-bit products and sums, widened
/// before they overflow, and loops in which the compiler recognises pairs of 16-bit products (`vpmaddwd`,
/// `vpdpwssd`).
///
/// The tiles have [#ROWS] rows and as many columns as a vector has 32-bit integers; with more rows they reach the
/// compiler's node limit (`NodeCountInliningCutoff`), and vectors are allocated on the heap. A row of A is packed in
/// pairs of neighbouring inputs, two 16-bit numbers in one integer that is broadcast; B has the same pairs,
/// `[in / 2][columns][2]`, widened from bytes once for many rows.
final class Int8Tiles {
    static final int ROWS = 4;

    private static final VectorSpecies<Integer> I = Simd.I;
    private static final VectorSpecies<Short> S = VectorSpecies.of(short.class, I.vectorShape());
    /// Bytes in a quarter of a vector, one for each of its 32-bit integers.
    private static final VectorSpecies<Byte> Q =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, I.vectorBitSize() / 4)));

    private static final int L = I.length();

    private Int8Tiles() {}

    /// Columns of a tile.
    static int columns() {
        return L;
    }

    /// Packs rows `[ROWS][k]` into the layout that the tiles read: `[k / 2][ROWS]` pairs of shorts.
    static int[] packRows(byte[] a, int k) {
        int[] packed = new int[k / 2 * ROWS];
        for (int p = 0; p < k / 2; p++) {
            for (int r = 0; r < ROWS; r++) {
                packed[p * ROWS + r] = (a[r * k + 2 * p] & 0xffff) | (a[r * k + 2 * p + 1] << 16);
            }
        }
        return packed;
    }

    /// Packs columns of bytes `[k][L]` into the layout that the tiles read: `[k / 2][L][2]`.
    static short[] packColumns(byte[] b, int k) {
        short[] packed = new short[k * L];
        for (int p = 0; p < k; p++) {
            for (int n = 0; n < L; n++) {
                packed[(p / 2 * L + n) * 2 + p % 2] = b[p * L + n];
            }
        }
        return packed;
    }

    /// `c[ROWS][L] = A · B` for numbers in [-127, 127]: two products fit into 16 bits before they are widened.
    ///
    /// Of each 32-bit integer, the upper half is accumulated after a shift. The lower half, made positive by an
    /// exclusive or, is accumulated unshifted together with the upper half, which is subtracted at the end.
    static void products(int[] a, short[] b, int k, int[] c, int[] high) {
        IntVector flip = IntVector.broadcast(I, 0x8000);
        IntVector low0 = IntVector.zero(I);
        IntVector low1 = low0;
        IntVector low2 = low0;
        IntVector low3 = low0;
        IntVector high0 = low0;
        IntVector high1 = low0;
        IntVector high2 = low0;
        IntVector high3 = low0;
        for (int p = 0; p < k / 4; p++) {
            ShortVector b0 = ShortVector.fromArray(S, b, p * 4 * L);
            ShortVector b1 = ShortVector.fromArray(S, b, p * 4 * L + 2 * L);
            int i = p * 2 * ROWS;
            IntVector t = two(a, i, b0, b1);
            low0 = low0.add(t.lanewise(VectorOperators.XOR, flip));
            high0 = high0.add(t.lanewise(VectorOperators.ASHR, 16));
            t = two(a, i + 1, b0, b1);
            low1 = low1.add(t.lanewise(VectorOperators.XOR, flip));
            high1 = high1.add(t.lanewise(VectorOperators.ASHR, 16));
            t = two(a, i + 2, b0, b1);
            low2 = low2.add(t.lanewise(VectorOperators.XOR, flip));
            high2 = high2.add(t.lanewise(VectorOperators.ASHR, 16));
            t = two(a, i + 3, b0, b1);
            low3 = low3.add(t.lanewise(VectorOperators.XOR, flip));
            high3 = high3.add(t.lanewise(VectorOperators.ASHR, 16));
        }
        low0.intoArray(c, 0);
        low1.intoArray(c, L);
        low2.intoArray(c, 2 * L);
        low3.intoArray(c, 3 * L);
        high0.intoArray(high, 0);
        high1.intoArray(high, L);
        high2.intoArray(high, 2 * L);
        high3.intoArray(high, 3 * L);
        join(c, high, k / 4);
    }

    private static IntVector two(int[] a, int i, ShortVector b0, ShortVector b1) {
        ShortVector x0 = IntVector.broadcast(I, a[i]).reinterpretAsShorts();
        ShortVector x1 = IntVector.broadcast(I, a[i + ROWS]).reinterpretAsShorts();
        return x0.mul(b0).add(x1.mul(b1)).reinterpretAsInts();
    }

    /// Combines the halves into sums. Vectors are passed in arrays: as arguments of a method that is not
    /// inlined, they would be allocated on the heap.
    private static void join(int[] low, int[] high, int steps) {
        for (int i = 0; i < low.length; i++) {
            low[i] += high[i] - (high[i] << 16) - steps * 0x8000;
        }
    }

    /// `c[n] += a[2n] · b[2n] + a[2n + 1] · b[2n + 1]` for `count` columns: the form for which C2 emits
    /// `vpdpwssd`. Both operands must be loads of 16-bit numbers and the sum must be in memory: with sums in
    /// registers, as in a dot product, the loop is not vectorised.
    ///
    /// @param a a row's pair, repeated for all columns
    static void pairs(short[] a, short[] b, int at, int[] c, int count) {
        for (int n = 0; n < count; n++) {
            c[n] += (a[2 * n] * b[at + 2 * n]) + (a[2 * n + 1] * b[at + 2 * n + 1]);
        }
    }

    /// Widens bytes to floats, for 8-bit weights with 32-bit activations. `count` is a multiple of the vector
    /// length.
    static void widen(byte[] in, int at, float[] out, int o, int count) {
        for (int i = 0; i < count; i += L) {
            FloatVector values =
                    (FloatVector) ByteVector.fromArray(Q, in, at + i).convertShape(VectorOperators.B2F, Simd.F, 0);
            values.intoArray(out, o + i);
        }
    }
}
