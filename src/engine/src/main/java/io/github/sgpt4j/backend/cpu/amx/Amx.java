package io.github.sgpt4j.backend.cpu.amx;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.github.sgpt4j.backend.cpu.code.Linux;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.ref.Reference;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/// Products of 32-bit floats on the matrix unit of Intel's server processors since 2023 (Advanced Matrix
/// Extensions), at the precision of 32-bit floats: [TileRoutines] says how. The Vector API does not reach
/// this unit, so its instructions are written into memory when this class is initialised, and called
/// through [java.lang.foreign].
///
/// Input features come in blocks of [#BLOCK]; padding in the last block must be zero on both
/// sides. Segments must be off-heap; what would reach beyond one is refused. Weights cannot be closed
/// during a call, other segments must not be.
public final class Amx {
    /// System property: `false` leaves the matrix unit alone.
    public static final String PROPERTY = "sgpt4j.cpu.amx";

    /// Input features per block.
    public static final int BLOCK = TileRoutines.BLOCK;

    /// Rows of a row tile and columns of a column tile.
    public static final int TILE = 16;

    /// Bytes of a float for each of a tile's rows or columns.
    public static final int SHIFT_BYTES = TILE * Float.BYTES;

    /// Bytes of what [#multiply] has to know about a tile's rows or columns: first the exponents of all,
    /// then, from byte [#SECOND_FACTS] on, the rows' spreads or the columns' limits.
    public static final int FACT_BYTES = 2 * TileRoutines.FACTS;

    /// Where the second of a tile's facts begin.
    public static final int SECOND_FACTS = TileRoutines.FACTS;

    /// Bytes of memory that [#multiply] works in.
    public static final int SCRATCH_BYTES = TileRoutines.SCRATCH;

    /// Most input features: sums of as many products of digits fit into 32 bits.
    public static final int MAX_FEATURES = 1 << 15;

    /// Sums of squares of 32-bit floats below this may have lost some to underflow.
    private static final double MIN_SQUARES = 0x1p-100;

    /// The bits of infinity: those of NaNs are larger, those of numbers smaller.
    private static final int INFINITY = 0x7F800000;

    private static final Set<String> FEATURES = Set.of("amx_tile", "amx_int8", "avx512f");

    private static final int TILES = 8;
    private static final int SHAPE_BYTES = 64;

    private static final TileRoutines ROUTINES = new TileRoutines();
    private static final Optional<MemorySegment> CODE;
    private static final Optional<String> PROBLEM;

    static {
        Optional<String> problem = findProblem();
        CODE = problem.isEmpty() ? Linux.executable(ROUTINES.code()) : Optional.empty();
        PROBLEM = problem.isEmpty() && CODE.isEmpty()
                ? Optional.of("the system gives no memory to run code from")
                : problem;
    }

    /// The routines and what they need, linked when they are first called.
    private static final class Linked {
        static final MethodHandle SPLIT_ROWS = at(ROUTINES.splitRows());
        static final MethodHandle MEASURE_COLUMNS = at(ROUTINES.measureColumns());
        static final MethodHandle SPLIT_COLUMNS = at(ROUTINES.splitColumns());
        static final MethodHandle MULTIPLY = at(ROUTINES.multiply());
        static final long SHAPE = shape().address();

        private static MethodHandle at(int start) {
            MemorySegment code = CODE.orElseThrow(() -> new IllegalStateException("AMX: " + PROBLEM.orElseThrow()));
            return Linux.function(code.asSlice(start));
        }
    }

    private Amx() {}

    /// Why the unit cannot be used; empty if it can.
    public static Optional<String> problem() {
        return PROBLEM;
    }

    private static Optional<String> findProblem() {
        Optional<String> problem = Linux.problem(FEATURES, "this processor has none", PROPERTY);
        return problem.isPresent() || Linux.permitsTiles() ? problem : Optional.of("the system does not permit it");
    }

    /// What LDTILECFG reads for tiles of full size: "palette 1", bytes per row from byte 16 on, rows from
    /// byte 48 on.
    private static MemorySegment shape() {
        MemorySegment shape = Arena.global().allocate(SHAPE_BYTES, SHAPE_BYTES);
        shape.set(JAVA_BYTE, 0, (byte) 1);
        for (int tile = 0; tile < TILES; tile++) {
            shape.set(JAVA_BYTE, 16 + 2 * tile, (byte) 64);
            shape.set(JAVA_BYTE, 48 + tile, (byte) TILE);
        }
        return shape;
    }

