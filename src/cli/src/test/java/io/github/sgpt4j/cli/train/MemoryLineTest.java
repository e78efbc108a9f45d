package io.github.sgpt4j.cli.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sgpt4j.training.TrainingMemory;
import org.junit.jupiter.api.Test;

class MemoryLineTest {
    private static final TrainingMemory MEMORY =
            new TrainingMemory(700_000_000, 500_000_000, 2_340_000_000L, 4_000_000_000L, 500_000_000);

    @Test
    void theHeapAndWhatIsOutsideAreOneOnTheCpu() {
        assertEquals(
                "memory: 700.0 MB for weights, 5.0 GB for gradients and optimizer, up to 2.3 GB for activations",
                MemoryLine.of(MEMORY, "cpu"));
    }

    @Test
    void gpusHaveMemoryOfTheirOwn() {
        assertEquals(
                "memory: on the device 700.0 MB for weights, 500.0 MB for gradients, up to 2.3 GB for activations;"
                        + " here 4.5 GB for the optimizer",
                MemoryLine.of(MEMORY, "cuda:0"));
        assertEquals(
                "memory: on each device 700.0 MB for weights, 500.0 MB for gradients, up to 2.3 GB for activations;"
                        + " here 4.5 GB for the optimizer",
                MemoryLine.of(MEMORY, "cuda:0,1"));
    }
}
