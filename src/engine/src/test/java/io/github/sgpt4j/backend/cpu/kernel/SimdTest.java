package io.github.sgpt4j.backend.cpu.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("vector")
class SimdTest {
    @Test
    void anUnknownWidthIsAProblemAndNotAFailure() {
        for (String request : new String[] {"", "64", "1024", "wide", "-128"}) {
            Simd.Choice choice = Simd.Choice.of(request);
            assertTrue(choice.problem().orElseThrow().contains("expected 128, 256 or 512, got " + request));
            assertEquals(Simd.Choice.of(null).shape(), choice.shape());
        }
    }

    @Test
    void theSmallestWidthIsAlwaysThere() {
        Simd.Choice choice = Simd.Choice.of("128");
        assertTrue(choice.problem().isEmpty());
        assertEquals(128, choice.shape().vectorBitSize());
    }

    @Test
    void theForcedWidthIsUsed() {
        String forced = System.getProperty(Simd.WIDTH_PROPERTY);
        if (forced != null && Simd.problem().isEmpty()) {
            assertEquals(Integer.parseInt(forced), Simd.F.vectorBitSize());
        }
        assertEquals(Simd.LANES, Simd.S.length());
        assertEquals(Simd.LANES, Simd.I.length());
    }
}