    /// Blocks for `in` input features.
    public static int blocks(int in) {
        return (in + BLOCK - 1) / BLOCK;
    }

    /// Tiles for `count` rows or columns.
    public static int tiles(int count) {
        return (int) ((count + TILE - 1L) / TILE);
    }

    /// Bytes of a row tile of `blocks` blocks.
    public static long rowTileBytes(int blocks) {
        return (long) blocks * TileRoutines.ROW_DIGITS * TileRoutines.TILE;
    }

    /// Bytes of a column tile of `blocks` blocks.
    public static long columnTileBytes(int blocks) {
        return (long) blocks * TileRoutines.COLUMN_DIGITS * TileRoutines.TILE;
    }

    /// By which power of two a row is multiplied before its numbers are rounded to integers of 32 bits.
    /// Four signed bytes reach to 127 · (2²⁴ + 2¹⁶ + 2⁸ + 1), a little less than 2³¹.
    ///
    /// @param largest the largest of its numbers' bits without sign
    public static float rowShift(int largest) {
        return columnShift(largest) + 8;
    }

    /// The power of two that undoes [#rowShift], where integers count 2⁻²⁴; NaN if not all numbers are
    /// finite.
    public static float rowExponent(int largest) {
        return largest < INFINITY ? 24 - rowShift(largest) : Float.NaN;
    }

    /// By which power of two a column is multiplied before its numbers are rounded to integers of 24
    /// bits. Three signed bytes reach to 127 · (2¹⁶ + 2⁸ + 1), a little less than 2²³.
    ///
    /// @param largest the largest of its numbers' bits without sign
    public static float columnShift(int largest) {
        int significand = largest & 0x7FFFFF | 0x800000;
        boolean fits = significand / 2 <= 127 * 0x10101 - 1;
        return (fits ? 22 : 21) - exponent(largest);
    }

    /// The power of two that undoes [#columnShift], where integers count 2⁻¹⁶; NaN if not all numbers are
    /// finite.
    public static float columnExponent(int largest) {
        return largest < INFINITY ? 16 - columnShift(largest) : Float.NaN;
    }

    /// How much larger the largest number that a row or column could have, with its power of two, is than
    /// the root of the mean of its numbers' squares.
    ///
    /// @param largest the largest of its numbers' bits without sign
    /// @param squares the sum of its numbers' squares
    /// @param count how many numbers there are
    /// @return infinity if the sum of squares says nothing; 0 of zeros
    public static float spread(int largest, double squares, int count) {
        if (largest == 0) {
            return 0;
        }
        boolean usable = squares >= MIN_SQUARES && squares <= Double.MAX_VALUE;
        return usable
                ? (float) (Math.scalb(1.0, 23 - (int) columnShift(largest)) * Math.sqrt(count / squares))
                : Float.POSITIVE_INFINITY;
    }

    /// The largest [#spread] of rows for which three digits do with columns of some spread.
    ///
    /// Digits are as good as independent and evenly distributed, so the products that are left out add up
    /// to 2.8 · 10⁻⁸ of √`in` times the two largest numbers that there could be, root mean square;
    /// rounding a sum of 32-bit floats after each of its products makes 2.4 · 10⁻⁸ `in` times the roots
    /// of the means of squares. The limit is where the former is five times the latter.
    ///
    /// @param columnSpread the largest of the columns of a tile
    /// @param in input features
    public static float limit(float columnSpread, int in) {
        return (float) (4 * Math.sqrt(in) / columnSpread);
    }

    private static int exponent(int bits) {
        return (bits >>> 23) - 127;
    }

    /// Makes a row tile.
    ///
    /// @param rows floats `[count][64 · blocks]`, at most [#TILE] of them; nobody may close it
    /// @param shifts [#rowShift] of [#TILE] rows; nobody may close it
    /// @param tiles [#rowTileBytes] from byte `to` on; nobody may close it
    public static void splitRows(
            MemorySegment rows, int count, int blocks, MemorySegment shifts, MemorySegment tiles, long to) {
        Objects.checkIndex(count - 1, TILE);
        long rowBytes = (long) blocks * BLOCK * Float.BYTES;
        address(rows, 0, count * rowBytes);
        long tile = address(tiles, to, rowTileBytes(blocks));
        long by = address(shifts, 0, SHIFT_BYTES);
        long last = TileRoutines.lastDigit(blocks);
        try {
            Linked.SPLIT_ROWS.invokeExact(
                    rows, rowBytes, tile, (long) count, (long) blocks, by, last, 0L, 0L, 0L, 0L, 0L, 0L);
        } catch (Throwable e) {
            throw Linux.rethrown(e);
        } finally {
            Reference.reachabilityFence(shifts);
            Reference.reachabilityFence(tiles);
        }
    }

