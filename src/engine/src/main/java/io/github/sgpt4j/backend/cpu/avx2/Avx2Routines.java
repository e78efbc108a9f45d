package io.github.sgpt4j.backend.cpu.avx2;

import io.github.sgpt4j.backend.cpu.code.Assembler;
import io.github.sgpt4j.backend.cpu.code.Assembler.Address;
import io.github.sgpt4j.backend.cpu.code.Assembler.Jump;
import io.github.sgpt4j.backend.cpu.code.Assembler.Label;
import io.github.sgpt4j.backend.cpu.code.Assembler.Register;
import io.github.sgpt4j.backend.cpu.code.Assembler.Ymm;

/// The machine code of matrix products on processors with AVX2 and FMA, which have 16 vector registers of 8 floats:
/// `C = S + A · B` with 16 columns, a tile of up to [#MOST_ROWS] rows of C at a time in 12 registers. Two more hold
/// 16 values of B, one a value of A that is multiplied with them. Sums start with S and go through the depth in order,
/// each product added with one rounding, as in [io.github.sgpt4j.backend.cpu.kernel.Tiles].
///
/// The compiler of the virtual machine has the same registers, but needs some of its general ones for itself and for
/// checks of bounds, and this loop leaves none to spare. Here A is also read where it lies, without packing it, and
/// the weights that come next are fetched from memory while these are multiplied: where few rows meet many weights,
/// that hides most of the time that fetching takes (1.4 to 1.6 times as fast with 16 rows).
final class Avx2Routines {
    /// Rows of the tallest tile.
    static final int MOST_ROWS = 6;

    /// Columns of a tile.
    static final int COLUMNS = 16;

    /// Steps through the depth that are written out in the loop.
    static final int STEPS = 4;

    /// Cache lines of B that [#fewRows] and [#manyRows] fetch ahead in each round of the loop. A round reads
    /// [#STEPS] lines, so all that comes next is there after one tile of the former, two of the latter.
    private static final int LINES_AHEAD_FEW = 4;
    private static final int LINES_AHEAD_MANY = 2;

    private static final int LINE = 64;
    private static final int LANES = 8;
    private static final int VECTOR = LANES * Float.BYTES;

    // Pointers, in the order of the System V calling convention, then the first two integers: offsets of A and B.
    // As soon as these are added, their registers hold A's stride and what to fetch.
    private static final Register A = Register.RDI;
    private static final Register B = Register.RSI;
    private static final Register S = Register.RDX;
    private static final Register C = Register.RCX;
    private static final Register A_STRIDE = Register.R8;
    private static final Register NEXT = Register.R9;

    // The other integers lie on the stack.
    private static final int S_OFFSET = 0;
    private static final int C_OFFSET = 1;
    private static final int A_STRIDE_ARGUMENT = 2;
    private static final int S_STRIDE = 3;
    private static final int C_STRIDE = 4;
    private static final int ROUNDS = 5;
    private static final int REST = 6;
    private static final int TILES = 7;
    private static final int NEXT_OFFSET = 8;
    private static final int TILES_AHEAD = 9;

    // Where the loop is.
    private static final Register LEFT = Register.RAX;
    private static final Register STRIDE = Register.RAX;
    private static final Register LOWER_ROWS = Register.R10;
    private static final Register UPPER = Register.R12;
    /// Rows 3 to 5 of A, or three times its stride.
    private static final Register LOWER = Register.R13;

    private static final Register WEIGHTS = Register.R14;

    private static final Register[] KEPT = {Register.R12, Register.R13, Register.R14};

    private static final Ymm LEFT_COLUMNS = new Ymm(12);
    private static final Ymm RIGHT_COLUMNS = new Ymm(13);
    private static final Ymm VALUE = new Ymm(14);

    private final Assembler code = new Assembler();
    private final int[] fewRows = new int[MOST_ROWS + 1];
    private final int[] manyRows = new int[MOST_ROWS + 1];
    private final int[] transposed = new int[MOST_ROWS + 1];

