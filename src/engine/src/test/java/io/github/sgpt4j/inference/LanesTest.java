package io.github.sgpt4j.inference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.batch.TokenBudget;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.testing.FewThreads;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Lanes over dummy batches (numbers), with watchers instead of decoders.
@Timeout(60)
class LanesTest {
    private static final long SEED = Long.getLong("sgpt4j.seed", 4096);
    private static ReferenceModel model;

    private Cancellation cancellation = Cancellation.ofThisThread("counting");
    private final AtomicInteger opened = new AtomicInteger();
    private final AtomicInteger closed = new AtomicInteger();
    private final AtomicInteger inProgress = new AtomicInteger();

    @BeforeAll
    static void open() {
        model = ReferenceModel.open("gptneo-ce");
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static Lanes lanes(int decoders) {
        return new Lanes(
                IntStream.range(0, decoders).mapToObj(i -> model.decoder()).toList());
    }

    private static Lanes lanes(int decoders, int threads) {
        return new Lanes(lanes(decoders).decoders(), new FewThreads(threads));
    }

    private static Iterator<Integer> numbers(int count) {
        return IntStream.range(0, count).iterator();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /// A lane that calls `start` and `finish` with each batch, and counts what is open.
    private final class Watcher implements Lanes.Lane<Integer> {
        private final IntConsumer start;
        private final IntConsumer finish;
        /// Batches in progress on this lane; other lanes may have some when this one closes.
        private final AtomicInteger own = new AtomicInteger();

        Watcher(IntConsumer start, IntConsumer finish) {
            this.start = start;
            this.finish = finish;
            opened.incrementAndGet();
        }

        @Override
        public Lanes.Started start(Integer batch) {
            start.accept(batch);
            inProgress.incrementAndGet();
            own.incrementAndGet();
            return new Lanes.Started() {
                private boolean ended;

                @Override
                public void finish() {
                    finish.accept(batch);
                }

                @Override
                public void close() {
                    if (!ended) {
                        ended = true;
                        inProgress.decrementAndGet();
                        own.decrementAndGet();
                    }
                }
            };
        }

        @Override
        public void close() {
            assertEquals(0, own.get());
            closed.incrementAndGet();
        }
    }

    private void run(Lanes lanes, Iterator<Integer> batches, TokenBudget budget, IntConsumer start) {
        lanes.run(batches, batch -> 1, budget, cancellation, decoder -> new Watcher(start, batch -> {}));
    }

    @Test
    void oneDecoderHasSeveralBatchesUnderWayAtATime() {
        CountDownLatch met = new CountDownLatch(3);
        Set<Thread> threads = ConcurrentHashMap.newKeySet();
        run(lanes(1), numbers(3), new TokenBudget(100, 3), batch -> {
            threads.add(Thread.currentThread());
            met.countDown();
            await(met);
        });
        assertEquals(3, threads.size());
        assertTrue(threads.contains(Thread.currentThread()));
        assertEquals(1, opened.get());
        assertEquals(1, closed.get());
    }

    @Test
    void severalDecodersHaveBatchesUnderWayAtATime() {
        CountDownLatch met = new CountDownLatch(4);
        run(lanes(2), numbers(4), new TokenBudget(100, 2), batch -> {
            met.countDown();
            await(met);
        });
        assertEquals(0, met.getCount());
        assertEquals(2, closed.get());
    }

    @Test
    void oneBatchIsTheCallingThreads() {
        for (int sides : new int[] {1, 4}) {
            List<Thread> threads = new ArrayList<>();
            run(lanes(1), numbers(1), new TokenBudget(100, sides), batch -> threads.add(Thread.currentThread()));
            assertEquals(List.of(Thread.currentThread()), threads);
        }
    }

    @Test
    void oneSideIsTheCallingThreads() {
        Set<Thread> threads = ConcurrentHashMap.newKeySet();
        run(lanes(1), numbers(20), new TokenBudget(100), batch -> threads.add(Thread.currentThread()));
        assertEquals(Set.of(Thread.currentThread()), threads);
    }

    @Test
    void nothingToDoOpensNothing() {
        run(lanes(1), numbers(0), new TokenBudget(100, 4), batch -> {});
        run(lanes(2), numbers(0), new TokenBudget(100), batch -> {});
        assertEquals(0, opened.get());
    }

    @Test
    void batchesUnderWayKeepToTheBudgetUnlessOneIsLarger() {
        int most = 100;
        int[] tokens = new Random(SEED).ints(400, 1, 130).toArray();
        AtomicLong sum = new AtomicLong();
        AtomicLong largest = new AtomicLong();
        AtomicIntegerArray runs = new AtomicIntegerArray(tokens.length);
        AtomicInteger tooMuch = new AtomicInteger();
        lanes(1).run(
                        numbers(tokens.length),
                        batch -> tokens[batch],
                        new TokenBudget(most, 4),
                        cancellation,
                        decoder -> new Watcher(
                                batch -> {
                                    long now = sum.addAndGet(tokens[batch]);
                                    largest.accumulateAndGet(now, Math::max);
                                    runs.incrementAndGet(batch);
                                    if (now > most && now != tokens[batch]) {
                                        tooMuch.incrementAndGet();
                                    }
                                },
                                batch -> sum.addAndGet(-tokens[batch])));
        assertEquals(0, tooMuch.get(), "seed " + SEED);
        assertTrue(largest.get() > most, "seed " + SEED);
        for (int i = 0; i < tokens.length; i++) {
            assertEquals(1, runs.get(i));
        }
    }

    @Test
    void aBatchWaitsForRoomAndThenHasCompany() {
        // 60 and 60 do not fit together, but 60 and the small ones after them do: these all run at the
        // same time.
        int[] tokens = {60, 60, 10, 10, 10};
        CountDownLatch met = new CountDownLatch(3);
        AtomicInteger large = new AtomicInteger();
        AtomicInteger mostLarge = new AtomicInteger();
        lanes(1).run(
                        numbers(tokens.length),
                        batch -> tokens[batch],
                        new TokenBudget(100, 3),
                        cancellation,
                        decoder -> new Watcher(
                                batch -> {
                                    if (tokens[batch] == 60) {
                                        mostLarge.accumulateAndGet(large.incrementAndGet(), Math::max);
                                    } else {
                                        met.countDown();
                                        await(met);
                                    }
                                },
                                batch -> large.addAndGet(tokens[batch] == 60 ? -1 : 0)));
        assertEquals(1, mostLarge.get());
        assertEquals(0, met.getCount());
    }

    @Test
    void aFailureOnAnyThreadEndsTheOthersAndComesOut() {
        for (boolean onCaller : new boolean[] {true, false}) {
            IllegalStateException failure = new IllegalStateException("batch");
            CountDownLatch both = new CountDownLatch(2);
            Thread caller = Thread.currentThread();
            Iterator<Integer> endless = IntStream.iterate(0, i -> i + 1).iterator();
            assertSame(
                    failure,
                    assertThrows(
                            IllegalStateException.class,
                            () -> run(lanes(1), endless, new TokenBudget(100, 2), batch -> {
                                both.countDown();
                                await(both);
                                if (Thread.currentThread().equals(caller) == onCaller) {
                                    throw failure;
                                }
                            })));
            assertEquals(0, inProgress.get());
        }
        assertEquals(2, closed.get());
    }

    @Test
    void aFailureAwakensThoseThatWaitForRoom() {
        IllegalStateException failure = new IllegalStateException("finish");
        Lanes.Lane<Integer> failing = new Watcher(batch -> {}, batch -> {
            throw failure;
        });
        Iterator<Integer> endless = IntStream.iterate(0, i -> i + 1).iterator();
        assertSame(
                failure,
                assertThrows(
                        IllegalStateException.class,
                        () -> lanes(1).run(
                                        endless,
                                        batch -> 100,
                                        new TokenBudget(100, 4),
                                        cancellation,
                                        decoder -> failing)));
        assertEquals(0, inProgress.get());
        assertEquals(1, closed.get());
    }

    @Test
    void failuresOfBatchesAndLanesComeOutWhereverTheyAre() {
        Iterator<Integer> broken = new Iterator<>() {
            private int next;

            @Override
            public boolean hasNext() {
                return true;
            }

            @Override
            public Integer next() {
                if (next == 5) {
                    throw new AssertionError("tokenizer");
                }
                return next++;
            }
        };
        assertThrows(AssertionError.class, () -> run(lanes(1), broken, new TokenBudget(100, 3), batch -> {}));
        assertEquals(opened.get(), closed.get());
        for (int decoders : new int[] {1, 2}) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> lanes(decoders)
                            .run(numbers(9), batch -> 1, new TokenBudget(100, 3), cancellation, decoder -> {
                                throw new IllegalArgumentException("lane");
                            }));
        }
    }