    /// Finds out what is needed to make a column tile.
    ///
    /// @param columns floats `[64 · blocks][16]` from byte `from` on; nobody may close it
    /// @param measures [#FACT_BYTES]: for each column the largest of its numbers' bits without sign, then
    ///     from byte [#SECOND_FACTS] on the sum of its numbers' squares
    public static void measureColumns(MemorySegment columns, long from, int blocks, MemorySegment measures) {
        long rows = (long) blocks * BLOCK;
        long source = address(columns, from, rows * SHIFT_BYTES);
        address(measures, 0, FACT_BYTES);
        try {
            Linked.MEASURE_COLUMNS.invokeExact(measures, source, rows, 0L, 0L, 0L, 0L, 0L, 0L, 0L, 0L, 0L, 0L);
        } catch (Throwable e) {
            throw Linux.rethrown(e);
        } finally {
            Reference.reachabilityFence(columns);
        }
    }

    /// Makes a column tile.
    ///
    /// @param columns floats `[64 · blocks][16]` from byte `from` on; nobody may close it
    /// @param shifts [#columnShift] of [#TILE] columns; nobody may close it
    /// @param tiles [#columnTileBytes] from byte `to` on
    public static void splitColumns(
            MemorySegment columns, long from, int blocks, MemorySegment shifts, MemorySegment tiles, long to) {
        long source = address(columns, from, (long) blocks * BLOCK * SHIFT_BYTES);
        address(tiles, to, columnTileBytes(blocks));
        long by = address(shifts, 0, SHIFT_BYTES);
        try {
            Linked.SPLIT_COLUMNS.invokeExact(
                    tiles.asSlice(to), source, (long) blocks, by, 0L, 0L, 0L, 0L, 0L, 0L, 0L, 0L, 0L);
        } catch (Throwable e) {
            throw Linux.rethrown(e);
        } finally {
            Reference.reachabilityFence(columns);
            Reference.reachabilityFence(shifts);
        }
    }

    /// Products of some rows with the columns of a tile: 16 floats for each row, of whole row tiles.
    ///
    /// @param rowTiles `count` of them, one after the other, from byte `row` on, and their facts,
    ///     [#rowExponent] and [#spread], from byte `rowFacts` on; nobody may close it
    /// @param columns the column tile from byte `column` on, and its facts, [#columnExponent] and
    ///     [#limit], from byte `columnFacts` on; what follows the tile will be needed next
    /// @param out rows are `outBytes` bytes apart, the first is at byte `to`; nobody may close it
    /// @param scratch [#SCRATCH_BYTES]; nobody may close it
    public static void multiply(
            MemorySegment rowTiles,
            long row,
            int count,
            long rowFacts,
            MemorySegment columns,
            long column,
            long columnFacts,
            int blocks,
            MemorySegment out,
            long to,
            long outBytes,
            MemorySegment scratch) {
        long tileBytes = columnTileBytes(blocks);
        long a = address(rowTiles, row, count * rowTileBytes(blocks));
        long facts = address(rowTiles, rowFacts, (long) count * FACT_BYTES);
        long next = address(columns, column, tileBytes) + tileBytes;
        address(columns, columnFacts, FACT_BYTES);
        long c = address(out, to, (count * TILE - 1) * outBytes + SHIFT_BYTES);
        long own = address(scratch, 0, SCRATCH_BYTES);
        try {
            Linked.MULTIPLY.invokeExact(
                    columns,
                    facts,
                    a,
                    c,
                    (long) blocks,
                    Linked.SHAPE,
                    (long) count,
                    outBytes,
                    columnFacts,
                    own,
                    next,
                    column,
                    TileRoutines.digitBytes(blocks));
        } catch (Throwable e) {
            throw Linux.rethrown(e);
        } finally {
            Reference.reachabilityFence(rowTiles);
            Reference.reachabilityFence(out);
            Reference.reachabilityFence(scratch);
        }
    }

    /// Where a part of a segment lies.
    private static long address(MemorySegment segment, long offset, long bytes) {
        if (!segment.isNative() || bytes <= 0) {
            throw new IllegalArgumentException("%d bytes of %s".formatted(bytes, segment));
        }
        Objects.checkFromIndexSize(offset, bytes, segment.byteSize());
        return segment.address() + offset;
    }
}
