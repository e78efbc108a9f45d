package io.github.sgpt4j.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

class SharedRangesTest {
    @Test
    void aPartGoesThroughItsIndicesInOrderAndThenThroughThoseOfOthers() {
        SharedRanges ranges = new SharedRanges(10, 2);
        assertEquals(5, ranges.take(1));
        for (int i = 0; i < 5; i++) {
            assertEquals(i, ranges.take(0));
        }
        // The second half of 6 to 9, and so on.
        assertEquals(8, ranges.take(0));
        assertEquals(9, ranges.take(0));
        assertEquals(7, ranges.take(0));
        assertEquals(6, ranges.take(1));
        assertEquals(-1, ranges.take(0));
        assertEquals(-1, ranges.take(1));
    }

    @Test
    void everyIndexIsHandedOutOnceInAnyOrderOfCalls() {
        for (int parts = 1; parts < 6; parts++) {
            for (int count = 0; count < 30; count++) {
                SharedRanges ranges = new SharedRanges(count, parts);
                boolean[] seen = new boolean[count];
                int taken = 0;
                for (int index = ranges.take(parts - 1); index >= 0; index = ranges.take(parts - 1)) {
                    assertTrue(!seen[index]);
                    seen[index] = true;
                    taken++;
                }
                assertEquals(count, taken);
            }
        }
    }

    @Test
    void threadsThatTakeFromEachOtherGetEveryIndexOnce() throws InterruptedException {
        int parts = 8;
        for (int round = 0; round < 200; round++) {
            int count = 1000 + round;
            SharedRanges ranges = new SharedRanges(count, parts);
            AtomicIntegerArray seen = new AtomicIntegerArray(count);
            List<Thread> threads = new ArrayList<>();
            for (int part = 0; part < parts; part++) {
                int mine = part;
                threads.add(Thread.ofPlatform().start(() -> {
                    for (int index = ranges.take(mine); index >= 0; index = ranges.take(mine)) {
                        seen.incrementAndGet(index);
                    }
                }));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            for (int i = 0; i < count; i++) {
                assertEquals(1, seen.get(i));
            }
        }
    }
}