    Avx2Routines() {
        for (int height = 1; height <= MOST_ROWS; height++) {
            fewRows[height] = write(height, LINES_AHEAD_FEW, false);
            manyRows[height] = write(height, LINES_AHEAD_MANY, false);
            transposed[height] = write(height, 0, true);
        }
    }

    byte[] code() {
        return code.code();
    }

    /// Where the function for tiles of `height` rows starts that fetches ahead for one tile:
    ///
    /// ```
    /// void f(char *a, char *b, char *s, char *c, long aOffset, long bOffset, long sOffset, long cOffset,
    ///        long aStride, long sStride, long cStride, long rounds, long rest, long tiles, long nextOffset,
    ///        long tilesAhead)
    /// ```
    ///
    /// Pointers and offsets are added. Strides are the bytes from a row to the next: rows of A are
    /// contiguous, rows of S and C have 16 floats, and so has B for each step through the depth. The
    /// depth is [#STEPS] times `rounds` plus `rest`. Tiles, at least one, follow each other in A, S
    /// and C. S may be C.
    ///
    /// The first `tilesAhead` − 1 tiles fetch what lies `nextOffset` bytes after B into the second-level cache.
    /// Reaching past the end of memory with that does no harm.
    int fewRows(int height) {
        return fewRows[height];
    }

    /// Bytes that a tile of [#manyRows] fetches ahead.
    static long fetchedByTile(int depth) {
        return (long) (depth / STEPS) * LINES_AHEAD_MANY * LINE;
    }

    /// The same for more than one tile.
    int manyRows(int height) {
        return manyRows[height];
    }

    /// The same with A transposed: its columns are contiguous, and the stride is that from a step through the depth to
    /// the next. Nothing is fetched ahead.
    int transposed(int height) {
        return transposed[height];
    }

    private int write(int height, int linesAhead, boolean transposedA) {
        code.align(LINE);
        int start = code.size();
        for (Register register : KEPT) {
            code.push(register);
        }
        code.add(A, A_STRIDE);
        code.add(B, NEXT);
        addArgument(S, S_OFFSET);
        addArgument(C, C_OFFSET);
        code.movArgument(A_STRIDE, A_STRIDE_ARGUMENT);
        code.movArgument(NEXT, NEXT_OFFSET);
        code.add(NEXT, B);
        Label tile = code.here();
        if (linesAhead > 0) {
            stopFetching();
        }
        tileOfMemory(height, S, S_STRIDE, false);
        if (!transposedA) {
            fetchNextTile(height);
        }
        code.mov(UPPER, A);
        code.mov(WEIGHTS, B);
        if (transposedA || height > 3) {
            code.lea(LOWER, new Address(A_STRIDE, A_STRIDE, 2, 0));
        }
        if (!transposedA && height > 3) {
            code.add(LOWER, A);
        }
        rounds(height, linesAhead, transposedA);
        rest(height, transposedA);
        tileOfMemory(height, C, C_STRIDE, true);
        advance(S, S_STRIDE, height);
        advance(C, C_STRIDE, height);
        if (transposedA) {
            code.add(A, height * Float.BYTES);
        } else {
            code.imul(LEFT, A_STRIDE, height);
            code.add(A, LEFT);
        }
        count(TILES);
        code.jnz(tile);
        code.vzeroupper();
        for (int i = KEPT.length - 1; i >= 0; i--) {
            code.pop(KEPT[i]);
        }
        code.ret();
        return start;
    }

    private void addArgument(Register to, int argument) {
        code.movArgument(LEFT, argument);
        code.add(to, LEFT);
    }

    /// One less of an argument; remembers what that makes.
    private void count(int argument) {
        code.movArgument(LEFT, argument);
        code.dec(LEFT);
        code.movToArgument(argument, LEFT);
    }

    private void advance(Register rows, int strideArgument, int height) {
        code.movArgument(STRIDE, strideArgument);
        code.imul(STRIDE, STRIDE, height);
        code.add(rows, STRIDE);
    }

    /// Once enough tiles have fetched, the others ask for what is there.
    private void stopFetching() {
        count(TILES_AHEAD);
        Jump goOn = code.jg();
        code.mov(NEXT, B);
        code.land(goOn);
    }

