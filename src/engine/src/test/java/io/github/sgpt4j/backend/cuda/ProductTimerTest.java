package io.github.sgpt4j.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ProductTimerTest {
    private static final float NONE = Float.POSITIVE_INFINITY;

    @Test
    void theFirstAlgorithmStaysUnlessAnotherIsClearlyFaster() {
        assertEquals(0, ProductTimer.best(new float[] {1}));
        assertEquals(0, ProductTimer.best(new float[] {1, 1, 0.98f}));
        assertEquals(2, ProductTimer.best(new float[] {1, 0.6f, 0.5f, 0.7f}));
        assertEquals(1, ProductTimer.best(new float[] {NONE, 3, 4}));
        assertEquals(0, ProductTimer.best(new float[] {1, NONE}));
        assertEquals(0, ProductTimer.best(new float[] {NONE, NONE}));
    }
}
