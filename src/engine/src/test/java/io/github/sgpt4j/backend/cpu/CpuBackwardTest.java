package io.github.sgpt4j.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class CpuBackwardTest {
    private static final long GIGABYTE = 1L << 30;

    @Test
    void roomIsHalfOfTheHeapOrWhatOthersLeave() {
        assertEquals(4 * GIGABYTE, CpuBackward.room(8 * GIGABYTE, 0));
        assertEquals(4 * GIGABYTE, CpuBackward.room(8 * GIGABYTE, 3 * GIGABYTE));
        assertEquals(3 * GIGABYTE, CpuBackward.room(8 * GIGABYTE, 4 * GIGABYTE));
        assertEquals(1, CpuBackward.room(8 * GIGABYTE, 7 * GIGABYTE));
        assertEquals(1, CpuBackward.room(8 * GIGABYTE, 70 * GIGABYTE));
    }
}
