package io.github.sgpt4j.backend.cpu.code;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/// Writes the few x86-64 instructions that the engine's machine code is made of. Names and operand order are
/// those of Intel's Software Developer's Manual, volume 2, which also says what each does; encodings are its
/// chapters 2.1 (REX), 2.3 (VEX) and 2.7 (EVEX).
///
/// Vector registers are [Vector]s or, for instructions with 512 bits only, the numbers of `zmm0` to
/// `zmm7`. Tiles, `tmm0` to `tmm7`, are given by their numbers.
public final class Assembler {
    /// General registers, in the order of their numbers.
    public enum Register {
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
        R11,
        R12,
        R13,
        R14,
        R15;

        /// The low three bits of the number, for an operand.
        private int low() {
            return ordinal() & 7;
        }

        /// The fourth bit of the number, for a prefix.
        private int high() {
            return ordinal() >> 3;
        }
    }

    /// A position in the code written so far.
    public record Label(int at) {}

    /// A jump whose target has not been written yet.
    public record Jump(int offset) {}

    /// A vector register.
    ///
    /// @param bits 256 for `ymm0` to `ymm15`, or 512 for `zmm0` to `zmm31`
    public record Vector(int number, int bits) {
        public Vector {
            if (bits != 256 && bits != 512) {
                throw new IllegalArgumentException(bits + " bits");
            }
            Objects.checkIndex(number, bits / 16);
        }

        private int bytes() {
            return bits / Byte.SIZE;
        }

        private int low() {
            return number & 7;
        }

        /// The fourth bit of the number, for a prefix.
        private int high() {
            return number >> 3 & 1;
        }

        /// The fifth bit of the number, for prefixes that address 32 registers.
        private int highest() {
            return number >> 4;
        }
    }

    /// The address `base + index · scale + offset`.
    ///
    /// @param index not [Register#RSP]; without effect if the scale is 0
    /// @param scale 0, 1, 2, 4 or 8
    public record Address(Register base, Register index, int scale, int offset) {
        public Address {
            if (scale != 0 && (index == Register.RSP || Integer.bitCount(scale) != 1 || scale > 8)) {
                throw new IllegalArgumentException("index %s times %d".formatted(index, scale));
            }
        }

        /// `base + offset`.
        public Address(Register base, int offset) {
            this(base, base, 0, offset);
        }
    }

    // Opcode maps.
    private static final int MAP_0F = 1;
    private static final int MAP_0F38 = 2;

    // Prefixes that are part of an opcode.
    private static final int NONE = 0;
    private static final int P66 = 1;
    private static final int PF3 = 2;
    private static final int PF2 = 3;

    /// Elements outside the mask become zero.
    private static final int ZEROING = 0x80;

    private final ByteArrayOutputStream code = new ByteArrayOutputStream();
    private final Map<Jump, Label> landings = new LinkedHashMap<>();
    private int pushed;

