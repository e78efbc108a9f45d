package io.github.sgpt4j.backend.cpu.amx;

import io.github.sgpt4j.backend.cpu.code.Assembler;
import io.github.sgpt4j.backend.cpu.code.Assembler.Label;
import io.github.sgpt4j.backend.cpu.code.Assembler.Register;

/// The machine code of products of 32-bit floats on AMX, whose tiles multiply bytes and add exactly in 32
/// bits.
///
/// Every row of activations and every column of weights is scaled by a power of two and rounded to
/// integers. An integer is a sum of signed bytes, its *digits* in base 256: four for an activation,
/// three for a weight, the largest number of the row or column using all of them. Products of
/// digits are added up by *level*, the number of places after the first ones. (In the manner of
/// Ootomo, Ozaki and Yokota, "DGEMM on integer matrix multiplication unit", 2024.)
///
/// Most rows take levels 0 to 2, six of the twelve products, and so only the first three digits.
/// For each input feature that omits about 2⁻²⁵ of the largest activation times the largest weight,
/// independently of the other features. This is no more than the rounding of a sum of 32-bit
/// floats, unless most numbers are far smaller than the largest. Rows for which [Amx#spread] shows
/// that they are take level 3 as well, nine products. The omitted part is then below 2⁻³⁰ of the
/// largest numbers' product, and the remaining error is the rounding of the weights, at most 2⁻²³
/// of a column's largest one, and of the result. If one row of a tile needs level 3, it is computed
/// for all rows but added only to the results that need it, so that a row's results do not depend
/// on its neighbours.
///
/// Tiles consist of 32-bit words, each with one digit of four numbers: word `i` of a block of 64
/// input features holds the digits of the features `i`, `i + 16`, `i + 32` and `i + 48`. A *row
/// tile* is 16 rows of 16 words for each of the first three digits of a block, the most significant
/// first, block after block, and then for the last digit of all blocks; a *column tile* is 16 words
/// of 16 columns for each digit, block after block: 1 KiB each.
final class TileRoutines {
    /// Bytes of a tile.
    static final int TILE = 1024;

    /// Digits of an activation.
    static final int ROW_DIGITS = 4;

    /// Digits of a weight.
    static final int COLUMN_DIGITS = 3;

    /// Input features of a block.
    static final int BLOCK = 64;

    /// Bytes of one fact for each row or column of a tile.
    static final int FACTS = 16 * Float.BYTES;

    /// Tiles of sums, one for each level.
    private static final int LEVELS = 4;

    /// Bytes of working memory for [#multiply].
    static final int SCRATCH = LEVELS * TILE + FACTS;

    /// Digits of an activation that are stored together.
    private static final int FIRST_DIGITS = 3;

    /// Digits that are multiplied in most rows, `{row digit, column digit}`, in the order of the
    /// products.
    ///
    /// When the core's other hardware thread is busy, each tile in use costs time, as if both
    /// threads shared the registers for results in flight. Reloading digits into two tiles is then
    /// 1.4 times as fast as keeping them in four, and otherwise equally fast. Hence adjacent
    /// products share one digit.
    private static final int[][] USUAL = {{2, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 2}, {0, 0}};

    /// The same in rows that need level 3.
    private static final int[][] ALL = {{1, 2}, {0, 2}, {0, 1}, {2, 1}, {1, 1}, {1, 0}, {2, 0}, {0, 0}, {3, 0}};

    private static final int ROW_TILE = 4;
    private static final int COLUMN_TILE = 5;

    // Arguments of a function, in the order of the System V calling convention; the others are on
    // the stack.
    private static final Register FIRST = Register.RDI;
    private static final Register SECOND = Register.RSI;
    private static final Register THIRD = Register.RDX;
    private static final Register FOURTH = Register.RCX;
    private static final Register FIFTH = Register.R8;
    private static final Register SIXTH = Register.R9;

    // Vector registers of the functions that split numbers into digits: four numbers, …
    private static final int NUMBERS = 0;
    private static final int WORD = 4;
    private static final int PART = 5;
    private static final int EXPONENT = 6;
    private static final int CONSTANT = 7;

    // Registers of the function that multiplies; COLUMNS is the output's stride once the sums are
    // complete.
    private static final Register STRIDE = Register.RAX;
    private static final Register COLUMNS = Register.R10;
    private static final Register LEFT = Register.R11;
    private static final Register NEXT = Register.RBX;
    private static final Register OWN = Register.RBP;
    private static final Register LAST = SIXTH;
    private static final int MASK = 1;

