package io.github.sgpt4j.backend.cpu.code;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Executable memory, also where the system refuses it.
class LinuxTest {
    private static final byte[] CODE = {(byte) 0xc3};

    /// The system, except that it refuses one call; records the calls.
    private static final class Refusing implements Linux.SystemCall {
        private final long refused;
        private final List<Long> numbers = new ArrayList<>();
        private final List<String> unmapped = new ArrayList<>();
        private String mapped = "";

        Refusing(long refused) {
            this.refused = refused;
        }

        @Override
        public long call(long number, long a, long b, long c, long d, long e, long f) {
            numbers.add(number);
            if (number == refused) {
                return Linux.FAILED;
            }
            long result = Linux.call(number, a, b, c, d, e, f);
            if (number == Linux.SYS_MMAP) {
                mapped = result + ", " + b;
            } else if (number == Linux.SYS_MUNMAP && result == 0) {
                unmapped.add(a + ", " + b);
            }
            return result;
        }
    }

    @BeforeEach
    void requireLinux() {
        assumeTrue(Linux.isHere(), "needs Linux on x86-64");
    }

    @Test
    void codeCanBeRunAndNoLongerWritten() throws IOException {
        MemorySegment memory = Linux.executable(CODE).orElseThrow();
        assertArrayEquals(CODE, memory.toArray(ValueLayout.JAVA_BYTE));
        String start = Long.toHexString(memory.address()) + "-";
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            String line = lines.filter(l -> l.startsWith(start)).findFirst().orElse("none begins with " + start);
            assertTrue(line.contains(" r-xp "), line);
        }
    }

    @Test
    void aSystemThatMapsNothingGivesNoMemory() {
        Refusing system = new Refusing(Linux.SYS_MMAP);
        assertEquals(Optional.empty(), Linux.executable(CODE, system));
        assertEquals(List.of(Linux.SYS_MMAP), system.numbers);
    }

    @Test
    void memoryThatMayNotBeRunIsUnmapped() {
        Refusing system = new Refusing(Linux.SYS_MPROTECT);
        assertEquals(Optional.empty(), Linux.executable(CODE, system));
        assertEquals(List.of(Linux.SYS_MMAP, Linux.SYS_MPROTECT, Linux.SYS_MUNMAP), system.numbers);
        assertEquals(List.of(system.mapped), system.unmapped);
    }

    /// Classes cache the answer until the process ends: a wrong one would disable the matrix unit.
    @Test
    void whatTheProcessorHasIsReadOnAnInterruptedThreadToo() {
        Thread.currentThread().interrupt();
        boolean found = Linux.processorHas(Set.of("fpu"));
        assertTrue(Thread.interrupted());
        assertTrue(found);
    }
}
