package io.github.sgpt4j.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ArrayPoolTest {
    @Test
    void sizesAreRoundedUpByAtMostAnEighth() {
        for (int size = 1; size < 100_000; size += 7) {
            int rounded = ArrayPool.roundUp(size);
            assertTrue(rounded >= size);
            assertTrue(rounded <= Math.max(256, size + size / 8 + 1), () -> "rounded to " + rounded);
            assertEquals(rounded, ArrayPool.roundUp(rounded));
        }
        assertTrue(ArrayPool.roundUp(Integer.MAX_VALUE - 8) > 0);
    }

    @Test
    void aReturnedArrayIsReused() {
        ArrayPool pool = new ArrayPool(10_000);
        Floats first = pool.take(1000);
        pool.give(first);
        assertSame(first, pool.take(999));
        assertNotSame(first, pool.take(1000));
        assertEquals(0, pool.kept());
    }

    @Test
    void theSmallestIdleArrayThatIsNotMuchLargerServes() {
        ArrayPool pool = new ArrayPool(100_000);
        Floats large = pool.take(14_000);
        Floats small = pool.take(11_000);
        pool.give(large);
        pool.give(small);
        assertSame(small, pool.take(10_000));
        assertSame(large, pool.take(10_000));
        pool.give(large);
        assertNotSame(large, pool.take(9_000));
        assertNotSame(large, pool.take(15_000));
        assertEquals(large.length(), pool.kept());
    }

    @Test
    void idleMemoryIsBounded() {
        ArrayPool pool = new ArrayPool(5000);
        Floats huge = pool.take(6000);
        pool.give(huge);
        assertEquals(0, pool.kept());
        for (int size = 300; size <= 3000; size += 300) {
            pool.give(pool.take(size));
            assertTrue(pool.kept() <= 5000);
        }
        assertTrue(pool.kept() > 0);
    }

    @Test
    void aClosedTensorAndItsViewsCannotBeRead() {
        CpuTensor tensor = new CpuTensor(new ArrayPool(10_000), 4, 8);
        CpuTensor view = (CpuTensor) ((CpuTensor) tensor.slice(1, 3)).slice(1, 1);
        assertEquals(16, view.offset());
        view.close();
        view.data();
        tensor.close();
        tensor.close();
        assertThrows(IllegalStateException.class, tensor::data);
        assertThrows(IllegalStateException.class, view::data);
        assertThrows(IllegalStateException.class, () -> tensor.slice(0, 1));
    }

    @Test
    void closingTwiceGivesTheArrayBackOnce() {
        ArrayPool pool = new ArrayPool(10_000);
        CpuTensor tensor = new CpuTensor(pool, 1, 256);
        tensor.close();
        tensor.close();
        assertEquals(256, pool.kept());
    }
}
