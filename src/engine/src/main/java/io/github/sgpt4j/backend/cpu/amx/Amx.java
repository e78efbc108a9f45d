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

/// Products of 32-bit floats on the matrix unit of Intel's server processors since 2023 (Advanced
/// Matrix Extensions), at the precision of 32-bit floats: [TileRoutines] explains how. The Vector
/// API does not support this unit, so its instructions are written into memory when this class is
/// initialised, and called through [java.lang.foreign].
///
/// Input features come in blocks of [#BLOCK]; padding in the last block must be zero on both sides.
/// Segments must be off-heap; an access beyond a segment's end is refused. Weights cannot be closed
/// during a call; other segments must not be closed.
public final class Amx {
    /// System property: `false` disables the matrix unit.
    public static final String PROPERTY = "sgpt4j.cpu.amx";

    /// Input features per block.
    public static final int BLOCK = TileRoutines.BLOCK;

    /// Rows of a row tile and columns of a column tile.
    public static final int TILE = 16;

    /// Bytes of one float for each row or column of a tile.
    public static final int SHIFT_BYTES = TILE * Float.BYTES;

    /// Bytes of a tile's *facts*, which [#multiply] needs: the exponents of all rows or columns and
    /// then, from byte [#SECOND_FACTS] on, the rows' spreads or the columns' limits.
    public static final int FACT_BYTES = 2 * TileRoutines.FACTS;

    /// Byte offset of a tile's second facts.
    public static final int SECOND_FACTS = TileRoutines.FACTS;

    /// Bytes of working memory for [#multiply].
    public static final int SCRATCH_BYTES = TileRoutines.SCRATCH;

    /// Most input features: sums of as many products of digits fit into 32 bits.
    public static final int MAX_FEATURES = 1 << 15;

    /// Sums of squares of 32-bit floats below this may have lost terms to underflow.
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
        PROBLEM =
                problem.isEmpty() && CODE.isEmpty() ? Optional.of("the system provides no executable memory") : problem;
    }

    /// The routines and their data, linked at the first call.
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

    /// The operand of LDTILECFG for tiles of full size: "palette 1", bytes per row from byte 16 on,
    /// rows from byte 48 on.
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

    /// The exponent of the power of two that a row is multiplied by before its numbers are rounded
    /// to 32-bit integers. Four signed bytes reach up to 127 · (2²⁴ + 2¹⁶ + 2⁸ + 1), a little less
    /// than 2³¹.
    ///
    /// @param largest the largest of its numbers' bits without sign
    public static float rowShift(int largest) {
        return columnShift(largest) + 8;
    }

    /// The exponent that undoes [#rowShift], for integers in units of 2⁻²⁴; NaN if not all numbers
    /// are finite.
    public static float rowExponent(int largest) {
        return largest < INFINITY ? 24 - rowShift(largest) : Float.NaN;
    }

    /// The exponent of the power of two that a column is multiplied by before its numbers are
    /// rounded to 24-bit integers. Three signed bytes reach up to 127 · (2¹⁶ + 2⁸ + 1), a little
    /// less than 2²³.
    ///
    /// @param largest the largest of its numbers' bits without sign
    public static float columnShift(int largest) {
        int significand = largest & 0x7FFFFF | 0x800000;
        boolean fits = significand / 2 <= 127 * 0x10101 - 1;
        return (fits ? 22 : 21) - exponent(largest);
    }

    /// The exponent that undoes [#columnShift], for integers in units of 2⁻¹⁶; NaN if not all
    /// numbers are finite.
    public static float columnExponent(int largest) {
        return largest < INFINITY ? 16 - columnShift(largest) : Float.NaN;
    }

    /// The ratio of the largest number that a row or column could hold with its power of two to the
    /// root mean square of its numbers.
    ///
    /// @param largest the largest of its numbers' bits without sign
    /// @param squares the sum of its numbers' squares
    /// @param count the number of numbers
    /// @return infinity if the sum of squares is unusable; 0 for zeros
    public static float spread(int largest, double squares, int count) {
        if (largest == 0) {
            return 0;
        }
        boolean usable = squares >= MIN_SQUARES && squares <= Double.MAX_VALUE;
        return usable
                ? (float) (Math.scalb(1.0, 23 - (int) columnShift(largest)) * Math.sqrt(count / squares))
                : Float.POSITIVE_INFINITY;
    }

    /// The largest [#spread] of a row for which three digits suffice with columns of a given
    /// spread.
    ///
    /// Digits are practically independent and uniformly distributed, so the root mean square of the
    /// omitted products is 2.8 · 10⁻⁸ · √`in` times the two largest possible numbers. Rounding a
    /// sum of 32-bit floats after each product causes an error of 2.4 · 10⁻⁸ · `in` times the two
    /// root mean squares. The limit is where the former is five times the latter.
    ///
    /// @param columnSpread the largest spread of a tile's columns
    /// @param in input features
    public static float limit(float columnSpread, int in) {
        return (float) (4 * Math.sqrt(in) / columnSpread);
    }

    private static int exponent(int bits) {
        return (bits >>> 23) - 127;
    }

    /// Builds a row tile.
    ///
    /// @param rows floats `[count][64 · blocks]`, at most [#TILE] of them; must stay open
    /// @param shifts [#rowShift] of [#TILE] rows; must stay open
    /// @param tiles [#rowTileBytes] from byte `to` on; must stay open
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

    /// Measures columns before they become a column tile.
    ///
    /// @param columns floats `[64 · blocks][16]` from byte `from` on; must stay open
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

    /// Builds a column tile.
    ///
    /// @param columns floats `[64 · blocks][16]` from byte `from` on; must stay open
    /// @param shifts [#columnShift] of [#TILE] columns; must stay open
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
    /// @param rowTiles `count` of them, one after another, from byte `row` on, and their facts,
    ///     [#rowExponent] and [#spread], from byte `rowFacts` on; must stay open
    /// @param columns the column tile from byte `column` on, and its facts, [#columnExponent] and
    ///     [#limit], from byte `columnFacts` on; what follows the tile is prefetched
    /// @param out rows are `outBytes` bytes apart, the first is at byte `to`; must stay open
    /// @param scratch [#SCRATCH_BYTES]; must stay open
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

    /// The address of a part of a segment.
    private static long address(MemorySegment segment, long offset, long bytes) {
        if (!segment.isNative() || bytes <= 0) {
            throw new IllegalArgumentException(
                    "matrix unit: expected some bytes of an off-heap segment, got %d of %s".formatted(bytes, segment));
        }
        Objects.checkFromIndexSize(offset, bytes, segment.byteSize());
        return segment.address() + offset;
    }
}
