package io.github.sgpt4j.backend.cpu.vector;

import io.github.sgpt4j.backend.cpu.code.Linux;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;

/// Matrix products of 32-bit floats by machine code for the vector units of x86-64 ([VectorRoutines]
/// says why and how): AVX2, with 16 columns, and AVX-512, with 32. It is written into memory when it is
/// first asked for and called through [java.lang.foreign]; results are those of
/// [io.github.sgpt4j.backend.cpu.kernel.Tiles], bit for bit.
///
/// Segments may be on-heap or off-heap, and stay open during a call; an access beyond a segment's
/// end is refused. The garbage collector waits for calls to return, which takes some 30
/// microseconds for every million multiply-adds.
public final class VectorCode {
    /// System property: `false` disables machine code for the vector units; the Vector API is used
    /// instead.
    public static final String PROPERTY = "sgpt4j.cpu.vectorCode";

    // First-level caches of 32 KiB and more have at least this many ways. Sizes of a way and of a
    // line are in floats.
    private static final int CACHE_WAYS = 8;
    private static final int CACHE_WAY = 1024;
    private static final int LINE = 16;

    private static final class Avx2 {
        static final VectorCode CODE = new VectorCode(VectorUnit.AVX2, Linux::executable);
    }

    private static final class Avx512 {
        static final VectorCode CODE = new VectorCode(VectorUnit.AVX512, Linux::executable);
    }

    /// Linked at the first call.
    private static final class Linked {
        static final MethodHandle CALL = Linux.leafFunctions();
    }

    private final VectorUnit unit;
    private final long rowBytes;
    private final Optional<String> problem;

    /// Routines by the height of a tile.
    private final MemorySegment[] fewRows;
    private final MemorySegment[] manyRows;
    private final MemorySegment[] transposed;

    /// @param memory copies code to executable memory; empty if the system refuses it
    VectorCode(VectorUnit unit, Function<byte[], Optional<MemorySegment>> memory) {
        this.unit = unit;
        rowBytes = (long) unit.tileColumns() * Float.BYTES;
        fewRows = new MemorySegment[unit.tileRows() + 1];
        manyRows = new MemorySegment[unit.tileRows() + 1];
        transposed = new MemorySegment[unit.tileRows() + 1];
        Optional<String> problem = Linux.problem(unit.features(), "this processor has no " + unit.title(), PROPERTY);
        this.problem = problem.isPresent() ? problem : write(memory);
    }

    /// @return why that failed; empty if it did not
    private Optional<String> write(Function<byte[], Optional<MemorySegment>> memory) {
        VectorRoutines routines = new VectorRoutines(unit);
        Optional<MemorySegment> code = memory.apply(routines.code());
        if (code.isEmpty()) {
            return Optional.of("the system provides no executable memory");
        }
        for (int height = 1; height <= unit.tileRows(); height++) {
            fewRows[height] = code.get().asSlice(routines.fewRows(height));
            manyRows[height] = code.get().asSlice(routines.manyRows(height));
            transposed[height] = code.get().asSlice(routines.transposed(height));
        }
        return Optional.empty();
    }

    /// The machine code for vectors of `bits` bits; empty if there is none.
    public static Optional<VectorCode> of(int bits) {
        return switch (bits) {
            case 256 -> Optional.of(Avx2.CODE);
            case 512 -> Optional.of(Avx512.CODE);
            default -> Optional.empty();
        };
    }

    /// Why it cannot be used; empty if it can.
    public Optional<String> problem() {
        return problem;
    }

    /// The name of the vector unit, for example `AVX-512`.
    public String title() {
        return unit.title();
    }

    /// Columns of a product.
    public int columns() {
        return unit.tileColumns();
    }

