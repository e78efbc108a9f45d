package io.github.sgpt4j.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.testing.FewThreads;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
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

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void consecutiveTasksRunOnceToo(int threads) {
        try (Workers workers = new Workers(threads)) {
            for (int tasks : new int[] {0, 1, 2, 3, 1000}) {
                for (int entered = 0; entered <= threads; entered++) {
                    AtomicIntegerArray runs = new AtomicIntegerArray(tasks);
                    int others = entered;
                    workers.parallelRanges(tasks, (i, scratch) -> {
                        // Helpers leave in the middle of it.
                        for (int k = 0; k < others && i == tasks / 2; k++) {
                            workers.enter();
                        }
                        runs.incrementAndGet(i);
                    });
                    for (int i = 0; i < tasks; i++) {
                        assertEquals(1, runs.get(i));
                    }
                    while (workers.entered() > 0) {
                        workers.leave();
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void afterAFailureNoFurtherConsecutiveTasksStart(int threads) {
        try (Workers workers = new Workers(threads)) {
            AtomicInteger runs = new AtomicInteger();
            IllegalStateException thrown = assertThrows(
                    IllegalStateException.class,
                    () -> workers.parallelRanges(1_000_000, (i, scratch) -> {
                        runs.incrementAndGet();
                        throw new IllegalStateException("task " + i);
                    }));
            assertTrue(String.valueOf(thrown.getMessage()).startsWith("task "));
            assertTrue(runs.get() <= threads, () -> runs + " tasks");
            workers.parallelRanges(10, (i, scratch) -> runs.incrementAndGet());
            assertTrue(runs.get() >= 11);
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

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Set<Thread> threadsOf(Workers workers, int tasks) {
        Set<Thread> threads = ConcurrentHashMap.newKeySet();
        workers.parallelFor(tasks, (i, scratch) -> threads.add(Thread.currentThread()));
        return threads;
    }

    @Test
    void loopsCountOnTheThreadsThatAreFree() {
        try (Workers workers = new Workers(4)) {
            assertEquals(4, workers.available());
            workers.enter();
            assertEquals(4, workers.available());
            workers.enter();
            // Two threads are left for two callers.
            assertEquals(2, workers.available());
            workers.enter();
            assertEquals(2, workers.available());
            workers.enter();
            assertEquals(1, workers.available());
            workers.enter();
            assertEquals(1, workers.available());
            assertEquals(5, workers.entered());
            for (int i = 0; i < 5; i++) {
                workers.leave();
            }
            assertEquals(4, workers.available());
        }
    }

    @Test
    void nobodyHelpsACallerWhileEveryThreadHasWorkOfItsOwn() {
        try (Workers workers = new Workers(3)) {
            for (int i = 0; i < 3; i++) {
                workers.enter();
            }
            assertEquals(Set.of(Thread.currentThread()), threadsOf(workers, 1000));
            AtomicInteger ranges = new AtomicInteger();
            workers.parallelRows(1000, 10_000, (from, to, scratch) -> ranges.incrementAndGet());
            assertEquals(1, ranges.get());
        }
    }

    @Test
    void helpersAreAsManyAsThreadsAreFree() {
        try (Workers workers = new Workers(4)) {
            workers.enter();
            workers.enter();
            // The caller and two helpers must meet; the third helper would be one too many.
            CountDownLatch met = new CountDownLatch(3);
            Set<Thread> threads = ConcurrentHashMap.newKeySet();
            workers.parallelFor(200, (i, scratch) -> {
                threads.add(Thread.currentThread());
                met.countDown();
                await(met);
            });
            assertEquals(3, threads.size());
        }
    }

    @Test
    void aHelperLeavesWhenItsThreadIsNeededElsewhere() {
        try (Workers workers = new Workers(2)) {
            workers.enter();
            Thread caller = Thread.currentThread();
            CountDownLatch helping = new CountDownLatch(1);
            CountDownLatch needed = new CountDownLatch(1);
            AtomicInteger helped = new AtomicInteger();
            workers.parallelFor(100, (i, scratch) -> {
                if (!Thread.currentThread().equals(caller)) {
                    helped.incrementAndGet();
                    helping.countDown();
                    await(needed);
                } else if (needed.getCount() > 0) {
                    await(helping);
                    workers.enter();
                    needed.countDown();
                }
            });
            // Only the step that it was running.
            assertEquals(1, helped.get());
        }
    }

    @Test
    void aThreadThatBecomesFreeHelpsARunningLoopAndLaterOnes() {
        try (Workers workers = new Workers(3)) {
            workers.enter();
            workers.enter();
            CountDownLatch all = new CountDownLatch(3);
            workers.parallelFor(3, (i, scratch) -> {
                all.countDown();
                if (all.getCount() == 1) {
                    // Caller and helper are here: the third step waits for a thread.
                    workers.leave();
                }
                await(all);
            });
            CountDownLatch again = new CountDownLatch(3);
            workers.parallelFor(3, (i, scratch) -> {
                again.countDown();
                await(again);
            });
            assertEquals(0, again.getCount());
        }
    }

    @Test
    void allThreadsHelpWithLoopsThatOthersWaitFor() {
        try (Workers workers = new Workers(3)) {
            for (int i = 0; i < 3; i++) {
                workers.enter();
            }
            CountDownLatch met = new CountDownLatch(3);
            workers.parallelForAll(3, (i, scratch) -> {
                met.countDown();
                await(met);
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

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3})
    void theThreadsThatTheSystemGivesDoAllTasks(int given) {
        try (Workers workers = new Workers(5, new FewThreads(given))) {
            assertEquals(given + 1, workers.threads());
            assertEquals(given + 1, workers.available());
            AtomicIntegerArray runs = new AtomicIntegerArray(1000);
            workers.parallelForAll(500, (i, scratch) -> runs.incrementAndGet(i));
            workers.parallelRanges(500, (i, scratch) -> runs.incrementAndGet(500 + i));
            for (int i = 0; i < runs.length(); i++) {
                assertEquals(1, runs.get(i));
            }
        }
    }
}
