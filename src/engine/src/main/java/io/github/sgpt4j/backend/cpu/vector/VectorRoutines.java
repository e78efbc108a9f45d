package io.github.sgpt4j.backend.cpu.vector;

import io.github.sgpt4j.backend.cpu.code.Assembler;
import io.github.sgpt4j.backend.cpu.code.Assembler.Address;
import io.github.sgpt4j.backend.cpu.code.Assembler.Jump;
import io.github.sgpt4j.backend.cpu.code.Assembler.Label;
import io.github.sgpt4j.backend.cpu.code.Assembler.Register;
import io.github.sgpt4j.backend.cpu.code.Assembler.Vector;

/// The machine code of matrix products on a [VectorUnit]: `C = S + A · B` with as many columns as two
/// vectors have, a tile of up to [VectorUnit#tileRows] rows of C at a time in registers. Two more hold
/// a row of B, one a value of A that is multiplied with it. Sums start with S and go through the depth
/// in order, each product added with one rounding, as in [io.github.sgpt4j.backend.cpu.kernel.Tiles].
///
/// The compiler of the virtual machine has the same registers, but needs some of its general ones for
/// itself and for checks of bounds, and with 16 of each this loop leaves none to spare. Here A is also
/// read where it lies, without packing it, and the weights that come next are fetched from memory while
/// these are multiplied: where few rows meet many weights, that hides most of the time that fetching
/// takes (1.4 to 1.6 times as fast with AVX2 and 16 rows).
final class VectorRoutines {
    /// Steps through the depth that are written out in the loop.
    static final int STEPS = 4;

    private static final int LINE = 64;

    /// Rows of a tile that one register reaches, with the distance between rows times 0, 1 and 2.
    private static final int REACH = 3;

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
    /// Some rows of S or C.
    private static final Register ROWS = Register.R10;
    /// Rows of A, [#REACH] of them from each; of the transposed form, the row of a step and three times
    /// the stride.
    private static final Register[] A_ROWS = {Register.R12, Register.R13, Register.RBX, Register.R15};

    private static final Register A_STEP = A_ROWS[0];
    private static final Register A_STRIDES = A_ROWS[1];

    private static final Register WEIGHTS = Register.R14;

    private static final Register[] KEPT = {Register.RBX, Register.R12, Register.R13, Register.R14, Register.R15};

    private final VectorUnit unit;
    private final int mostRows;
    private final int rowBytes;
    private final Vector leftColumns;
    private final Vector rightColumns;
    private final Vector value;

    private final Assembler code = new Assembler();
    private final int[] fewRows;
    private final int[] manyRows;
    private final int[] transposed;

    VectorRoutines(VectorUnit unit) {
        this.unit = unit;
        mostRows = unit.tileRows();
        rowBytes = unit.tileColumns() * Float.BYTES;
        leftColumns = unit.register(2 * mostRows);
        rightColumns = unit.register(2 * mostRows + 1);
        value = unit.register(2 * mostRows + 2);
        fewRows = new int[mostRows + 1];
        manyRows = new int[mostRows + 1];
        transposed = new int[mostRows + 1];
        for (int height = 1; height <= mostRows; height++) {
            fewRows[height] = write(height, linesAhead(unit), false);
            manyRows[height] = write(height, linesAhead(unit) / 2, false);
            transposed[height] = write(height, 0, true);
        }
    }

