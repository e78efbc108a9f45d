package io.github.sgpt4j.backend.cpu.avx2;

import io.github.sgpt4j.backend.cpu.code.Linux;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/// Matrix products of 32-bit floats with 16 columns by machine code for processors with AVX2 ([Avx2Routines] says why
/// and how), for where vectors have 256 bits. It is written into memory when this class is initialised and called
/// through [java.lang.foreign]; results are those of [io.github.sgpt4j.backend.cpu.kernel.Tiles], bit for bit.
///
/// Segments may lie on the heap or outside of it, and stay open during a call; what would reach beyond one is refused.
/// The garbage collector waits for calls to return, which takes some 30 microseconds for every million multiply-adds.
public final class Avx2 {
    /// System property: `false` leaves all to the Vector API.
    public static final String PROPERTY = "sgpt4j.cpu.avx2";

    /// Columns of a product.
    public static final int COLUMNS = Avx2Routines.COLUMNS;

    /// Bytes of a row of B.
    private static final long ROW_BYTES = (long) COLUMNS * Float.BYTES;

    private static final int HEIGHT = Avx2Routines.MOST_ROWS;

    private static final Optional<String> PROBLEM;

    /// By height of a tile.
    private static final MemorySegment[] FEW_ROWS = new MemorySegment[HEIGHT + 1];
    private static final MemorySegment[] MANY_ROWS = new MemorySegment[HEIGHT + 1];
    private static final MemorySegment[] TRANSPOSED = new MemorySegment[HEIGHT + 1];

    static {
        Optional<String> problem = Linux.problem(Set.of("avx2", "fma"), "this processor has no AVX2", PROPERTY);
        if (problem.isEmpty()) {
            Avx2Routines routines = new Avx2Routines();
            Optional<MemorySegment> code = Linux.executable(routines.code());
            code.ifPresent(memory -> {
                for (int height = 1; height <= HEIGHT; height++) {
                    FEW_ROWS[height] = memory.asSlice(routines.fewRows(height));
                    MANY_ROWS[height] = memory.asSlice(routines.manyRows(height));
                    TRANSPOSED[height] = memory.asSlice(routines.transposed(height));
                }
            });
            problem = code.isEmpty() ? Optional.of("the system gives no memory to run code from") : Optional.empty();
        }
        PROBLEM = problem;
    }

    /// Linked when it is first called.
    private static final class Linked {
        static final MethodHandle CALL = Linux.leafFunctions();
    }

    private Avx2() {}

    /// Why the machine code cannot be used; empty if it can.
    public static Optional<String> problem() {
        return PROBLEM;
    }

    /// `c[r][n] = s[r][n] + Σ_p a[r][p] · b[p][n]` for `rows` rows and 16 columns.
    ///
    /// @param a floats `[rows][depth]`, the first at byte `aOffset`, rows `aStride` bytes apart
    /// @param b floats `[depth][16]` from byte `bOffset` on
    /// @param next where in B the next call will read; what lies there is fetched from memory, unless it is
    ///     `bOffset`
    /// @param s floats `[rows][16]`, rows `sStride` bytes apart; may be where C is
    /// @param c floats `[rows][16]`, rows `cStride` bytes apart
    public static void multiply(
            int rows,
            int depth,
            MemorySegment a,
            long aOffset,
            long aStride,
            MemorySegment b,
            long bOffset,
            long next,
            MemorySegment s,
            long sOffset,
            long sStride,
            MemorySegment c,
            long cOffset,
            long cStride) {
        requireSizes(rows, depth, c);
        if (rows == 0) {
            return;
        }
        check(a, aOffset, rows, aStride, (long) depth * Float.BYTES);
        check(b, bOffset, depth, ROW_BYTES, ROW_BYTES);
        check(s, sOffset, rows, sStride, ROW_BYTES);
        check(c, cOffset, rows, cStride, ROW_BYTES);
        // Tiles of about the same height: one of few rows would wait for its additions to end.
        int tiles = (rows + HEIGHT - 1) / HEIGHT;
        int height = rows / tiles;
        int higher = rows % tiles;
        MemorySegment[] routines = tiles == 1 ? FEW_ROWS : MANY_ROWS;
        int fetching = next == bOffset ? 0 : Math.min(tiles, 2);
        if (higher > 0) {
            call(
                    routines[height + 1],
                    depth,
                    a,
                    aOffset,
                    aStride,
                    b,
                    bOffset,
                    s,
                    sOffset,
                    sStride,
                    c,
                    cOffset,
                    cStride,
                    higher,
                    next - bOffset,
                    fetching + 1);
        }
        int done = higher * (height + 1);
        call(
                routines[height],
                depth,
                a,
                aOffset + done * aStride,
                aStride,
                b,
                bOffset,
                s,
                sOffset + done * sStride,
                sStride,
                c,
                cOffset + done * cStride,
                cStride,
                tiles - higher,
                next - bOffset + higher * Avx2Routines.fetchedByTile(depth),
                Math.max(0, fetching - higher) + 1);
    }

