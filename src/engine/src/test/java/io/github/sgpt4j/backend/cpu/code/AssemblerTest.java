package io.github.sgpt4j.backend.cpu.code;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.sgpt4j.backend.cpu.code.Assembler.Address;
import io.github.sgpt4j.backend.cpu.code.Assembler.Jump;
import io.github.sgpt4j.backend.cpu.code.Assembler.Label;
import io.github.sgpt4j.backend.cpu.code.Assembler.Register;
import io.github.sgpt4j.backend.cpu.code.Assembler.Vector;
import java.util.HexFormat;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/// Encodings as GNU as 2.40 writes them (those of 256 bits with `{vex3}`), with every register operand
/// below and above the eighth.
class AssemblerTest {
    private static final int OFFSET = 0x12345678;

    private static void check(String expected, Consumer<Assembler> instruction) {
        Assembler assembler = new Assembler();
        instruction.accept(assembler);
        assertEquals(expected, HexFormat.ofDelimiter(" ").formatHex(assembler.code()));
    }

    @Test
    void generalInstructions() {
        check("bf 78 56 34 12", a -> a.mov(Register.RDI, OFFSET));
        check("41 b9 78 56 34 12", a -> a.mov(Register.R9, OFFSET));
        check("4c 89 c8", a -> a.mov(Register.RAX, Register.R9));
        check("49 89 fa", a -> a.mov(Register.R10, Register.RDI));
        check("4c 01 d8", a -> a.add(Register.RAX, Register.R11));
        check("49 81 c0 78 56 34 12", a -> a.add(Register.R8, OFFSET));
        check("49 ff c9", a -> a.dec(Register.R9));
        check("48 ff ca", a -> a.dec(Register.RDX));
        check("0f 18 93 78 56 34 12", a -> a.prefetcht1(Register.RBX, OFFSET));
        check("41 0f 18 92 78 56 34 12", a -> a.prefetcht1(Register.R10, OFFSET));
        check("c3", Assembler::ret);
    }

    @Test
    void argumentsOnTheStackAreFoundWhateverWasPushed() {
        check("4c 8b 5c 24 08", a -> a.movArgument(Register.R11, 0));
        check("48 8b 5c 24 18", a -> a.movArgument(Register.RBX, 2));
        check("48 89 44 24 10", a -> a.movToArgument(1, Register.RAX));
        check("53 48 8b 5c 24 18 5b 4c 8b 5c 24 08", a -> {
            a.push(Register.RBX);
            a.movArgument(Register.RBX, 1);
            a.pop(Register.RBX);
            a.movArgument(Register.R11, 0);
        });
        check("55", a -> a.push(Register.RBP));
        check("5d", a -> a.pop(Register.RBP));
    }

    @Test
    void jumpsGoBackToTheirLabels() {
        check("c3 48 ff ca 0f 85 f7 ff ff ff", a -> {
            a.ret();
            Label label = a.here();
            a.dec(Register.RDX);
            a.jnz(label);
        });
        check("c3 90 90 90 c3", a -> {
            a.ret();
            a.align(4);
            a.ret();
        });
    }

    @Test
    void jumpsGoForwardToWhereTheyLand() {
        check("0f 84 06 00 00 00 c3 e9 00 00 00 00 c3", a -> {
            Jump first = a.jz();
            a.ret();
            Jump second = a.jmp();
            a.land(first);
            a.land(second);
            a.ret();
        });
    }

    @Test
    void tileInstructions() {
        check("c4 c2 78 49 81 00 00 00 00", a -> a.ldtilecfg(Register.R9));
        check("c4 e2 78 49 81 00 00 00 00", a -> a.ldtilecfg(Register.RCX));
        check("c4 e2 78 49 c0", Assembler::tilerelease);
        check("c4 e2 7b 49 e8", a -> a.tilezero(5));
        check("c4 e2 7b 4b 9c 07 78 56 34 12", a -> a.tileloadd(3, Register.RDI, Register.RAX, OFFSET));
        check("c4 82 7b 4b bc 1a 78 56 34 12", a -> a.tileloadd(7, Register.R10, Register.R11, OFFSET));
        check("c4 e2 7a 4b 94 01 78 56 34 12", a -> a.tilestored(Register.RCX, Register.RAX, OFFSET, 2));
        check("c4 c2 7a 4b b4 01 78 56 34 12", a -> a.tilestored(Register.R9, Register.RAX, OFFSET, 6));
        check("c4 e2 43 5e cc", a -> a.tdpbssd(1, 4, 7));
    }