    /// Cache lines of B that [#fewRows] fetches ahead in each round of the loop: as many as a round
    /// reads, so that all that comes next is there after one tile. [#manyRows] fetches half as many.
    private static int linesAhead(VectorUnit unit) {
        return STEPS * unit.tileColumns() * Float.BYTES / LINE;
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
    /// contiguous, rows of S and C have [VectorUnit#tileColumns] floats, and so has B for each step
    /// through the depth. The depth is [#STEPS] times `rounds` plus `rest`. Tiles, at least one, follow
    /// each other in A, S and C. S may be C.
    ///
    /// The first `tilesAhead` − 1 tiles fetch what lies `nextOffset` bytes after B into the
    /// second-level cache. Reaching past the end of memory with that does no harm.
    int fewRows(int height) {
        return fewRows[height];
    }

    /// Bytes that a tile of [#manyRows] fetches ahead in [#STEPS] steps.
    static long fetchedAhead(VectorUnit unit) {
        return (long) linesAhead(unit) / 2 * LINE;
    }

    /// The same for more than one tile.
    int manyRows(int height) {
        return manyRows[height];
    }

    /// The same with A transposed: its columns are contiguous, and the stride is that from a step
    /// through the depth to the next. Nothing is fetched ahead.
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
        code.mov(WEIGHTS, B);
        pointAtRows(height, transposedA);
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

    private void pointAtRows(int height, boolean transposedA) {
        code.mov(A_STEP, A);
        if (transposedA) {
            code.lea(A_STRIDES, new Address(A_STRIDE, A_STRIDE, 2, 0));
            return;
        }
        for (int i = 1; i * REACH < height; i++) {
            code.lea(A_ROWS[i], new Address(A_ROWS[i - 1], A_STRIDE, 2, 0));
            code.add(A_ROWS[i], A_STRIDE);
        }
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
        Register near = rows;
        for (int row = 0; row < height; row++) {
            if (row > 0 && row % REACH == 0) {
                code.lea(ROWS, new Address(near, STRIDE, 2, 0));
                code.add(ROWS, STRIDE);
                near = ROWS;
            }
            for (int half = 0; half < 2; half++) {
                Address at = new Address(near, STRIDE, row % REACH, half * unit.vectorBytes());
                if (store) {
                    code.vmovups(at, sum(row, half));
                } else {
                    code.vmovups(sum(row, half), at);
                }
            }
        }
    }

    /// Where the next tile of C will be loaded from or stored to: rows far apart, which the processor
    /// does not foresee.
    private void fetchNextTile(int height) {
        code.movArgument(STRIDE, C_STRIDE);
        code.imul(ROWS, STRIDE, height);
        code.add(ROWS, C);
        for (int row = 0; row < height; row++) {
            for (int at = 0; at < rowBytes; at += LINE) {
                code.prefetcht0(ROWS, at);
            }
            code.add(ROWS, STRIDE);
        }
    }

    private Vector sum(int row, int half) {
        return unit.register(2 * row + half);
    }

    private void rounds(int height, int linesAhead, boolean transposedA) {
        code.movArgument(LEFT, ROUNDS);
        code.add(LEFT, 0);
        Jump none = code.jz();
        code.align(LINE / 2);
        Label round = code.here();
        int fetched = 0;
        for (int step = 0; step < STEPS; step++) {
            step(height, step, transposedA);
            for (; fetched * STEPS < (step + 1) * linesAhead; fetched++) {
                code.prefetcht1(NEXT, fetched * LINE);
            }
        }
        if (linesAhead > 0) {
            code.add(NEXT, linesAhead * LINE);
        }
        advance(height, STEPS, transposedA);
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
        advance(height, 1, transposedA);
        code.dec(LEFT);
        code.jnz(next);
        code.land(none);
    }

    /// Goes on by some steps through the depth.
    private void advance(int height, int steps, boolean transposedA) {
        code.add(WEIGHTS, steps * rowBytes);
        if (transposedA) {
            code.lea(A_STEP, new Address(A_STEP, A_STRIDE, steps, 0));
            return;
        }
        for (int i = 0; i * REACH < height; i++) {
            code.add(A_ROWS[i], steps * Float.BYTES);
        }
    }

    private void step(int height, int step, boolean transposedA) {
        int at = step * rowBytes;
        code.vmovups(leftColumns, new Address(WEIGHTS, at));
        code.vmovups(rightColumns, new Address(WEIGHTS, at + unit.vectorBytes()));
        for (int row = 0; row < height; row++) {
            code.vbroadcastss(value, transposedA ? valueOfColumn(row, step) : valueOfRow(row, step));
            code.vfmadd231ps(sum(row, 0), leftColumns, value);
            code.vfmadd231ps(sum(row, 1), rightColumns, value);
        }
    }

    private static Address valueOfRow(int row, int step) {
        return new Address(A_ROWS[row / REACH], A_STRIDE, row % REACH, step * Float.BYTES);
    }

    private static Address valueOfColumn(int row, int step) {
        return step < REACH
                ? new Address(A_STEP, A_STRIDE, step, row * Float.BYTES)
                : new Address(A_STEP, A_STRIDES, 1, row * Float.BYTES);
    }
}