    /// Runs batches of 200 tokens, more than the budget: each waits until nothing else is in progress
    /// on its decoder.
    private void expectCancelled(int decoders, TokenBudget budget, IntConsumer start) {
        Iterator<Integer> endless = IntStream.iterate(0, i -> i + 1).iterator();
        cancellation = Cancellation.ofThisThread("counting");
        CancelledException thrown = assertThrows(
                CancelledException.class,
                () -> lanes(decoders)
                        .run(endless, batch -> 200, budget, cancellation, decoder -> new Watcher(start, batch -> {})));
        assertEquals("counting was cancelled: the calling thread was interrupted", thrown.getMessage());
        assertTrue(Thread.interrupted(), "the status stays set");
        assertEquals(0, inProgress.get());
        assertEquals(opened.get(), closed.get());
        assertEquals(
                List.of(),
                Thread.getAllStackTraces().keySet().stream()
                        .filter(thread -> thread.getName().equals("sgpt4j-lane"))
                        .toList());
    }

    @Test
    void anInterruptBeforehandLetsNothingBegin() {
        for (int decoders : new int[] {1, 2}) {
            Thread.currentThread().interrupt();
            AtomicInteger runs = new AtomicInteger();
            expectCancelled(decoders, new TokenBudget(100, 3), batch -> runs.incrementAndGet());
            assertEquals(0, runs.get());
        }
    }