    /// `c[r][n] += Σ_p a[p][r] · b[p][n]` for `rows` rows and 16 columns.
    ///
    /// @param a floats `[depth][rows]`, the first at byte `aOffset`, those of the next step `aStride` bytes further
    /// @param b floats `[depth][16]` from byte `bOffset` on
    /// @param c floats `[rows][16]`, without gaps
    public static void multiplyTransposed(
            int rows,
            int depth,
            MemorySegment a,
            long aOffset,
            long aStride,
            MemorySegment b,
            long bOffset,
            MemorySegment c,
            long cOffset) {
        requireSizes(rows, depth, c);
        if (rows == 0 || depth == 0) {
            return;
        }
        check(a, aOffset, depth, aStride, (long) rows * Float.BYTES);
        check(b, bOffset, depth, ROW_BYTES, ROW_BYTES);
        check(c, cOffset, rows, ROW_BYTES, ROW_BYTES);
        int tiles = rows / HEIGHT;
        int done = tiles * HEIGHT;
        if (tiles > 0) {
            transposed(HEIGHT, tiles, depth, a, aOffset, aStride, b, bOffset, c, cOffset);
        }
        if (done < rows) {
            long from = aOffset + (long) done * Float.BYTES;
            transposed(rows - done, 1, depth, a, from, aStride, b, bOffset, c, cOffset + done * ROW_BYTES);
        }
    }

    private static void transposed(
            int height,
            int tiles,
            int depth,
            MemorySegment a,
            long aOffset,
            long aStride,
            MemorySegment b,
            long bOffset,
            MemorySegment c,
            long cOffset) {
        MemorySegment routine = TRANSPOSED[height];
        call(
                routine, depth, a, aOffset, aStride, b, bOffset, c, cOffset, ROW_BYTES, c, cOffset, ROW_BYTES, tiles, 0,
                1);
    }

    private static void requireSizes(int rows, int depth, MemorySegment c) {
        if (rows < 0 || depth < 0 || c.isReadOnly()) {
            throw new IllegalArgumentException("%d rows, depth %d, into %s".formatted(rows, depth, c));
        }
    }

    private static void check(MemorySegment segment, long offset, int rows, long stride, long rowBytes) {
        if (rows > 0) {
            if (stride < 0) {
                throw new IllegalArgumentException("rows %d bytes apart".formatted(stride));
            }
            Objects.checkFromIndexSize(
                    offset, Math.addExact(Math.multiplyExact(rows - 1L, stride), rowBytes), segment.byteSize());
        }
    }

    private static void call(
            MemorySegment routine,
            int depth,
            MemorySegment a,
            long aOffset,
            long aStride,
            MemorySegment b,
            long bOffset,
            MemorySegment s,
            long sOffset,
            long sStride,
            MemorySegment c,
            long cOffset,
            long cStride,
            long tiles,
            long nextOffset,
            long tilesAhead) {
        try {
            Linked.CALL.invokeExact(
                    routine,
                    a,
                    b,
                    s,
                    c,
                    aOffset,
                    bOffset,
                    sOffset,
                    cOffset,
                    aStride,
                    sStride,
                    cStride,
                    (long) (depth / Avx2Routines.STEPS),
                    (long) (depth % Avx2Routines.STEPS),
                    tiles,
                    nextOffset,
                    tilesAhead);
        } catch (Throwable e) {
            throw Linux.rethrown(e);
        }
    }
}
