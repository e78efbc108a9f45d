package io.github.sgpt4j.backend.cpu.amx;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.Map;

/// Writes the few x86-64 instructions that [TileRoutines] are made of. Names and operand order are those
/// of Intel's Software Developer's Manual, volume 2, which also says what each does; encodings are its
/// chapters 2.1 (REX), 2.3 (VEX) and 2.7 (EVEX).
///
/// Vector registers are `zmm0` to `zmm7`, tiles `tmm0` to `tmm7`, given by their numbers.
final class Assembler {
    /// General registers, in the order of their numbers.
    enum Register {
        RAX,
        RCX,
        RDX,
        RBX,
        RSP,
        RBP,
        RSI,
        RDI,
        R8,
        R9,
        R10,
        R11;

        /// What goes into the three bits of an operand.
        private int low() {
            return ordinal() & 7;
        }

        /// What goes into the bit of a prefix.
        private int high() {
            return ordinal() >> 3;
        }
    }

    /// A place in the code that has been written.
    record Label(int at) {}

    /// A jump whose target has not been written yet.
    record Jump(int offset) {}

    // Opcode maps.
    private static final int MAP_0F = 1;
    private static final int MAP_0F38 = 2;

    // Prefixes that are part of an opcode.
    private static final int NONE = 0;
    private static final int P66 = 1;
    private static final int PF3 = 2;
    private static final int PF2 = 3;

    /// What a mask leaves out becomes zero.
    private static final int ZEROING = 0x80;

    private final ByteArrayOutputStream code = new ByteArrayOutputStream();
    private final Map<Jump, Label> landings = new LinkedHashMap<>();
    private int pushed;