    /// The predicate of a comparison: greater, false if one is NaN.
    private static final int GREATER = 0x1E;

    /// Cache lines that are prefetched with each block of a row tile: a third of a column tile's
    /// block.
    private static final int LINES_AHEAD = COLUMN_DIGITS * TILE / 64 / 3;

    private final Assembler code = new Assembler();
    private final int splitRows;
    private final int measureColumns;
    private final int splitColumns;
    private final int multiply;

    TileRoutines() {
        splitRows = writeSplitRows();
        measureColumns = writeMeasureColumns();
        splitColumns = writeSplitColumns();
        multiply = writeMultiply();
    }

    byte[] code() {
        return code.code();
    }

    /// Bytes of one digit of a row tile.
    static long digitBytes(int blocks) {
        return (long) blocks * TILE;
    }

    /// Byte offset of the last digits of a row tile.
    static long lastDigit(int blocks) {
        return FIRST_DIGITS * digitBytes(blocks);
    }

    /// Start of the function that builds a row tile:
    ///
    /// ```
    /// void f(float *rows, long rowBytes, void *tile, long rowCount, long blocks, float *exponents,
    ///        long lastDigit)
    /// ```
    ///
    /// Each row has 64 · `blocks` floats and the exponent of the power of two by which it is
    /// multiplied first. At least one row and one block, at most 16 rows; the tile's other rows are
    /// unchanged. The tile's last digits begin at byte `lastDigit`.
    int splitRows() {
        return splitRows;
    }

    /// Start of the function that measures columns before they become a column tile:
    ///
    /// `void f(void *result, float *columns, long rows)`
    ///
    /// The columns are `[rows][16]`. The result is, for each of them, the largest of its numbers' bits
    /// without sign, and then, for each of them, the sum of its numbers' squares as a float.
    int measureColumns() {
        return measureColumns;
    }

    /// Start of the function that builds a column tile:
    ///
    /// `void f(void *tile, float *columns, long blocks, float *exponents)`
    ///
    /// The columns are `[64 · blocks][16]`, and there is an exponent for each.
    int splitColumns() {
        return splitColumns;
    }

    /// Start of the function that multiplies some row tiles with a column tile:
    ///
    /// ```
    /// void f(void *columns, float *rowFacts, void *rowTiles, float *out, long blocks, void *shape,
    ///        long rowTileCount, long outBytes, long columnFacts, void *scratch, void *next, long columnTile,
    ///        long digitBytes)
    /// ```
    ///
    /// The column tile and its facts are `columnTile` and `columnFacts` bytes after `columns`. Row
    /// tiles are contiguous, and so are their facts. Facts are, for each row and each column of a
    /// tile, the exponent of the power of two, as a float, that its results are multiplied by,
    /// followed by a number for each row and one for each column: where the row's is greater, level
    /// 3 is needed. All columns of a tile have the same number. `out` has rows of 16 floats,
    /// `outBytes` bytes apart, 16 for each row tile. `shape` is the operand of LDTILECFG: all tiles
    /// are of full size. A digit of a row tile has `digitBytes` bytes.
    ///
    /// Meanwhile the memory at `next` is prefetched: the hardware itself prefetches nothing beyond
    /// the page that it reads. Prefetching past the end of memory does no harm.
    int multiply() {
        return multiply;
    }

    private int begin() {
        code.align(64);
        return code.size();
    }

    private int writeSplitRows() {
        int start = begin();
        Register from = Register.RAX;
        Register to = Register.R10;
        Register left = Register.R11;
        Register last = Register.RBX;
        code.push(last);
        constant(0x80);
        Label row = code.here();
        code.vbroadcastss(EXPONENT, SIXTH, 0);
        code.mov(from, FIRST);
        code.mov(to, THIRD);
        code.movArgument(last, 0);
        code.add(last, THIRD);
        code.mov(left, FIFTH);
        Label block = code.here();
        load(from, 64);
        split(last, 0, true);
        for (int digit = FIRST_DIGITS - 1; digit >= 0; digit--) {
            split(to, digit * TILE, digit > 0);
        }
        code.add(from, BLOCK * Float.BYTES);
        code.add(to, FIRST_DIGITS * TILE);
        code.add(last, TILE);
        code.dec(left);
        code.jnz(block);
        code.add(FIRST, SECOND);
        code.add(THIRD, 64);
        code.add(SIXTH, Float.BYTES);
        code.dec(FOURTH);
        code.jnz(row);
        code.pop(last);
        code.vzeroupper();
        code.ret();
        return start;
    }

