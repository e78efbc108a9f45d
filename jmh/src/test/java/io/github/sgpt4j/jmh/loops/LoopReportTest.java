package io.github.sgpt4j.jmh.loops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LoopReportTest {
    private static List<String> lines(String resource) throws IOException {
        try (InputStream in = LoopReportTest.class.getResourceAsStream(resource)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        }
    }

    private static List<Instruction> code(List<String> lines) {
        return lines.stream().map(Instruction::parse).flatMap(Optional::stream).toList();
    }

    private static LoopReport report(String text) {
        return LoopReport.of(LoopForm.VECTORS, 0, code(text.lines().toList()));
    }

    /// The code that C2 (JDK 25) made of a tile of six rows and weights outside the heap: four sums are on the stack.
    @Test
    void findsSumsOnTheStack() throws IOException {
        LoopReport report = LoopReport.of(LoopForm.VECTORS, 0, code(lines("spilled.s")));
        assertEquals(List.of("4 to the stack", "4 from the stack"), report.faults());
        assertEquals(12, report.facts().multiplyAdds());
        assertEquals(20, report.facts().vectors(), "multiply-adds, broadcasts and loads of B");
    }

    /// The same tile with weights in an array.
    @Test
    void passesSumsInRegisters() throws IOException {
        LoopReport report = LoopReport.of(LoopForm.VECTORS, 0, code(lines("clean.s")));
        assertEquals(List.of(), report.faults());
        assertEquals(12, report.facts().multiplyAdds());
        assertEquals(0, report.facts().moves());
    }

    @Test
    void passesWhatIsKnownAndNoMore() throws IOException {
        List<Instruction> code = code(lines("spilled.s"));
        assertEquals(List.of(), LoopReport.of(LoopForm.VECTORS, 8, code).faults());
        assertEquals(2, LoopReport.of(LoopForm.VECTORS, 7, code).faults().size());
    }

    @Test
    void findsAnAddressParkedInAVectorRegister() {
        LoopReport report = report("""
                10: vmovq  %xmm1,%rsi
                15: vaddps 0x10(%rsi,%r14,4),%ymm2,%ymm2
                1b: add    $0x8,%r14d
                1f: cmp    %eax,%r14d
                22: jl     0x10
                24: ret
                """);
        assertEquals(List.of("1 moves of parked general registers"), report.faults());
    }

    @Test
    void passesNumbersThatBecomeVectors() {
        LoopReport report = report("""
                10: movswl 0x10(%rsi,%rax,2),%r10d
                15: vmovd  %r10d,%xmm1
                19: vpbroadcastd %xmm1,%ymm1
                1d: vmovdqu %ymm1,0x10(%rdx,%rax,4)
                23: inc    %eax
                25: cmp    %ecx,%eax
                27: jl     0x10
                29: ret
                """);
        assertEquals(List.of(), report.faults());
    }

    /// The second block of a loop may lie behind the end of the method.
    @Test
    void findsCallsThatComeBack() {
        String text = """
                10: vaddps 0x10(%rsi,%rax,4),%ymm2,%ymm2
                16: cmp    %r10,%r11
                19: jae    0x30
                1b: add    $0x8,%eax
                1e: cmp    %ecx,%eax
                20: jl     0x10
                22: ret
                30: call   0x9000
                35: jmp    0x1b
                """;
        assertEquals(List.of("1 calls"), report(text).faults());
        List<Instruction> leaving = code(text.lines().toList()).stream()
                .map(i -> i.isCall() ? i.withRoutine("runtime_call UncommonTrapBlob") : i)
                .toList();
        assertEquals(List.of(), LoopReport.of(LoopForm.VECTORS, 0, leaving).faults());
    }

    @Test
    void findsAllocations() {
        LoopReport report = report("""
                10: mov    %r10,0x1b8(%r15)
                17: vaddps 0x10(%rsi,%rax,4),%ymm2,%ymm2
                1d: mov    0x30(%r15),%r10
                21: test   %eax,(%r10)
                24: cmp    %ecx,%eax
                26: jl     0x10
                28: ret
                """);
        assertEquals(List.of("1 allocations"), report.faults());
    }

    @Test
    void missesVectors() {
        LoopReport report = report("""
                10: vmulss 0x10(%rsi,%rax,4),%xmm0,%xmm1
                16: vmovss %xmm1,0x10(%rsi,%rax,4)
                1c: inc    %eax
                1e: cmp    %ecx,%eax
                20: jl     0x10
                22: ret
                """);
        assertEquals(List.of("no loop of vectors"), report.faults());
    }

    /// Padding before a loop is not an entry to it, and the loop around is not the innermost.
    @Test
    void findsTheInnermostLoop() {
        List<List<Instruction>> loops = new FlowGraph(code("""
                10: jmp    0x2a
                12: nopl   0x0(%rax)
                1a: mov    %r8d,%edi
                1d: lea    (%rbx,%rdi,1),%r8d
                21: cmp    %eax,%r8d
                24: jl     0x1a
                26: cmp    %r10d,%r8d
                28: jge    0x30
                2a: mov    %r10d,%eax
                2d: jmp    0x1d
                30: ret
                """.lines().toList())).innermostLoops();
        assertEquals(1, loops.size());
        assertEquals(4, loops.getFirst().size());
    }

    /// What a JVM printed of a method, without a disassembler; the first of its two codes is not C2's.
    @Test
    void readsPrintedCode() throws IOException {
        List<MachineCode> codes = MachineCode.read(lines("print.txt"));
        assertEquals(1, codes.size());
        MachineCode code = codes.getFirst();
        assertEquals("T scale ([FIF)V", code.type() + " " + code.method() + " " + code.descriptor());
        assertFalse(code.osr());
        assertEquals(528, code.bytes().length);
        assertEquals((byte) 0x89, code.bytes()[0]);
        assertTrue(code.routine(0x7f67afee7f3bL).contains("UncommonTrapBlob"));
        assertEquals("", code.routine(0x7f67afee7e4cL));
    }

    @Test
    void readsInstructions() {
        Instruction jump = Instruction.parse("    7f67afee7e4c:\tbnd jl 0x7f67afee7e40 <x+0x40>")
                .orElseThrow();
        assertTrue(jump.isBranch());
        assertEquals(0x7f67afee7e40L, jump.target().orElseThrow());
        Instruction add = Instruction.parse(" 10:\tvaddps 0x20(%rsp,%r10,4),%ymm1,%ymm2 # note")
                .orElseThrow();
        assertEquals(List.of("0x20(%rsp,%r10,4)", "%ymm1", "%ymm2"), add.operands());
        assertTrue(add.isReload());
        assertTrue(add.isArithmetic());
        Instruction broadcast =
                Instruction.parse(" 10:\tvbroadcastss 0x20(%rsi),%ymm1").orElseThrow();
        assertEquals("vbroadcastss", broadcast.name());
        assertTrue(broadcast.isArithmetic() && broadcast.isLoad());
        assertFalse(Instruction.parse(" 10:\tvmulss 0x20(%rsi),%xmm0,%xmm1")
                .orElseThrow()
                .isArithmetic());
        assertTrue(Instruction.parse("file format binary").isEmpty());
    }
}