    /// The best stride, in floats, for rows of A with `depth` values that are now `stride` apart.
    /// It differs from `stride` if the rows of a tile map to so few sets of the first-level cache
    /// that they evict each other; then copying them pays off.
    ///
    /// @return a multiple of 16, or `stride`
    public int strideOf(int depth, int stride) {
        if (unit.tileRows() <= CACHE_WAYS || stride % CACHE_WAY != 0) {
            return stride;
        }
        int lines = (depth + LINE - 1) / LINE | 1;
        return lines * LINE;
    }

    /// `c[r][n] = s[r][n] + Σ_p a[r][p] · b[p][n]` for `rows` rows and [#columns] columns.
    ///
    /// @param a floats `[rows][depth]`, the first at byte `aOffset`, rows `aStride` bytes apart
    /// @param b floats `[depth][columns]` from byte `bOffset` on
    /// @param next byte offset in B where the next call will read; that part is prefetched, unless
    ///     it is `bOffset`
    /// @param s floats `[rows][columns]`, rows `sStride` bytes apart; may be the same memory as C
    /// @param c floats `[rows][columns]`, rows `cStride` bytes apart
    public void multiply(
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
        check(b, bOffset, depth, rowBytes, rowBytes);
        check(s, sOffset, rows, sStride, rowBytes);
        check(c, cOffset, rows, cStride, rowBytes);
        int tiles = tiles(rows);
        int height = rows / tiles;
        int higher = rows % tiles;
        MemorySegment[] routines = tiles == 1 ? fewRows : manyRows;
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
        long fetchedByTile = depth / VectorRoutines.STEPS * VectorRoutines.fetchedAhead(unit);
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
                next - bOffset + higher * fetchedByTile,
                Math.max(0, fetching - higher) + 1);
    }

    /// `c[r][n] += Σ_p a[p][r] · b[p][n]` for `rows` rows and [#columns] columns.
    ///
    /// @param a floats `[depth][rows]`, the first at byte `aOffset`, those of the next step `aStride`
    ///     bytes further
    /// @param b floats `[depth][columns]` from byte `bOffset` on
    /// @param c floats `[rows][columns]`, without gaps
    public void multiplyTransposed(
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
        check(b, bOffset, depth, rowBytes, rowBytes);
        check(c, cOffset, rows, rowBytes, rowBytes);
        int tiles = tiles(rows);
        int height = rows / tiles;
        int higher = rows % tiles;
        if (higher > 0) {
            transposed(height + 1, higher, depth, a, aOffset, aStride, b, bOffset, c, cOffset);
        }
        int done = higher * (height + 1);
        long from = aOffset + (long) done * Float.BYTES;
        transposed(height, tiles - higher, depth, a, from, aStride, b, bOffset, c, cOffset + done * rowBytes);
    }

    private void transposed(
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
        call(
                transposed[height],
                depth,
                a,
                aOffset,
                aStride,
                b,
                bOffset,
                c,
                cOffset,
                rowBytes,
                c,
                cOffset,
                rowBytes,
                tiles,
                0,
                1);
    }

    /// How many tiles `rows` rows are divided into, all of about equal height: a tile of few rows
    /// would be limited by the latency of its additions.
    private int tiles(int rows) {
        return (rows + unit.tileRows() - 1) / unit.tileRows();
    }

    private static void requireSizes(int rows, int depth, MemorySegment c) {
        if (rows < 0 || depth < 0 || c.isReadOnly()) {
            throw new IllegalArgumentException(
                    "product: expected sizes of at least 0 and a writable result, got %d rows, depth %d, into %s"
                            .formatted(rows, depth, c));
        }
    }

    private static void check(MemorySegment segment, long offset, int rows, long stride, long rowBytes) {
        if (rows > 0) {
            if (stride < 0) {
                throw new IllegalArgumentException("product: expected a stride of at least 0, got " + stride);
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
            long _ = (long) Linked.CALL.invokeExact(
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
                    (long) (depth / VectorRoutines.STEPS),
                    (long) (depth % VectorRoutines.STEPS),
                    tiles,
                    nextOffset,
                    tilesAhead);
        } catch (Throwable e) {
            throw Linux.rethrown(e);
        }
    }
}
