package io.github.sgpt4j.backend.cuda.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class DevicePoolTest {
    @Test
    void sizesOfPooledMemoryWasteAnEighthAtMost() {
        for (long bytes = 1; bytes < 1L << 40; bytes = bytes * 5 / 4 + 1) {
            long rounded = DevicePool.rounded(bytes);
            assertTrue(rounded >= bytes && rounded <= bytes + Math.max(512, bytes / 8), bytes + " to " + rounded);
            assertEquals(0, rounded % 512);
        }
    }
}