    byte[] code() {
        ByteBuffer bytes = ByteBuffer.wrap(code.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
        landings.forEach((jump, target) -> bytes.putInt(jump.offset, target.at - (jump.offset + Integer.BYTES)));
        return bytes.array();
    }

    int size() {
        return code.size();
    }

    Label here() {
        return new Label(code.size());
    }

    /// Fills up with instructions that do nothing to a multiple of `bytes`.
    void align(int bytes) {
        while (code.size() % bytes != 0) {
            code.write(0x90);
        }
    }

    /// `to = value`; the upper half becomes zero.
    void mov(Register to, int value) {
        if (to.high() != 0) {
            code.write(0x41);
        }
        code.write(0xB8 + to.low());
        int32(value);
    }

    /// `to = from`.
    void mov(Register to, Register from) {
        rex(from, to);
        bytes(0x89, modRm(3, from.low(), to.low()));
    }

    /// `to =` argument `index` of those that a function finds on the stack, counted from 0.
    void movArgument(Register to, int index) {
        rex(to, Register.RSP);
        bytes(0x8B, modRm(1, to.low(), 4), 0x24, pushed + 8 + 8 * index);
    }

    /// The reverse of [#movArgument].
    void movToArgument(int index, Register from) {
        rex(from, Register.RSP);
        bytes(0x89, modRm(1, from.low(), 4), 0x24, pushed + 8 + 8 * index);
    }

    /// Keeps one of the first eight registers on the stack.
    void push(Register register) {
        code.write(0x50 + register.ordinal());
        pushed += 8;
    }

    /// The reverse of [#push].
    void pop(Register register) {
        code.write(0x58 + register.ordinal());
        pushed -= 8;
    }

    /// `to += from`.
    void add(Register to, Register from) {
        rex(from, to);
        bytes(0x01, modRm(3, from.low(), to.low()));
    }

    /// `to += value`.
    void add(Register to, int value) {
        rex(Register.RAX, to);
        bytes(0x81, modRm(3, 0, to.low()));
        int32(value);
    }

    /// `to -= 1`, and remembers whether that makes zero.
    void dec(Register to) {
        rex(Register.RAX, to);
        bytes(0xFF, modRm(3, 1, to.low()));
    }

    /// Goes back to `target` unless the last result was zero.
    void jnz(Label target) {
        bytes(0x0F, 0x85);
        int32(target.at - (code.size() + 4));
    }

    /// Goes forward, to where the jump lands, if the last result was zero.
    Jump jz() {
        bytes(0x0F, 0x84);
        return jump();
    }

    /// Goes forward, to where the jump lands.
    Jump jmp() {
        code.write(0xE9);
        return jump();
    }

    private Jump jump() {
        Jump jump = new Jump(code.size());
        int32(0);
        return jump;
    }

    /// Where a jump goes.
    void land(Jump jump) {
        landings.put(jump, here());
    }

    void ret() {
        code.write(0xC3);
    }

    /// Fetches the cache line at `base + offset` into the second-level cache.
    void prefetcht1(Register base, int offset) {
        if (base.high() != 0) {
            code.write(0x41);
        }
        bytes(0x0F, 0x18);
        memory(2, base, offset);
    }

    /// Ends the use of wide registers: without it, later instructions on narrow ones are slow.
    void vzeroupper() {
        bytes(0xC5, 0xF8, 0x77);
    }

    /// Takes the shapes of the tiles from the 64 bytes at `base`.
    void ldtilecfg(Register base) {
        vex(0, NONE, base, 0);
        code.write(0x49);
        memory(0, base, 0);
    }

    /// Empties the tiles.
    void tilerelease() {
        vex(0, NONE, Register.RAX, 0);
        bytes(0x49, 0xC0);
    }

    /// `tile = 0`.
    void tilezero(int tile) {
        vex(0, PF2, Register.RAX, 0);
        bytes(0x49, modRm(3, tile, 0));
    }

    /// Loads a tile whose rows lie `stride` bytes apart, the first at `base + offset`.
    void tileloadd(int tile, Register base, Register stride, int offset) {
        tileMemory(PF2, tile, base, stride, offset);
    }

    /// The reverse of [#tileloadd].
    void tilestored(Register base, Register stride, int offset, int tile) {
        tileMemory(PF3, tile, base, stride, offset);
    }

    private void tileMemory(int prefix, int tile, Register base, Register stride, int offset) {
        vex(stride.high(), prefix, base, 0);
        bytes(0x4B, modRm(2, tile, 4), stride.low() << 3 | base.low());
        int32(offset);
    }

    /// `c += a · b` of signed bytes: `c(m, n) += Σ_k Σ_i a(m, 4k + i) · b(k, 4n + i)`, `i` from 0 to 3.
    void tdpbssd(int c, int a, int b) {
        vex(0, PF2, Register.RAX, b);
        bytes(0x5E, modRm(3, c, a));
    }

    /// `to = 16 floats at base + offset`.
    void vmovups(int to, Register base, int offset) {
        withMemory(MAP_0F, NONE, 0x10, to, base, offset);
    }

    /// `16 floats at base + offset = from`.
    void vmovups(Register base, int offset, int from) {
        withMemory(MAP_0F, NONE, 0x11, from, base, offset);
    }

    /// `to = from` where the mask has a bit, 0 elsewhere.
    void vmovups(int to, int mask, int from) {
        evex(MAP_0F, NONE, Register.RAX, 0, ZEROING | mask);
        bytes(0x10, modRm(3, to, from));
    }

    /// The mask has a bit where `a` compares with `b` as the predicate says.
    void vcmpps(int mask, int a, int predicate, int b) {
        ofVectors(MAP_0F, NONE, 0xC2, mask, a, b);
        code.write(predicate);
    }

    /// Remembers whether neither of two masks has a bit among its first 16, as that makes zero.
    void kortestw(int a, int b) {
        bytes(0xC5, 0xF8, 0x98, modRm(3, a, b));
    }

    /// `to = 16 integers at base + offset` as floats.
    void vcvtdq2ps(int to, Register base, int offset) {
        withMemory(MAP_0F, NONE, 0x5B, to, base, offset);
    }

    /// `to = from` as integers, to the nearest.
    void vcvtps2dq(int to, int from) {
        ofVectors(MAP_0F, P66, 0x5B, to, 0, from);
    }

    /// Every element of `to` becomes the float at `base + offset`.
    void vbroadcastss(int to, Register base, int offset) {
        withMemory(MAP_0F38, P66, 0x18, to, base, offset);
    }

    /// Every element of `to` becomes the lower half of `from`.
    void vpbroadcastd(int to, Register from) {
        evex(MAP_0F38, P66, from, 0);
        bytes(0x7C, modRm(3, to, from.low()));
    }

    /// `to = from >>> bits`.
    void vpsrld(int to, int from, int bits) {
        shift(2, to, from, bits);
    }

    /// `to = from >> bits`, signed.
    void vpsrad(int to, int from, int bits) {
        shift(4, to, from, bits);
    }

    /// `to = from << bits`.
    void vpslld(int to, int from, int bits) {
        shift(6, to, from, bits);
    }

    /// `to = a + b` of integers.
    void vpaddd(int to, int a, int b) {
        ofVectors(MAP_0F, P66, 0xFE, to, a, b);
    }

    /// `to =` the larger of `a` and `b`, signed integers.
    void vpmaxsd(int to, int a, int b) {
        ofVectors(MAP_0F38, P66, 0x3D, to, a, b);
    }

    /// `to = a & b`.
    void vpandd(int to, int a, int b) {
        ofVectors(MAP_0F, P66, 0xDB, to, a, b);
    }

    /// `to = a | b`.
    void vpord(int to, int a, int b) {
        ofVectors(MAP_0F, P66, 0xEB, to, a, b);
    }

    /// `to = a + b`.
    void vaddps(int to, int a, int b) {
        ofVectors(MAP_0F, NONE, 0x58, to, a, b);
    }

    /// `to = a · 2^⌊b⌋`.
    void vscalefps(int to, int a, int b) {
        ofVectors(MAP_0F38, P66, 0x2C, to, a, b);
    }

    /// `to = a · to + b`, rounded once.
    void vfmadd213ps(int to, int a, int b) {
        ofVectors(MAP_0F38, P66, 0xA8, to, a, b);
    }

    /// `to = a · b + to`, rounded once.
    void vfmadd231ps(int to, int a, int b) {
        ofVectors(MAP_0F38, P66, 0xB8, to, a, b);
    }

    private void withMemory(int map, int prefix, int opcode, int vector, Register base, int offset) {
        evex(map, prefix, base, 0);
        code.write(opcode);
        memory(vector, base, offset);
    }

    private void ofVectors(int map, int prefix, int opcode, int to, int a, int b) {
        evex(map, prefix, Register.RAX, a);
        bytes(opcode, modRm(3, to, b));
    }

    /// Shifts of integers by a constant differ in what stands for an operand.
    private void shift(int kind, int to, int from, int bits) {
        ofVectors(MAP_0F, P66, 0x72, kind, to, from);
        code.write(bits);
    }

    /// 64-bit operands, and the fourth bits of their numbers.
    private void rex(Register reg, Register rm) {
        code.write(0x48 | reg.high() << 2 | rm.high());
    }

    /// Three-byte form, map 0F38, 128 bits; fields of one bit are stored inverted.
    private void vex(int index, int prefix, Register rm, int second) {
        bytes(0xC4, 0x80 | (1 - index) << 6 | (1 - rm.high()) << 5 | MAP_0F38, (~second & 15) << 3 | prefix);
    }

    private void evex(int map, int prefix, Register rm, int second) {
        evex(map, prefix, rm, second, 0);
    }

    /// 512 bits; fields of one bit are stored inverted.
    private void evex(int map, int prefix, Register rm, int second, int mask) {
        bytes(0x62, 0xD0 | (1 - rm.high()) << 5 | map, (~second & 15) << 3 | 4 | prefix, 0x48 | mask);
    }

    private static int modRm(int mode, int reg, int rm) {
        return mode << 6 | reg << 3 | rm;
    }

    /// The operands `reg` and `[base + offset]`.
    private void memory(int reg, Register base, int offset) {
        if (base.low() == 4) {
            throw new IllegalArgumentException("base " + base);
        }
        code.write(modRm(2, reg, base.low()));
        int32(offset);
    }

    private void bytes(int... values) {
        for (int value : values) {
            code.write(value);
        }
    }

    private void int32(int value) {
        bytes(value, value >> 8, value >> 16, value >> 24);
    }
}
