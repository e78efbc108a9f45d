package io.github.sgpt4j.backend.cpu.code;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Set;
import org.junit.jupiter.api.Test;

class LinuxTest {
    /// Classes keep the answer until the process ends: a wrong one would cost the matrix unit.
    @Test
    void whatTheProcessorHasIsReadOnAnInterruptedThreadToo() {
        assumeTrue(Linux.isHere(), "needs Linux on x86-64");
        Thread.currentThread().interrupt();
        boolean found = Linux.processorHas(Set.of("fpu"));
        assertTrue(Thread.interrupted());
        assertTrue(found);
    }
}
