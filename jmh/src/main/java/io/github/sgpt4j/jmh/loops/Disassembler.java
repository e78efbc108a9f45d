package io.github.sgpt4j.jmh.loops;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Runs objdump for x86-64.
final class Disassembler {
    private Disassembler() {}

    /// Whether there is an objdump that supports x86-64.
    static boolean isAvailable() throws InterruptedException {
        try {
            Process process = new ProcessBuilder("objdump", "--info")
                    .redirectErrorStream(true)
                    .start();
            String known = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return process.waitFor() == 0 && known.contains("x86-64");
        } catch (IOException e) {
            return false;
        }
    }

    /// The disassembly of a method as text.
    static List<String> text(MachineCode code) throws IOException, InterruptedException {
        Path file = Files.createTempFile("method", ".bin");
        try {
            Files.write(file, code.bytes());
            Process process = new ProcessBuilder(
                            "objdump",
                            "-D",
                            "-w",
                            "--no-show-raw-insn",
                            "-b",
                            "binary",
                            "-m",
                            "i386:x86-64",
                            "--adjust-vma=0x" + Long.toHexString(code.address()),
                            file.toString())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            List<String> lines = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
            if (process.waitFor() != 0) {
                throw new IOException("objdump failed on " + code.type() + "." + code.method());
            }
            return lines;
        } finally {
            Files.delete(file);
        }
    }

    /// The instructions of a method.
    static List<Instruction> instructions(MachineCode code) throws IOException, InterruptedException {
        List<Instruction> instructions = new ArrayList<>();
        for (String line : text(code)) {
            Instruction.parse(line)
                    .map(i -> i.withRoutine(code.routine(i.address())))
                    .ifPresent(instructions::add);
        }
        return instructions;
    }
}