    private int writeMeasureColumns() {
        int start = begin();
        int number = 0;
        int largest = 1;
        int squares = 2;
        code.mov(Register.RAX, 0);
        code.vpbroadcastd(largest, Register.RAX);
        code.vpbroadcastd(squares, Register.RAX);
        constant(Integer.MAX_VALUE);
        Label row = code.here();
        code.vmovups(number, SECOND, 0);
        code.vfmadd231ps(squares, number, number);
        code.vpandd(number, number, CONSTANT);
        code.vpmaxsd(largest, largest, number);
        code.add(SECOND, 64);
        code.dec(THIRD);
        code.jnz(row);
        code.vmovups(FIRST, 0, largest);
        code.vmovups(FIRST, FACTS, squares);
        code.vzeroupper();
        code.ret();
        return start;
    }

    private int writeSplitColumns() {
        int start = begin();
        Register left = Register.R8;
        constant(0x80);
        code.vmovups(EXPONENT, FOURTH, 0);
        Label block = code.here();
        code.mov(left, 16);
        Label row = code.here();
        load(SECOND, 16 * 64);
        for (int digit = COLUMN_DIGITS - 1; digit >= 0; digit--) {
            split(FIRST, digit * TILE, digit > 0);
        }
        code.add(SECOND, 64);
        code.add(FIRST, 64);
        code.dec(left);
        code.jnz(row);
        code.add(SECOND, (BLOCK - 16) * 64);
        code.add(FIRST, (COLUMN_DIGITS - 1) * TILE);
        code.dec(THIRD);
        code.jnz(block);
        code.vzeroupper();
        code.ret();
        return start;
    }

    /// Loads four vectors of floats, `step` bytes apart, as integers.
    private void load(Register from, int step) {
        for (int i = 0; i < 4; i++) {
            code.vmovups(NUMBERS + i, from, i * step);
            code.vscalefps(NUMBERS + i, NUMBERS + i, EXPONENT);
            code.vcvtps2dq(NUMBERS + i, NUMBERS + i);
        }
    }

    /// Splits the last digit off four vectors of integers, and combines the digits in a vector of
    /// words.
    private void split(Register to, int offset, boolean more) {
        code.vpslld(WORD, NUMBERS + 3, 24);
        for (int i = 0; i < 3; i++) {
            code.vpslld(PART, NUMBERS + i, 24);
            code.vpsrld(PART, PART, 24 - 8 * i);
            code.vpord(WORD, WORD, PART);
        }
        code.vmovups(to, offset, WORD);
        if (more) {
            // The digit is signed, so the rest is rounded.
            for (int i = 0; i < 4; i++) {
                code.vpaddd(NUMBERS + i, NUMBERS + i, CONSTANT);
                code.vpsrad(NUMBERS + i, NUMBERS + i, 8);
            }
        }
    }

    private void constant(int bits) {
        code.mov(Register.RAX, bits);
        code.vpbroadcastd(CONSTANT, Register.RAX);
    }

    private int writeMultiply() {
        int start = begin();
        code.ldtilecfg(SIXTH);
        code.push(NEXT);
        code.push(OWN);
        code.movArgument(NEXT, 4);
        code.movArgument(OWN, 3);
        code.movArgument(COLUMNS, 2);
        code.add(COLUMNS, FIRST);
        code.movToArgument(2, COLUMNS);
        code.movArgument(COLUMNS, 5);
        code.add(FIRST, COLUMNS);
        code.mov(STRIDE, 64);
        Label rowTile = code.here();
        code.movArgument(LEFT, 2);
        code.vmovups(0, SECOND, FACTS);
        code.vmovups(1, LEFT, FACTS);
        code.vcmpps(MASK, 0, GREATER, 1);
        code.kortestw(MASK, MASK);
        Assembler.Jump usual = code.jz();
        multiplyTiles(true);
        addAllLevels();
        Assembler.Jump done = code.jmp();
        code.land(usual);
        multiplyTiles(false);
        addUsualLevels();
        code.land(done);
        code.add(SECOND, 2 * FACTS);
        code.movArgument(LEFT, 0);
        code.dec(LEFT);
        code.movToArgument(0, LEFT);
        code.jnz(rowTile);
        code.tilerelease();
        code.vzeroupper();
        code.pop(OWN);
        code.pop(NEXT);
        code.ret();
        return start;
    }

