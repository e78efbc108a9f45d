package io.github.sgpt4j.backend.cpu.vector;

import io.github.sgpt4j.backend.cpu.code.Assembler;
import io.github.sgpt4j.backend.cpu.code.Assembler.Address;
import io.github.sgpt4j.backend.cpu.code.Assembler.Jump;
import io.github.sgpt4j.backend.cpu.code.Assembler.Label;
import io.github.sgpt4j.backend.cpu.code.Assembler.Register;
import io.github.sgpt4j.backend.cpu.code.Assembler.Vector;

/// The machine code of matrix products on a [VectorUnit]: `C = S + A · B` with as many columns as
/// two vectors have, a tile of up to [VectorUnit#tileRows] rows of C at a time in registers. Two
/// more registers hold a row of B, and one a value of A to multiply it with. Sums start with S and
/// go through the depth in order, each product added with one rounding, as in
/// [io.github.sgpt4j.backend.cpu.kernel.Tiles].
///
/// The virtual machine's compiler has the same registers, but needs some general ones for itself
/// and for bounds checks, and with 16 of each kind this loop leaves none to spare. This code also
/// reads A in place, without packing it, and prefetches the next weights while it multiplies the
/// current ones: with few rows and many weights, that hides most of the memory latency (1.4 to 1.6
/// times as fast with AVX2 and 16 rows).
final class VectorRoutines {
    /// Steps through the depth that the loop unrolls.
    static final int STEPS = 4;

    private static final int LINE = 64;

    /// Rows of a tile that one base register reaches, with the stride times 0, 1 and 2.
    private static final int REACH = 3;

    // Pointers, in the order of the System V calling convention, then the first two integers:
    // offsets of A and B. Once these are added, their registers hold A's stride and the address to
    // prefetch.
    private static final Register A = Register.RDI;
    private static final Register B = Register.RSI;
    private static final Register S = Register.RDX;
    private static final Register C = Register.RCX;
    private static final Register A_STRIDE = Register.R8;
    private static final Register NEXT = Register.R9;

    // The other integers are on the stack.
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

    // Progress of the loop.
    private static final Register LEFT = Register.RAX;
    private static final Register STRIDE = Register.RAX;
    /// Some rows of S or C.
    private static final Register ROWS = Register.R10;
    /// Rows of A, [#REACH] of them from each register; in the transposed form, the row of a step
    /// and three times the stride.
    private static final Register[] A_ROWS = {Register.R12, Register.R13, Register.RBX, Register.R15};

    private static final Register A_STEP = A_ROWS[0];
    private static final Register A_STRIDES = A_ROWS[1];

    private static final Register WEIGHTS = Register.R14;

    private static final Register[] KEPT = {Register.RBX, Register.R12, Register.R13, Register.R14, Register.R15};

    private final VectorUnit unit;
    private final int maxRows;
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
        maxRows = unit.tileRows();
        rowBytes = unit.tileColumns() * Float.BYTES;
        leftColumns = unit.register(2 * maxRows);
        rightColumns = unit.register(2 * maxRows + 1);
        value = unit.register(2 * maxRows + 2);
        fewRows = new int[maxRows + 1];
        manyRows = new int[maxRows + 1];
        transposed = new int[maxRows + 1];
        for (int height = 1; height <= maxRows; height++) {
            fewRows[height] = write(height, linesAhead(unit), false);
            manyRows[height] = write(height, linesAhead(unit) / 2, false);
            transposed[height] = write(height, 0, true);
        }
    }

    /// Cache lines of B that [#fewRows] prefetches in each iteration of the loop: as many as an
    /// iteration reads, so that the whole next part is there after one tile. [#manyRows] prefetches
    /// half as many.
    private static int linesAhead(VectorUnit unit) {
        return STEPS * unit.tileColumns() * Float.BYTES / LINE;
    }

    byte[] code() {
        return code.code();
    }

    /// Start of the function for tiles of `height` rows that prefetches during one tile:
    ///
    /// ```
    /// void f(char *a, char *b, char *s, char *c, long aOffset, long bOffset, long sOffset, long cOffset,
    ///        long aStride, long sStride, long cStride, long rounds, long rest, long tiles, long nextOffset,
    ///        long tilesAhead)
    /// ```
    ///
    /// Pointers and offsets are added. Strides are the bytes from one row to the next: rows of A
    /// are contiguous, rows of S and C have [VectorUnit#tileColumns] floats, and so has B for each
    /// step through the depth. The depth is [#STEPS] times `rounds` plus `rest`. Tiles, at least
    /// one, are contiguous in A, S and C. S may be C.
    ///
    /// The first `tilesAhead` − 1 tiles prefetch the memory `nextOffset` bytes after B into the
    /// second-level cache. Prefetching past the end of memory does no harm.
    int fewRows(int height) {
        return fewRows[height];
    }

    /// Bytes that a tile of [#manyRows] prefetches in [#STEPS] steps.
    static long fetchedAhead(VectorUnit unit) {
        return (long) linesAhead(unit) / 2 * LINE;
    }

    /// The same for more than one tile.
    int manyRows(int height) {
        return manyRows[height];
    }

    /// The same with A transposed: its columns are contiguous, and the stride is from one step
    /// through the depth to the next. Nothing is prefetched.
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
            stopPrefetching();
        }
        tileOfMemory(height, S, S_STRIDE, false);
        if (!transposedA) {
            prefetchNextTile(height);
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
        decrement(TILES);
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

    /// Decrements an argument on the stack and sets the flags.
    private void decrement(int argument) {
        code.movArgument(LEFT, argument);
        code.dec(LEFT);
        code.movToArgument(argument, LEFT);
    }

    private void advance(Register rows, int strideArgument, int height) {
        code.movArgument(STRIDE, strideArgument);
        code.imul(STRIDE, STRIDE, height);
        code.add(rows, STRIDE);
    }

    /// Once enough tiles have prefetched, the others prefetch what is in the cache already.
    private void stopPrefetching() {
        decrement(TILES_AHEAD);
        Jump continues = code.jg();
        code.mov(NEXT, B);
        code.land(continues);
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

    /// Prefetches the next tile of C: its rows are far apart, so the hardware does not prefetch
    /// them.
    private void prefetchNextTile(int height) {
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

    /// Advances by some steps through the depth.
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