    @Test
    void vectorInstructions() {
        check("62 f1 7c 48 10 9f 78 56 34 12", a -> a.vmovups(3, Register.RDI, OFFSET));
        check("62 d1 7c 48 10 a2 78 56 34 12", a -> a.vmovups(4, Register.R10, OFFSET));
        check("62 f1 7c 48 11 b9 78 56 34 12", a -> a.vmovups(Register.RCX, OFFSET, 7));
        check("62 d1 7c 48 11 88 78 56 34 12", a -> a.vmovups(Register.R8, OFFSET, 1));
        check("62 f1 7c 48 5b 95 78 56 34 12", a -> a.vcvtdq2ps(2, Register.RBP, OFFSET));
        check("62 f1 7d 48 5b d5", a -> a.vcvtps2dq(2, 5));
        check("62 d2 7d 48 18 b1 78 56 34 12", a -> a.vbroadcastss(6, Register.R9, OFFSET));
        check("62 f2 7d 48 18 8e 78 56 34 12", a -> a.vbroadcastss(1, Register.RSI, OFFSET));
        check("62 f2 7d 48 7c f8", a -> a.vpbroadcastd(7, Register.RAX));
        check("62 d2 7d 48 7c fb", a -> a.vpbroadcastd(7, Register.R11));
        check("62 f1 75 48 72 e2 08", a -> a.vpsrad(1, 2, 8));
        check("62 f1 55 48 72 d3 10", a -> a.vpsrld(5, 3, 16));
        check("62 f1 5d 48 72 f6 18", a -> a.vpslld(4, 6, 24));
        check("62 f1 6d 48 fe cb", a -> a.vpaddd(1, 2, 3));
        check("62 f1 55 48 eb e6", a -> a.vpord(4, 5, 6));
        check("62 f1 6c 48 58 cb", a -> a.vaddps(1, 2, 3));
        check("62 f2 6d 48 2c cb", a -> a.vscalefps(1, 2, 3));
        check("62 f2 45 48 a8 c1", a -> a.vfmadd213ps(0, 7, 1));
        check("62 f1 6d 48 db cb", a -> a.vpandd(1, 2, 3));
        check("62 f2 6d 48 3d cb", a -> a.vpmaxsd(1, 2, 3));
        check("62 f2 6d 48 b8 cb", a -> a.vfmadd231ps(1, 2, 3));
        check("62 f1 7c c9 10 c7", a -> a.vmovups(0, 1, 7));
        check("62 f1 7c c9 10 dd", a -> a.vmovups(3, 1, 5));
        check("62 f1 6c 48 c2 cb 1e", a -> a.vcmpps(1, 2, 0x1E, 3));
        check("c5 f8 98 c9", a -> a.kortestw(1, 1));
        check("c5 f8 98 d3", a -> a.kortestw(2, 3));
        check("c5 f8 77", Assembler::vzeroupper);
    }

    @Test
    void addresses() {
        check("4f 8d 2c 40", a -> a.lea(Register.R13, new Address(Register.R8, Register.R8, 2, 0)));
        check("48 8d 47 10", a -> a.lea(Register.RAX, new Address(Register.RDI, 0x10)));
        check("4b 8d 9c 8c 78 56 34 12", a -> a.lea(Register.RBX, new Address(Register.R12, Register.R9, 4, OFFSET)));
        check("4c 69 d0 78 56 34 12", a -> a.imul(Register.R10, Register.RAX, OFFSET));
        check("49 69 c0 78 56 34 12", a -> a.imul(Register.RAX, Register.R8, OFFSET));
        check("0f 18 8b 78 56 34 12", a -> a.prefetcht0(Register.RBX, OFFSET));
        check("41 0f 18 8a 78 56 34 12", a -> a.prefetcht0(Register.R10, OFFSET));
        check("41 54 41 5c", a -> {
            a.push(Register.R12);
            a.pop(Register.R12);
        });
        check("4c 8b a4 24 88 00 00 00", a -> a.movArgument(Register.R12, 16));
        check("48 89 84 24 80 00 00 00", a -> a.movToArgument(15, Register.RAX));
        check("48 89 44 24 78", a -> a.movToArgument(14, Register.RAX));
        check("0f 8f 01 00 00 00 c3 c3", a -> {
            Jump jump = a.jg();
            a.ret();
            a.land(jump);
            a.ret();
        });
    }

