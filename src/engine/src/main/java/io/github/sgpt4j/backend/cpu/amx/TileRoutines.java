package io.github.sgpt4j.backend.cpu.amx;

import io.github.sgpt4j.backend.cpu.amx.Assembler.Label;
import io.github.sgpt4j.backend.cpu.amx.Assembler.Register;

/// The machine code of products of 32-bit floats on AMX, whose tiles multiply bytes and add exactly in 32
/// bits.
///
/// Every row of activations and every column of weights is scaled by a power of two and rounded to
/// integers: 31 bits for activations, 24 for weights, the largest number of the row or column using all
/// of them. An integer is a sum of signed bytes, its *digits* to the base of 256, four for an activation
/// and three for a weight. Of the twelve products of the digits of two numbers nine are computed; the
/// other three are below 2⁻³⁰ of the largest numbers' product. What remains is the rounding of the
/// weights, at most 2⁻²³ of a column's largest one, and that of the result. (In the manner of Ootomo,
/// Ozaki and Yokota, "DGEMM on integer matrix multiplication unit", 2024.)
///
/// What tiles hold is made of 32-bit words with a digit of four numbers: word `i` of a block of 64 input
/// features holds those of the features `i`, `i + 16`, `i + 32` and `i + 48`. A *row tile* is 16 rows of
/// 16 words for each of the digits, the most significant first, and a *column tile* 16 words of 16
/// columns: 1 KiB each.
final class TileRoutines {
    /// Bytes of a tile.
    static final int TILE = 1024;

    /// Digits of an activation.
    static final int ROW_DIGITS = 4;

    /// Digits of a weight.
    static final int COLUMN_DIGITS = 3;

    /// Input features of a block.
    static final int BLOCK = 64;

    /// Bytes of memory that [#multiply] works in.
    static final int SCRATCH = ROW_DIGITS * TILE;

    /// Digits that are multiplied, `{row digit, column digit}`.
    private static final int[][] PAIRS = {{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}, {2, 0}, {2, 1}, {3, 0}};

    // Arguments of a function, in the order of the System V calling convention; the others lie on the stack.
    private static final Register FIRST = Register.RDI;
    private static final Register SECOND = Register.RSI;
    private static final Register THIRD = Register.RDX;
    private static final Register FOURTH = Register.RCX;
    private static final Register FIFTH = Register.R8;
    private static final Register SIXTH = Register.R9;

    // Vector registers of the functions that make digits: four numbers, …
    private static final int NUMBERS = 0;
    private static final int WORD = 4;
    private static final int PART = 5;
    private static final int EXPONENT = 6;
    private static final int CONSTANT = 7;

    /// Cache lines that are fetched ahead with each block of a row tile: a third of a column tile's
    /// block.
    private static final int LINES_AHEAD = COLUMN_DIGITS * TILE / 64 / 3;

    private final Assembler code = new Assembler();
    private final int splitRows;
    private final int splitColumns;
    private final int multiply;

    TileRoutines() {
        splitRows = writeSplitRows();
        splitColumns = writeSplitColumns();
        multiply = writeMultiply();
    }

    byte[] code() {
        return code.code();
    }

    /// Where the function starts that makes a row tile:
    ///
    /// `void f(float *rows, long rowBytes, void *tile, long rowCount, long blocks, float *exponents)`
    ///
    /// Each row has 64 · `blocks` floats and the exponent of the power of two by which it is multiplied
    /// first. At least one row and one block, at most 16 rows; what the tile has for others stays as it
    /// was.
    int splitRows() {
        return splitRows;
    }

    /// Where the function starts that makes a column tile:
    ///
    /// `void f(float *columns, void *tile, long blocks, float *exponents)`
    ///
    /// The columns are `[64 · blocks][16]`, and there is an exponent for each.
    int splitColumns() {
        return splitColumns;
    }

