package io.github.sgpt4j.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class WorkersTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void everyTaskRunsOnce(int threads) {
        try (Workers workers = new Workers(threads)) {
            for (int tasks : new int[] {0, 1, 2, 3, 1000}) {
                AtomicIntegerArray runs = new AtomicIntegerArray(tasks);
                workers.parallelFor(tasks, (i, scratch) -> runs.incrementAndGet(i));
                for (int i = 0; i < tasks; i++) {
                    assertEquals(1, runs.get(i));
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void rangesCoverEveryRowOnce(int threads) {
        try (Workers workers = new Workers(threads)) {
            for (int rows : new int[] {1, 2, 7, 1000}) {
                AtomicIntegerArray runs = new AtomicIntegerArray(rows);
                workers.parallelRows(rows, 10_000, (from, to, scratch) -> {
                    for (int r = from; r < to; r++) {
                        runs.incrementAndGet(r);
                    }
                });
                for (int r = 0; r < rows; r++) {
                    assertEquals(1, runs.get(r));
                }
            }
        }
    }

    @Test
    void allThreadsTakePart() {
        try (Workers workers = new Workers(4)) {
            CountDownLatch met = new CountDownLatch(4);
            workers.parallelFor(4, (i, scratch) -> {
                met.countDown();
                try {
                    met.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            assertEquals(0, met.getCount());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void theFirstExceptionComesOutAndTheGroupGoesOn(int threads) {
        try (Workers workers = new Workers(threads)) {
            IllegalStateException failure = new IllegalStateException("task 3");
            assertSame(
                    failure,
                    assertThrows(
                            IllegalStateException.class,
                            () -> workers.parallelFor(100, (i, scratch) -> {
                                if (i == 3) {
                                    throw failure;
                                }
                            })));
            Error error = new AssertionError("all");
            assertSame(
                    error,
                    assertThrows(
                            AssertionError.class,
                            () -> workers.parallelFor(8, (i, scratch) -> {
                                throw error;
                            })));
            AtomicInteger runs = new AtomicInteger();
            workers.parallelFor(50, (i, scratch) -> runs.incrementAndGet());
            assertEquals(50, runs.get());
        }
    }

    @Test
    void loopsWithinLoopsFinishOnScratchOfTheirOwn() {
        try (Workers workers = new Workers(3)) {
            AtomicInteger runs = new AtomicInteger();
            workers.parallelFor(
                    8,
                    (i, outer) -> workers.parallelFor(8, (j, inner) -> {
                        runs.incrementAndGet();
                        if (outer.equals(inner)) {
                            throw new IllegalStateException("shared scratch");
                        }
                    }));
            assertEquals(64, runs.get());
        }
    }

    @Test
    void manyCallersShareTheGroup() throws InterruptedException {
        try (Workers workers = new Workers(3)) {
            AtomicInteger runs = new AtomicInteger();
            List<Thread> callers = new ArrayList<>();
            for (int c = 0; c < 6; c++) {
                callers.add(Thread.ofPlatform().start(() -> {
                    for (int round = 0; round < 200; round++) {
                        AtomicInteger own = new AtomicInteger();
                        workers.parallelFor(7, (i, scratch) -> own.incrementAndGet());
                        if (own.get() == 7) {
                            runs.incrementAndGet();
                        }
                    }
                }));
            }
            for (Thread caller : callers) {
                caller.join();
            }
            assertEquals(1200, runs.get());
        }
    }

    @Test
    void anInterruptIsKeptForTheCaller() {
        try (Workers workers = new Workers(2)) {
            AtomicInteger runs = new AtomicInteger();
            Thread.currentThread().interrupt();
            workers.parallelFor(1000, (i, scratch) -> runs.incrementAndGet());
            assertEquals(1000, runs.get());
            assertTrue(Thread.interrupted());
        }
    }

    @Test
    void closingStopsTheThreads() throws InterruptedException {
        Workers workers = new Workers(3);
        List<Thread> seen = new ArrayList<>();
        CountDownLatch met = new CountDownLatch(3);
        workers.parallelFor(3, (i, scratch) -> {
            synchronized (seen) {
                seen.add(Thread.currentThread());
            }
            met.countDown();
            try {
                met.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        workers.close();
        for (Thread thread : seen) {
            if (!thread.equals(Thread.currentThread())) {
                assertTrue(thread.isDaemon());
                thread.join();
            }
        }
        assertEquals(3, seen.size());
    }

    @Test
    void scratchGrowsAndIsKept() {
        Scratch scratch = new Scratch();
        float[] first = scratch.floats(Scratch.Use.TILE, 10);
        assertSame(first, scratch.floats(Scratch.Use.TILE, 5));
        assertNotSame(first, scratch.floats(Scratch.Use.PANEL, 5));
        assertTrue(scratch.floats(Scratch.Use.TILE, 11).length >= 11);
    }
}