    /// Loads the tile of sums, or stores it.
    private void tileOfMemory(int height, Register rows, int strideArgument, boolean store) {
        code.movArgument(STRIDE, strideArgument);
        if (height > 3) {
            code.lea(LOWER_ROWS, new Address(STRIDE, STRIDE, 2, 0));
            code.add(LOWER_ROWS, rows);
        }
        for (int row = 0; row < height; row++) {
            for (int half = 0; half < 2; half++) {
                Address at = new Address(row < 3 ? rows : LOWER_ROWS, STRIDE, row % 3, half * VECTOR);
                if (store) {
                    code.vmovups(at, sum(row, half));
                } else {
                    code.vmovups(sum(row, half), at);
                }
            }
        }
    }

    /// Where the next tile of C will be loaded from or stored to: rows far apart, which the processor does not foresee.
    private void fetchNextTile(int height) {
        code.movArgument(STRIDE, C_STRIDE);
        code.imul(LOWER_ROWS, STRIDE, height);
        code.add(LOWER_ROWS, C);
        for (int row = 0; row < height; row++) {
            code.prefetcht0(LOWER_ROWS, 0);
            code.add(LOWER_ROWS, STRIDE);
        }
    }

    private static Ymm sum(int row, int half) {
        return new Ymm(2 * row + half);
    }

    private void rounds(int height, int linesAhead, boolean transposedA) {
        code.movArgument(LEFT, ROUNDS);
        code.add(LEFT, 0);
        Jump none = code.jz();
        code.align(LINE / 2);
        Label round = code.here();
        for (int step = 0; step < STEPS; step++) {
            step(height, step, transposedA);
            if (linesAhead > 0 && step % (STEPS / linesAhead) == 0) {
                code.prefetcht1(NEXT, step / (STEPS / linesAhead) * LINE);
            }
        }
        if (linesAhead > 0) {
            code.add(NEXT, linesAhead * LINE);
        }
        code.add(WEIGHTS, STEPS * COLUMNS * Float.BYTES);
        if (transposedA) {
            code.lea(UPPER, new Address(UPPER, A_STRIDE, STEPS, 0));
        } else {
            code.add(UPPER, STEPS * Float.BYTES);
            code.add(LOWER, STEPS * Float.BYTES);
        }
        code.dec(LEFT);
        code.jnz(round);
        code.land(none);
    }

    private void rest(int height, boolean transposedA) {
        code.movArgument(LEFT, REST);
        code.add(LEFT, 0);
        Jump none = code.jz();
        Label next = code.here();
        step(height, 0, transposedA);
        code.add(WEIGHTS, COLUMNS * Float.BYTES);
        if (transposedA) {
            code.add(UPPER, A_STRIDE);
        } else {
            code.add(UPPER, Float.BYTES);
            code.add(LOWER, Float.BYTES);
        }
        code.dec(LEFT);
        code.jnz(next);
        code.land(none);
    }

    private void step(int height, int step, boolean transposedA) {
        int at = step * COLUMNS * Float.BYTES;
        code.vmovups(LEFT_COLUMNS, new Address(WEIGHTS, at));
        code.vmovups(RIGHT_COLUMNS, new Address(WEIGHTS, at + VECTOR));
        for (int row = 0; row < height; row++) {
            code.vbroadcastss(VALUE, transposedA ? valueOfColumn(row, step) : valueOfRow(row, step));
            code.vfmadd231ps(sum(row, 0), LEFT_COLUMNS, VALUE);
            code.vfmadd231ps(sum(row, 1), RIGHT_COLUMNS, VALUE);
        }
    }

    private static Address valueOfRow(int row, int step) {
        return new Address(row < 3 ? UPPER : LOWER, A_STRIDE, row % 3, step * Float.BYTES);
    }

    private static Address valueOfColumn(int row, int step) {
        return step < 3
                ? new Address(UPPER, A_STRIDE, step, row * Float.BYTES)
                : new Address(UPPER, LOWER, 1, row * Float.BYTES);
    }
}