    /// Where the function starts that multiplies some row tiles with a column tile:
    ///
    /// ```
    /// void f(void *rowTiles, float *rowExponents, void *columns, float *out, long blocks, void *shape,
    ///        long rowTiles, long outBytes, long columnExponents, void *scratch, void *next, long columnTile)
    /// ```
    ///
    /// The column tile and its exponents lie `columnTile` and `columnExponents` bytes after `columns`.
    /// Row tiles follow each other. Each row and each column has the exponent of a power of two, as a
    /// float, by which its results are multiplied. `out` has rows of 16 floats, `outBytes` bytes apart,
    /// 16 for each row tile. `shape` is what LDTILECFG reads: all tiles are of full size.
    ///
    /// Meanwhile what lies at `next` is fetched from memory. The processor itself fetches nothing beyond
    /// the page that it reads; reaching past the end of memory does no harm.
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
        constant(0x80);
        Label row = code.here();
        code.vbroadcastss(EXPONENT, SIXTH, 0);
        code.mov(from, FIRST);
        code.mov(to, THIRD);
        code.mov(left, FIFTH);
        Label block = code.here();
        split(from, 64, to, ROW_DIGITS);
        code.add(from, BLOCK * Float.BYTES);
        code.add(to, ROW_DIGITS * TILE);
        code.dec(left);
        code.jnz(block);
        code.add(FIRST, SECOND);
        code.add(THIRD, 64);
        code.add(SIXTH, Float.BYTES);
        code.dec(FOURTH);
        code.jnz(row);
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
        split(FIRST, 16 * 64, SECOND, COLUMN_DIGITS);
        code.add(FIRST, 64);
        code.add(SECOND, 64);
        code.dec(left);
        code.jnz(row);
        code.add(FIRST, (BLOCK - 16) * 64);
        code.add(SECOND, (COLUMN_DIGITS - 1) * TILE);
        code.dec(THIRD);
        code.jnz(block);
        code.vzeroupper();
        code.ret();
        return start;
    }

    /// Four vectors of floats, `step` bytes apart, become a vector of words for each digit.
    private void split(Register from, int step, Register to, int digits) {
        for (int i = 0; i < 4; i++) {
            code.vmovups(NUMBERS + i, from, i * step);
            code.vscalefps(NUMBERS + i, NUMBERS + i, EXPONENT);
            code.vcvtps2dq(NUMBERS + i, NUMBERS + i);
        }
        for (int digit = digits - 1; digit >= 0; digit--) {
            code.vpslld(WORD, NUMBERS + 3, 24);
            for (int i = 0; i < 3; i++) {
                code.vpslld(PART, NUMBERS + i, 24);
                code.vpsrld(PART, PART, 24 - 8 * i);
                code.vpord(WORD, WORD, PART);
            }
            code.vmovups(to, digit * TILE, WORD);
            if (digit > 0) {
                // The digit is signed: what is left over is rounded.
                for (int i = 0; i < 4; i++) {
                    code.vpaddd(NUMBERS + i, NUMBERS + i, CONSTANT);
                    code.vpsrad(NUMBERS + i, NUMBERS + i, 8);
                }
            }
        }
    }

    private void constant(int bits) {
        code.mov(Register.RAX, bits);
        code.vpbroadcastd(CONSTANT, Register.RAX);
    }

    private int writeMultiply() {
        int start = begin();
        Register stride = Register.RAX;
        Register columns = Register.R10;
        Register left = Register.R11;
        Register next = Register.RBX;
        Register scratch = Register.RBP;
        code.ldtilecfg(SIXTH);
        code.push(next);
        code.push(scratch);
        code.movArgument(next, 4);
        code.movArgument(scratch, 3);
        code.movArgument(columns, 2);
        code.add(columns, THIRD);
        code.movToArgument(2, columns);
        code.movArgument(columns, 5);
        code.add(THIRD, columns);
        code.mov(stride, 64);
        Label rowTile = code.here();
        code.mov(columns, THIRD);
        code.mov(left, FIFTH);
        for (int level = 0; level < ROW_DIGITS; level++) {
            code.tilezero(level);
        }
        Label block = code.here();
        multiplyBlock(columns, stride, next);
        code.add(FIRST, ROW_DIGITS * TILE);
        code.add(columns, COLUMN_DIGITS * TILE);
        code.add(next, LINES_AHEAD * 64);
        code.dec(left);
        code.jnz(block);
        for (int level = 0; level < ROW_DIGITS; level++) {
            code.tilestored(scratch, stride, level * TILE, level);
        }
        addLevels(scratch, columns, left);
        code.movArgument(left, 0);
        code.dec(left);
        code.movToArgument(0, left);
        code.jnz(rowTile);
        code.tilerelease();
        code.vzeroupper();
        code.pop(scratch);
        code.pop(next);
        code.ret();
        return start;
    }

    /// The products of a block, each added to the sum of its level, the number of its digits' places:
    /// tiles 0 to 3 are sums, 4 a row digit, 5 to 7 the columns'.
    private void multiplyBlock(Register columns, Register stride, Register next) {
        for (int digit = 0; digit < COLUMN_DIGITS; digit++) {
            code.tileloadd(5 + digit, columns, stride, digit * TILE);
        }
        int line = 0;
        int loaded = -1;
        for (int[] pair : PAIRS) {
            int row = pair[0];
            int column = pair[1];
            if (row != loaded) {
                code.tileloadd(4, FIRST, stride, row * TILE);
                loaded = row;
            }
            code.tdpbssd(row + column, 4, 5 + column);
            for (int i = 0; i < 2 && line < LINES_AHEAD; i++) {
                code.prefetcht1(next, 64 * line++);
            }
        }
    }

    /// Puts the levels of 16 rows together and scales them.
    private void addLevels(Register scratch, Register outBytes, Register exponents) {
        code.movArgument(outBytes, 1);
        code.movArgument(exponents, 2);
        code.vmovups(EXPONENT, exponents, 0);
        code.mov(exponents, Float.floatToRawIntBits(1f / 256));
        code.vpbroadcastd(CONSTANT, exponents);
        for (int row = 0; row < 16; row++) {
            code.vcvtdq2ps(0, scratch, (ROW_DIGITS - 1) * TILE + row * 64);
            for (int level = ROW_DIGITS - 2; level >= 0; level--) {
                code.vcvtdq2ps(1, scratch, level * TILE + row * 64);
                code.vfmadd213ps(0, CONSTANT, 1);
            }
            code.vbroadcastss(1, SECOND, row * Float.BYTES);
            code.vaddps(1, 1, EXPONENT);
            code.vscalefps(0, 0, 1);
            code.vmovups(FOURTH, 0, 0);
            code.add(FOURTH, outBytes);
        }
        code.add(SECOND, 16 * Float.BYTES);
    }
}