    @Test
    void anInterruptEndsTheCallBeforeTheNextBatch() {
        Thread caller = Thread.currentThread();
        for (int decoders : new int[] {1, 2}) {
            for (int sides : new int[] {1, 3}) {
                AtomicInteger begun = new AtomicInteger();
                AtomicInteger late = new AtomicInteger();
                AtomicInteger interrupts = new AtomicInteger();
                expectCancelled(decoders, new TokenBudget(100, sides), batch -> {
                    if (interrupts.get() > 0) {
                        late.incrementAndGet();
                    }
                    if (begun.incrementAndGet() == 5) {
                        caller.interrupt();
                        interrupts.incrementAndGet();
                    }
                });
                // Allows for a batch that another decoder took at the same time.
                assertTrue(late.get() < decoders, late::toString);
            }
        }
    }

    /// Stands for a batch of many layers.
    private void computeUntilCancelled() {
        while (true) {
            cancellation.check();
            Thread.onSpinWait();
        }
    }

    /// Interrupts this thread once it waits.
    private static void interruptWhenItWaits(Thread caller) {
        Thread.ofPlatform().daemon().start(() -> {
            while (caller.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
            caller.interrupt();
        });
    }

    @Test
    void anInterruptReachesTheThreadsThatTheCallerWaitsFor() {
        interruptWhenItWaits(Thread.currentThread());
        expectCancelled(2, new TokenBudget(100), batch -> computeUntilCancelled());
    }

    @Test
    void anInterruptReachesTheThreadsThatTheCallerWaitsForRoomBeside() {
        Thread caller = Thread.currentThread();
        CountDownLatch otherComputes = new CountDownLatch(1);
        interruptWhenItWaits(caller);
        // One batch at a time: the caller's first, then the other thread's, which the caller waits for.
        expectCancelled(1, new TokenBudget(100, 2), batch -> {
            if (!Thread.currentThread().equals(caller)) {
                otherComputes.countDown();
                computeUntilCancelled();
            }
        });
        assertEquals(0, otherComputes.getCount());
    }

    @Test
    void theBudgetFollowsTheDecoder() {
        Decoder decoder = model.decoder();
        assertEquals(1, decoder.batchesSideBySide(4096));
        assertEquals(new TokenBudget(4096), lanes(1).budget(4096));
        assertEquals(
                Arrays.asList(4096, 1),
                List.of(lanes(2).budget(4096).tokens(), lanes(2).budget(4096).sides()));
    }

    @Test
    void theThreadsThatTheSystemGivesComputeEverything() {
        for (int decoders = 1; decoders <= 3; decoders++) {
            for (int threads = 0; threads <= 3; threads++) {
                AtomicIntegerArray runs = new AtomicIntegerArray(50);
                // Only one batch fits at a time: no thread may wait for room that its own batch takes
                // up.
                for (int room : new int[] {1, 2, 100}) {
                    run(lanes(decoders, threads), numbers(50), new TokenBudget(room, 4), runs::incrementAndGet);
                }
                for (int i = 0; i < runs.length(); i++) {
                    assertEquals(3, runs.get(i), "batch " + i);
                }
            }
        }
        assertEquals(opened.get(), closed.get());
        assertEquals(0, inProgress.get());
    }
}