    public byte[] code() {
        ByteBuffer bytes = ByteBuffer.wrap(code.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
        landings.forEach((jump, target) -> bytes.putInt(jump.offset, target.at - (jump.offset + Integer.BYTES)));
        return bytes.array();
    }

    public int size() {
        return code.size();
    }

    public Label here() {
        return new Label(code.size());
    }

    /// Pads the code with no-ops to a multiple of `bytes`.
    public void align(int bytes) {
        while (code.size() % bytes != 0) {
            code.write(0x90);
        }
    }

    /// `to = value`; the upper half becomes zero.
    public void mov(Register to, int value) {
        withHighBit(to);
        code.write(0xB8 + to.low());
        int32(value);
    }

    /// `to = from`.
    public void mov(Register to, Register from) {
        rex(from, to);
        bytes(0x89, modRm(3, from.low(), to.low()));
    }

    /// `to =` stack argument `index` of the function, counted from 0.
    public void movArgument(Register to, int index) {
        rex(to, Register.RSP);
        code.write(0x8B);
        argument(to, index);
    }

    /// The reverse of [#movArgument].
    public void movToArgument(int index, Register from) {
        rex(from, Register.RSP);
        code.write(0x89);
        argument(from, index);
    }

    private void argument(Register register, int index) {
        int offset = pushed + 8 + 8 * index;
        if (offset <= Byte.MAX_VALUE) {
            bytes(modRm(1, register.low(), 4), 0x24, offset);
        } else {
            bytes(modRm(2, register.low(), 4), 0x24);
            int32(offset);
        }
    }

    /// Pushes a register onto the stack.
    public void push(Register register) {
        withHighBit(register);
        code.write(0x50 + register.low());
        pushed += 8;
    }

    /// The reverse of [#push].
    public void pop(Register register) {
        withHighBit(register);
        code.write(0x58 + register.low());
        pushed -= 8;
    }

    /// The prefix that instructions without other prefixes need for the upper eight registers.
    private void withHighBit(Register register) {
        if (register.high() != 0) {
            code.write(0x41);
        }
    }

    /// `to += from`.
    public void add(Register to, Register from) {
        rex(from, to);
        bytes(0x01, modRm(3, from.low(), to.low()));
    }

    /// `to += value`.
    public void add(Register to, int value) {
        rex(Register.RAX, to);
        bytes(0x81, modRm(3, 0, to.low()));
        int32(value);
    }

    /// `to -= 1`; sets the flags.
    public void dec(Register to) {
        rex(Register.RAX, to);
        bytes(0xFF, modRm(3, 1, to.low()));
    }

    /// `to = from · value`.
    public void imul(Register to, Register from, int value) {
        rex(to, from);
        bytes(0x69, modRm(3, to.low(), from.low()));
        int32(value);
    }

    /// `to =` the address.
    public void lea(Register to, Address address) {
        int index = address.scale == 0 ? 0 : address.index.high();
        code.write(0x48 | to.high() << 2 | index << 1 | address.base.high());
        code.write(0x8D);
        operand(to.low(), address, 1);
    }

    /// Jumps back to `target` unless the last result was zero.
    public void jnz(Label target) {
        bytes(0x0F, 0x85);
        int32(target.at - (code.size() + 4));
    }

    /// Jumps forward, to where the jump lands, if the last result was zero.
    public Jump jz() {
        bytes(0x0F, 0x84);
        return jump();
    }

    /// Jumps forward, to where the jump lands, if the last result was greater than zero.
    public Jump jg() {
        bytes(0x0F, 0x8F);
        return jump();
    }

    /// Jumps forward, to where the jump lands.
    public Jump jmp() {
        code.write(0xE9);
        return jump();
    }

    private Jump jump() {
        Jump jump = new Jump(code.size());
        int32(0);
        return jump;
    }

    /// Sets the target of a jump to the current position.
    public void land(Jump jump) {
        landings.put(jump, here());
    }

    public void ret() {
        code.write(0xC3);
    }

    /// Prefetches the cache line at `base + offset` into the first-level cache.
    public void prefetcht0(Register base, int offset) {
        prefetch(1, base, offset);
    }

    /// Prefetches the cache line at `base + offset` into the second-level cache.
    public void prefetcht1(Register base, int offset) {
        prefetch(2, base, offset);
    }

    private void prefetch(int hint, Register base, int offset) {
        withHighBit(base);
        bytes(0x0F, 0x18);
        memory(hint, base, offset);
    }

    /// Clears the upper halves of vector registers: without it, later instructions on narrow ones
    /// are slow.
    public void vzeroupper() {
        bytes(0xC5, 0xF8, 0x77);
    }

    /// Loads the shapes of the tiles from the 64 bytes at `base`.
    public void ldtilecfg(Register base) {
        vex(0, NONE, base, 0);
        code.write(0x49);
        memory(0, base, 0);
    }

    /// Releases the tiles.
    public void tilerelease() {
        vex(0, NONE, Register.RAX, 0);
        bytes(0x49, 0xC0);
    }

    /// `tile = 0`.
    public void tilezero(int tile) {
        vex(0, PF2, Register.RAX, 0);
        bytes(0x49, modRm(3, tile, 0));
    }

    /// Loads a tile with rows `stride` bytes apart, the first at `base + offset`.
    public void tileloadd(int tile, Register base, Register stride, int offset) {
        tileMemory(PF2, tile, base, stride, offset);
    }

    /// The reverse of [#tileloadd].
    public void tilestored(Register base, Register stride, int offset, int tile) {
        tileMemory(PF3, tile, base, stride, offset);
    }

    private void tileMemory(int prefix, int tile, Register base, Register stride, int offset) {
        vex(stride.high(), prefix, base, 0);
        bytes(0x4B, modRm(2, tile, 4), stride.low() << 3 | base.low());
        int32(offset);
    }

    /// `c += a · b` of signed bytes: `c(m, n) += Σ_k Σ_i a(m, 4k + i) · b(k, 4n + i)`, `i` from 0 to 3.
    public void tdpbssd(int c, int a, int b) {
        vex(0, PF2, Register.RAX, b);
        bytes(0x5E, modRm(3, c, a));
    }

    /// `to = floats at the address`.
    public void vmovups(Vector to, Address from) {
        ofMemory(MAP_0F, NONE, 0x10, to, from, to.bytes());
    }

    /// `floats at the address = from`.
    public void vmovups(Address to, Vector from) {
        ofMemory(MAP_0F, NONE, 0x11, from, to, from.bytes());
    }

    /// Every element of `to` becomes the float at the address.
    public void vbroadcastss(Vector to, Address from) {
        ofMemory(MAP_0F38, P66, 0x18, to, from, Float.BYTES);
    }

    /// `to = a · b + to`, rounded once.
    public void vfmadd231ps(Vector to, Vector a, Vector b) {
        if (to.bits == 256) {
            bytes(0xC4, (1 - to.high()) << 7 | 0x40 | (1 - b.high()) << 5 | MAP_0F38, (~a.number & 15) << 3 | 4 | P66);
        } else {
            int high = (1 - to.high()) << 7 | (1 - b.highest()) << 6 | (1 - b.high()) << 5 | (1 - to.highest()) << 4;
            bytes(0x62, high | MAP_0F38, (~a.number & 15) << 3 | 4 | P66, 0x40 | (1 - a.highest()) << 3);
        }
        bytes(0xB8, modRm(3, to.low(), b.low()));
    }

    /// Encodes an operand in a register and one in memory; one-bit fields of prefixes are stored
    /// inverted.
    ///
    /// @param unit bytes per unit of a short offset in the form for 512 bits
    private void ofMemory(int map, int prefix, int opcode, Vector reg, Address address, int unit) {
        int index = address.scale == 0 ? 0 : address.index.high();
        int high = (1 - reg.high()) << 7 | (1 - index) << 6 | (1 - address.base.high()) << 5 | map;
        if (reg.bits == 256) {
            bytes(0xC4, high, 0x7C | prefix, opcode);
            operand(reg.low(), address, 1);
        } else {
            bytes(0x62, high | (1 - reg.highest()) << 4, 0x7C | prefix, 0x48, opcode);
            operand(reg.low(), address, unit);
        }
    }

    /// `to = 16 floats at base + offset`.
    public void vmovups(int to, Register base, int offset) {
        withMemory(MAP_0F, NONE, 0x10, to, base, offset);
    }

    /// `16 floats at base + offset = from`.
    public void vmovups(Register base, int offset, int from) {
        withMemory(MAP_0F, NONE, 0x11, from, base, offset);
    }

    /// `to = from` where the mask is set, 0 elsewhere.
    public void vmovups(int to, int mask, int from) {
        evex(MAP_0F, NONE, Register.RAX, 0, ZEROING | mask);
        bytes(0x10, modRm(3, to, from));
    }

    /// Sets the mask where the predicate holds for `a` and `b`.
    public void vcmpps(int mask, int a, int predicate, int b) {
        ofVectors(MAP_0F, NONE, 0xC2, mask, a, b);
        code.write(predicate);
    }

    /// Sets the flags as for zero if neither mask has one of its first 16 bits set.
    public void kortestw(int a, int b) {
        bytes(0xC5, 0xF8, 0x98, modRm(3, a, b));
    }

    /// `to = 16 integers at base + offset` as floats.
    public void vcvtdq2ps(int to, Register base, int offset) {
        withMemory(MAP_0F, NONE, 0x5B, to, base, offset);
    }

    /// `to = from` as integers, to the nearest.
    public void vcvtps2dq(int to, int from) {
        ofVectors(MAP_0F, P66, 0x5B, to, 0, from);
    }

    /// Every element of `to` becomes the float at `base + offset`.
    public void vbroadcastss(int to, Register base, int offset) {
        withMemory(MAP_0F38, P66, 0x18, to, base, offset);
    }

    /// Every element of `to` becomes the lower half of `from`.
    public void vpbroadcastd(int to, Register from) {
        evex(MAP_0F38, P66, from, 0);
        bytes(0x7C, modRm(3, to, from.low()));
    }

    /// `to = from >>> bits`.
    public void vpsrld(int to, int from, int bits) {
        shift(2, to, from, bits);
    }

    /// `to = from >> bits`, signed.
    public void vpsrad(int to, int from, int bits) {
        shift(4, to, from, bits);
    }

    /// `to = from << bits`.
    public void vpslld(int to, int from, int bits) {
        shift(6, to, from, bits);
    }

    /// `to = a + b` of integers.
    public void vpaddd(int to, int a, int b) {
        ofVectors(MAP_0F, P66, 0xFE, to, a, b);
    }

    /// `to =` the larger of `a` and `b`, signed integers.
    public void vpmaxsd(int to, int a, int b) {
        ofVectors(MAP_0F38, P66, 0x3D, to, a, b);
    }

    /// `to = a & b`.
    public void vpandd(int to, int a, int b) {
        ofVectors(MAP_0F, P66, 0xDB, to, a, b);
    }

    /// `to = a | b`.
    public void vpord(int to, int a, int b) {
        ofVectors(MAP_0F, P66, 0xEB, to, a, b);
    }

    /// `to = a + b`.
    public void vaddps(int to, int a, int b) {
        ofVectors(MAP_0F, NONE, 0x58, to, a, b);
    }

    /// `to = a · 2^⌊b⌋`.
    public void vscalefps(int to, int a, int b) {
        ofVectors(MAP_0F38, P66, 0x2C, to, a, b);
    }

    /// `to = a · to + b`, rounded once.
    public void vfmadd213ps(int to, int a, int b) {
        ofVectors(MAP_0F38, P66, 0xA8, to, a, b);
    }

    /// `to = a · b + to`, rounded once.
    public void vfmadd231ps(int to, int a, int b) {
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

    /// Shifts of integers by a constant; `kind` takes the place of an operand.
    private void shift(int kind, int to, int from, int bits) {
        ofVectors(MAP_0F, P66, 0x72, kind, to, from);
        code.write(bits);
    }

    /// The prefix for 64-bit operands, with the fourth bits of their numbers.
    private void rex(Register reg, Register rm) {
        code.write(0x48 | reg.high() << 2 | rm.high());
    }

    /// The three-byte VEX prefix, map 0F38, 128 bits; one-bit fields are stored inverted.
    private void vex(int index, int prefix, Register rm, int second) {
        bytes(0xC4, 0x80 | (1 - index) << 6 | (1 - rm.high()) << 5 | MAP_0F38, (~second & 15) << 3 | prefix);
    }

    private void evex(int map, int prefix, Register rm, int second) {
        evex(map, prefix, rm, second, 0);
    }

    /// The EVEX prefix for 512 bits; one-bit fields are stored inverted.
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

    /// The operands `reg` and an address, in the shortest form.
    ///
    /// @param unit bytes per unit of a short offset
    private void operand(int reg, Address address, int unit) {
        int base = address.base.low();
        int offset = address.offset;
        int units = offset / unit;
        boolean fits = offset % unit == 0 && units == (byte) units;
        int mode = offset == 0 && base != 5 ? 0 : fits ? 1 : 2;
        if (address.scale == 0 && base != 4) {
            code.write(modRm(mode, reg, base));
        } else {
            int index = address.scale == 0 ? 4 : address.index.low();
            int scale = address.scale == 0 ? 0 : Integer.numberOfTrailingZeros(address.scale);
            bytes(modRm(mode, reg, 4), scale << 6 | index << 3 | base);
        }
        if (mode == 1) {
            code.write(units);
        } else if (mode == 2) {
            int32(offset);
        }
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