    /// Stores the sums of a row tile in memory, and advances to the next row tile.
    private void multiplyTiles(boolean all) {
        if (all) {
            code.mov(LAST, THIRD);
            code.movArgument(LEFT, 6);
            for (int digit = 0; digit < FIRST_DIGITS; digit++) {
                code.add(LAST, LEFT);
            }
        }
        code.mov(COLUMNS, FIRST);
        code.mov(LEFT, FIFTH);
        for (int level = 0; level < LEVELS; level++) {
            code.tilezero(level);
        }
        Label block = code.here();
        multiplyBlock(all ? ALL : USUAL);
        code.add(THIRD, FIRST_DIGITS * TILE);
        if (all) {
            code.add(LAST, TILE);
        }
        code.add(COLUMNS, COLUMN_DIGITS * TILE);
        code.add(NEXT, LINES_AHEAD * 64);
        code.dec(LEFT);
        code.jnz(block);
        for (int level = 0; level < (all ? LEVELS : LEVELS - 1); level++) {
            code.tilestored(OWN, STRIDE, level * TILE, level);
        }
        if (all) {
            code.mov(THIRD, LAST);
        } else {
            code.movArgument(LEFT, 6);
            code.add(THIRD, LEFT);
        }
    }

    /// The products of a block, each added to the tile of its level.
    private void multiplyBlock(int[][] pairs) {
        int linesPerPair = (LINES_AHEAD + pairs.length - 1) / pairs.length;
        int line = 0;
        int[] loaded = {-1, -1};
        for (int[] pair : pairs) {
            if (pair[0] == FIRST_DIGITS) {
                code.tileloadd(ROW_TILE, LAST, STRIDE, 0);
            } else if (pair[0] != loaded[0]) {
                code.tileloadd(ROW_TILE, THIRD, STRIDE, pair[0] * TILE);
            }
            if (pair[1] != loaded[1]) {
                code.tileloadd(COLUMN_TILE, COLUMNS, STRIDE, pair[1] * TILE);
            }
            loaded = pair;
            code.tdpbssd(pair[0] + pair[1], ROW_TILE, COLUMN_TILE);
            for (int i = 0; i < linesPerPair && line < LINES_AHEAD; i++) {
                code.prefetcht1(NEXT, 64 * line++);
            }
        }
    }

    /// Combines levels 0 to 2 of 16 rows.
    private void addUsualLevels() {
        beginRows();
        for (int row = 0; row < 16; row++) {
            code.vcvtdq2ps(0, OWN, 2 * TILE + row * 64);
            addFirstLevels(row);
        }
    }

    /// Combines all levels of 16 rows, the last one only where it is needed.
    private void addAllLevels() {
        beginRows();
        code.vmovups(0, MASK, CONSTANT);
        code.vmovups(OWN, LEVELS * TILE, 0);
        for (int row = 0; row < 16; row++) {
            code.vcvtdq2ps(0, OWN, 3 * TILE + row * 64);
            code.vcvtdq2ps(1, OWN, 2 * TILE + row * 64);
            code.vbroadcastss(2, OWN, LEVELS * TILE + row * Float.BYTES);
            code.vfmadd213ps(0, 2, 1);
            addFirstLevels(row);
        }
    }

    private void beginRows() {
        code.movArgument(COLUMNS, 1);
        code.movArgument(LEFT, 2);
        code.vmovups(EXPONENT, LEFT, 0);
        code.mov(LEFT, Float.floatToRawIntBits(1f / 256));
        code.vpbroadcastd(CONSTANT, LEFT);
    }

    /// Adds a row's levels 1 and 0 to the sum of its later levels, then scales and stores the
    /// result.
    private void addFirstLevels(int row) {
        for (int level = 1; level >= 0; level--) {
            code.vcvtdq2ps(1, OWN, level * TILE + row * 64);
            code.vfmadd213ps(0, CONSTANT, 1);
        }
        code.vbroadcastss(1, SECOND, row * Float.BYTES);
        code.vaddps(1, 1, EXPONENT);
        code.vscalefps(0, 0, 1);
        code.vmovups(FOURTH, 0, 0);
        code.add(FOURTH, COLUMNS);
    }
}