    @Test
    void vectorInstructionsOf256Bits() {
        check("c4 e1 7c 10 9f 78 56 34 12", a -> a.vmovups(ymm(3), new Address(Register.RDI, OFFSET)));
        check("c4 41 7c 10 24 24", a -> a.vmovups(ymm(12), new Address(Register.R12, 0)));
        check("c4 01 7c 10 4c 45 20", a -> a.vmovups(ymm(9), new Address(Register.R13, Register.R8, 2, 0x20)));
        check("c4 e1 7c 10 4c 05 00", a -> a.vmovups(ymm(1), new Address(Register.RBP, Register.RAX, 1, 0)));
        check("c4 e1 7c 11 79 40", a -> a.vmovups(new Address(Register.RCX, 0x40), ymm(7)));
        check("c4 61 7c 11 3c 24", a -> a.vmovups(new Address(Register.RSP, 0), ymm(15)));
        check("c4 01 7c 11 44 da 80", a -> a.vmovups(new Address(Register.R10, Register.R11, 8, -0x80), ymm(8)));
        check("c4 02 7d 18 74 04 04", a -> a.vbroadcastss(ymm(14), new Address(Register.R12, Register.R8, 1, 4)));
        check("c4 e2 7d 18 96 23 01 00 00", a -> a.vbroadcastss(ymm(2), new Address(Register.RSI, 0x123)));
        check("c4 c2 1d b8 c6", a -> a.vfmadd231ps(ymm(0), ymm(12), ymm(14)));
        check("c4 62 6d b8 db", a -> a.vfmadd231ps(ymm(11), ymm(2), ymm(3)));
        check("c4 42 05 b8 c1", a -> a.vfmadd231ps(ymm(8), ymm(15), ymm(9)));
    }

    @Test
    void vectorInstructionsOf512Bits() {
        check("62 f1 7c 48 10 9f 78 56 34 12", a -> a.vmovups(zmm(3), new Address(Register.RDI, OFFSET)));
        check("62 51 7c 48 10 24 24", a -> a.vmovups(zmm(12), new Address(Register.R12, 0)));
        check("62 01 7c 48 10 4c 45 01", a -> a.vmovups(zmm(25), new Address(Register.R13, Register.R8, 2, 0x40)));
        check("62 e1 7c 48 10 4c 05 00", a -> a.vmovups(zmm(17), new Address(Register.RBP, Register.RAX, 1, 0)));
        check("62 f1 7c 48 11 b9 41 00 00 00", a -> a.vmovups(new Address(Register.RCX, 0x41), zmm(7)));
        check("62 61 7c 48 11 3c 24", a -> a.vmovups(new Address(Register.RSP, 0), zmm(31)));
        check("62 11 7c 48 11 44 da 80", a -> a.vmovups(new Address(Register.R10, Register.R11, 8, -0x2000), zmm(8)));
        check("62 02 7d 48 18 54 04 01", a -> a.vbroadcastss(zmm(26), new Address(Register.R12, Register.R8, 1, 4)));
        check("62 f2 7d 48 18 56 7f", a -> a.vbroadcastss(zmm(2), new Address(Register.RSI, 0x1FC)));
        check(
                "62 12 7d 48 18 94 47 00 02 00 00",
                a -> a.vbroadcastss(zmm(10), new Address(Register.R15, Register.R8, 2, 0x200)));
        check("62 92 3d 40 b8 c2", a -> a.vfmadd231ps(zmm(0), zmm(24), zmm(26)));
        check("62 e2 6d 48 b8 fb", a -> a.vfmadd231ps(zmm(23), zmm(2), zmm(3)));
        check("62 52 05 48 b8 c1", a -> a.vfmadd231ps(zmm(8), zmm(15), zmm(9)));
        check("62 02 05 40 b8 f1", a -> a.vfmadd231ps(zmm(30), zmm(31), zmm(25)));
    }

    private static Vector ymm(int number) {
        return new Vector(number, 256);
    }

    private static Vector zmm(int number) {
        return new Vector(number, 512);
    }

    @Test
    void registersThatDoNotExistAreRefused() {
        assertThrows(IndexOutOfBoundsException.class, () -> ymm(16));
        assertThrows(IndexOutOfBoundsException.class, () -> zmm(32));
        assertThrows(IllegalArgumentException.class, () -> new Vector(0, 128));
        assertThrows(IllegalArgumentException.class, () -> new Address(Register.RAX, Register.RSP, 1, 0));
        assertThrows(IllegalArgumentException.class, () -> new Address(Register.RAX, Register.RCX, 3, 0));
    }

    @Test
    void addressesThatNeedAnotherFormAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> new Assembler().vmovups(0, Register.RSP, 0));
    }
}
