package io.github.sgpt4j.server.batching;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.server.batching.Stepped.Item;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Order, sizes, admission and failures of batches. The queue's budget is 10 tokens, 40 may wait.
@Timeout(120)
class BatchQueueTest {
    private static final int BUDGET = 10;
    private static final int WAITING = 40;
    /// Where several are tested; elsewhere there is one.
    private static final int WORKERS = 3;

    private final Stepped operation = new Stepped();
    private final List<String> told = new ArrayList<>();
    private final BatchQueue queue =
            new BatchQueue(1, BUDGET, WAITING, (items, tokens) -> told.add(items + " items, " + tokens + " tokens"));

    @AfterEach
    void end() {
        operation.go();
        queue.close();
    }

    private static Item item(String name, int tokens) {
        return new Item(name, tokens);
    }

    private static List<Item> items(String name, int count, int tokens) {
        return IntStream.range(0, count).mapToObj(i -> item(name + i, tokens)).toList();
    }

    private Ticket<String> submit(Item... items) {
        return queue.submit(operation, List.of(items));
    }

    /// Keeps the worker busy until the next step.
    private void busy() {
        submit(item("busy", 1));
        assertEquals(List.of("busy"), operation.batch());
    }

    private static long soon() {
        return System.nanoTime() + TimeUnit.SECONDS.toNanos(Stepped.SECONDS);
    }

    private static List<String> results(Ticket<String> ticket) throws InterruptedException {
        return ticket.await(soon());
    }

    private static void assertProblem(Problem expected, ThrowingCall call) {
        assertEquals(expected, assertThrows(ApiException.class, call::run).problem());
    }

    @FunctionalInterface
    private interface ThrowingCall {
        void run() throws Exception;
    }

    /// Finishes the batch at hand; the next one.
    private List<String> next() {
        operation.step();
        return operation.batch();
    }

    @Test
    void requestsShareABatchInTheirOrder() throws InterruptedException {
        busy();
        Ticket<String> a = submit(item("a0", 2), item("a1", 2));
        Ticket<String> b = submit(item("b0", 3));
        Ticket<String> c = submit(item("c0", 3), item("c1", 1));
        assertEquals(List.of("a0", "a1", "b0", "c0"), next());
        assertEquals(List.of("c1"), next());
        operation.step();
        assertEquals(List.of("a0!", "a1!"), results(a));
        assertEquals(List.of("b0!"), results(b));
        assertEquals(List.of("c0!", "c1!"), results(c));
        assertEquals(List.of("1 items, 1 tokens", "4 items, 10 tokens", "1 items, 1 tokens"), told);
    }

    @Test
    void takesWhatIsThereAndWaitsForNoMore() throws InterruptedException {
        Ticket<String> ticket = submit(item("a", 1));
        assertEquals(List.of("a"), operation.batch());
        operation.step();
        assertEquals(List.of("a!"), results(ticket));
    }

    @Test
    void aLargeRequestGivesWayAfterEachBatch() throws InterruptedException {
        busy();
        Ticket<String> large = queue.submit(operation, items("l", 6, 5));
        Ticket<String> small = submit(item("s", 4));
        assertEquals(List.of("s", "l0"), next());
        Ticket<String> later = submit(item("t", 4));
        assertEquals(List.of("l1", "l2"), next());
        assertEquals(List.of("t", "l3"), next());
        assertEquals(List.of("l4", "l5"), next());
        operation.step();
        assertEquals(List.of("s!"), results(small));
        assertEquals(List.of("t!"), results(later));
        assertEquals(List.of("l0!", "l1!", "l2!", "l3!", "l4!", "l5!"), results(large));
    }

    @Test
    void twoLargeRequestsTakeTurns() {
        busy();
        queue.submit(operation, items("a", 3, 7));
        queue.submit(operation, items("b", 2, 8));
        List<String> order = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            order.addAll(next());
        }
        assertEquals(List.of("a0", "b0", "a1", "b1", "a2"), order);
    }

    @Test
    void aSmallRequestWaitsForTwoBatchesOfLargeOnesAtMost() {
        busy();
        queue.submit(operation, items("a", 2, 6));
        queue.submit(operation, items("b", 2, 6));
        queue.submit(operation, items("c", 2, 6));
        assertEquals(List.of("a0"), next());
        submit(item("s", 1));
        assertEquals(List.of("s", "b0"), next());
        submit(item("t", 1));
        // The last batch passed large ones: their turn.
        assertEquals(List.of("c0", "t"), next());
        submit(item("u", 10));
        assertEquals(List.of("u"), next());
        assertEquals(List.of("a1"), next());
        assertEquals(List.of("b1"), next());
    }

    @Test
    void smallRequestsDoNotStopLargeOnes() {
        busy();
        queue.submit(operation, items("l", 3, 10));
        List<List<String>> batches = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            submit(item("s" + i, 10));
            batches.add(next());
        }
        assertEquals(List.of(List.of("s0"), List.of("l0"), List.of("s1"), List.of("l1"), List.of("s2")), batches);
    }

    @Test
    void aSmallRequestThatIsSplitIsFinishedFirst() {
        busy();
        submit(item("a", 6));
        submit(item("b0", 4), item("b1", 5));
        submit(item("c", 1));
        queue.submit(operation, items("l", 2, 6));
        assertEquals(List.of("a", "b0"), next());
        assertEquals(List.of("l0"), next());
        assertEquals(List.of("b1", "c"), next());
    }

    @Test
    void largeRequestsGiveWayToOtherOperationsToo() {
        busy();
        Stepped other = new Stepped();
        queue.submit(operation, items("a", 3, 6));
        queue.submit(operation, items("b", 3, 6));
        assertEquals(List.of("a0"), next());
        queue.submit(other, List.of(new Item("x", 1)));
        operation.step();
        assertEquals(List.of("x"), other.batch());
        other.step();
        assertEquals(List.of("b0"), operation.batch());
    }

    @Test
    void whatIsLargerThanABatchIsComputedAlone() {
        busy();
        submit(item("a", 5));
        submit(item("over", 25));
        submit(item("c", 5));
        submit(item("d", 5));
        assertEquals(List.of("a", "c"), next());
        assertEquals(List.of("over"), next());
        assertEquals(List.of("d"), next());
    }

    @Test
    void operationsDoNotShareBatches() {
        busy();
        Stepped other = new Stepped();
        submit(item("a", 1));
        queue.submit(other, List.of(item("x", 1)));
        submit(item("b", 1));
        assertEquals(List.of("a"), next());
        operation.step();
        assertEquals(List.of("x"), other.batch());
        other.step();
        assertEquals(List.of("b"), operation.batch());
    }

    @Test
    void whatWasGivenUpIsNotComputed() throws InterruptedException {
        busy();
        Ticket<String> begun = queue.submit(operation, items("l", 3, 8));
        assertEquals(List.of("l0"), next());
        Ticket<String> waiting = submit(item("w", 1));
        Ticket<String> dropped = submit(item("d", 1));
        assertEquals(3, queue.size());
        begun.cancel();
        dropped.cancel();
        assertEquals(1, queue.size());
        submit(item("last", 1));
        assertEquals(List.of("w", "last"), next());
        operation.step();
        assertEquals(List.of("w!"), results(waiting));
    }

    @Test
    void aRequestIsAdmittedWholeOrNotAtAll() throws InterruptedException {
        busy();
        Ticket<String> first = queue.submit(operation, items("a", 3, 10));
        assertProblem(Problem.OVERLOADED, () -> queue.submit(operation, items("b", 2, 6)));
        assertEquals(1, queue.size());
        Ticket<String> fits = queue.submit(operation, items("c", 1, 10));
        assertProblem(Problem.OVERLOADED, () -> submit(item("d", 1)));
        operation.go();
        assertEquals(List.of("a0!", "a1!", "a2!"), results(first));
        assertEquals(List.of("c0!"), results(fits));
    }

    @Test
    void anEmptyQueueTakesARequestOfAnySize() {
        busy();
        Ticket<String> huge = queue.submit(operation, items("h", 50, 10));
        assertProblem(Problem.OVERLOADED, () -> submit(item("d", 1)));
        // Given up, it does not keep others out, although it is still in the queue.
        huge.cancel();
        submit(item("e", 1));
        assertEquals(List.of("e"), next());
    }

    @Test
    void aRequestWithoutItemsIsDoneAtOnce() throws InterruptedException {
        assertEquals(List.of(), results(queue.submit(operation, List.of())));
        assertEquals(0, operation.others());
    }

    static Stream<Throwable> failures() {
        return Stream.of(
                new BackendException("not finite"),
                new IllegalStateException("closed"),
                new OutOfMemoryError("of the test"),
                new StackOverflowError("of the test"));
    }

    @ParameterizedTest
    @MethodSource("failures")
    void aFailureEndsItsOwnRequestOnly(Throwable failure) throws InterruptedException {
        busy();
        Ticket<String> before = submit(item("a0", 1), item("a1", 1));
        Ticket<String> bad = submit(item("b0", 1), new Item("b1", 1, failure), item("b2", 8), item("b3", 8));
        Ticket<String> after = submit(item("c0", 1));
        operation.step();
        assertEquals(List.of("a0", "a1", "c0", "b0", "b1"), operation.batch());
        operation.go();
        assertSame(failure, assertThrows(failure.getClass(), () -> results(bad)));
        assertEquals(List.of("a0!", "a1!"), results(before));
        assertEquals(List.of("c0!"), results(after));
        // The parts of the batch once more; nothing more of the request that failed.
        List<String> rest =
                Stream.generate(operation::batch).limit(3).flatMap(List::stream).toList();
        assertEquals(List.of("a0", "a1", "c0", "b0", "b1"), rest);
        assertEquals(0, operation.others());
    }

    @Test
    void aWrongNumberOfResultsIsAFailure() {
        Operation<String, String> wrong = new Operation<>() {
            @Override
            public int tokens(String item) {
                return 1;
            }

            @Override
            public List<String> compute(List<String> items) {
                return items.subList(1, items.size());
            }
        };
        Ticket<String> ticket = queue.submit(wrong, List.of("a", "b"));
        String message =
                assertThrows(AssertionError.class, () -> results(ticket)).getMessage();
        assertEquals("1 results for 2 items: expected one for each", message);
    }

    @Test
    void closingFinishesTheBatchAtHandAndRefusesTheRest() throws InterruptedException {
        Ticket<String> atHand = submit(item("a", 1));
        Ticket<String> half = queue.submit(operation, items("l", 2, 10));
        assertEquals(List.of("a"), operation.batch());
        assertEquals(List.of("l0"), next());
        Ticket<String> waiting = submit(item("w", 1));
        queue.close();
        assertProblem(Problem.UNAVAILABLE, () -> results(waiting));
        assertProblem(Problem.UNAVAILABLE, () -> results(half));
        assertProblem(Problem.UNAVAILABLE, () -> submit(item("x", 1)));
        operation.step();
        assertEquals(List.of("a!"), results(atHand));
        assertEquals(0, operation.others());
    }

    @Test
    void anErrorOfTheWorkerLeavesNobodyWaiting() throws InterruptedException {
        AtomicBoolean broken = new AtomicBoolean(true);
        Thread.UncaughtExceptionHandler usual = Thread.getDefaultUncaughtExceptionHandler();
        CountDownLatch ended = new CountDownLatch(1);
        Thread.setDefaultUncaughtExceptionHandler((thread, thrown) -> ended.countDown());
        try (BatchQueue fragile = new BatchQueue(1, BUDGET, WAITING, (items, tokens) -> {
            if (items > 1 && broken.getAndSet(false)) {
                throw new OutOfMemoryError("of the test");
            }
        })) {
            fragile.submit(operation, List.of(item("busy", 1)));
            operation.batch();
            Ticket<String> a = fragile.submit(operation, List.of(item("a", 1)));
            Ticket<String> b = fragile.submit(operation, List.of(item("b0", 4), item("b1", 6)));
            Ticket<String> c = fragile.submit(operation, List.of(item("c", 1)));
            operation.step();
            assertThrows(OutOfMemoryError.class, () -> results(a));
            assertThrows(OutOfMemoryError.class, () -> results(b));
            ApiException dropped = assertThrows(ApiException.class, () -> results(c));
            assertEquals(Problem.INTERNAL, dropped.problem());
            assertInstanceOf(OutOfMemoryError.class, dropped.getCause());
            operation.go();
            assertEquals(List.of("d!"), results(fragile.submit(operation, List.of(item("d", 1)))));
            assertEquals(0, fragile.size());
            assertTrue(ended.await(Stepped.SECONDS, TimeUnit.SECONDS));
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(usual);
        }
    }

    @Test
    void theWorkerEndsWhenTheQueueIsClosed() throws InterruptedException {
        ConcurrentLinkedQueue<Thread> workers = new ConcurrentLinkedQueue<>();
        Operation<String, String> noting = new Operation<>() {
            @Override
            public int tokens(String item) {
                return 1;
            }

            @Override
            public List<String> compute(List<String> items) {
                workers.add(Thread.currentThread());
                return items;
            }
        };
        results(queue.submit(noting, List.of("a")));
        results(queue.submit(noting, List.of("b")));
        queue.close();
        assertEquals(1, workers.stream().distinct().count());
        assertTrue(workers.peek().join(Duration.ofSeconds(Stepped.SECONDS)));
    }

    @Test
    void workersComputeSideBySideAndResultsKeepTheirOrder() throws InterruptedException {
        Stepped second = new Stepped();
        try (BatchQueue two = new BatchQueue(2, BUDGET, WAITING, (items, tokens) -> {})) {
            two.submit(operation, List.of(item("busy", 1)));
            assertEquals(List.of("busy"), operation.batch());
            two.submit(second, List.of(item("too", 1)));
            assertEquals(List.of("too"), second.batch());
            // Both are busy. Each then takes one of these.
            Ticket<String> ticket = two.submit(operation, items("a", 2, 9));
            operation.step();
            assertEquals(List.of("a0"), operation.batch());
            second.step();
            assertEquals(List.of("a1"), operation.batch());
            operation.go();
            assertEquals(List.of("a0!", "a1!"), results(ticket));
        }
    }

    @Test
    void anIdleWorkerTakesWhatAnotherLeaves() throws InterruptedException {
        Stepped second = new Stepped();
        try (BatchQueue two = new BatchQueue(2, BUDGET, WAITING, (items, tokens) -> {})) {
            Ticket<String> busy = two.submit(operation, List.of(item("busy", 1)));
            Ticket<String> too = two.submit(second, List.of(item("too", 1)));
            operation.batch();
            second.batch();
            operation.step();
            second.step();
            results(busy);
            results(too);
            // One request, and so one signal, but two batches.
            Ticket<String> ticket = two.submit(operation, items("a", 2, 9));
            assertEquals(Set.of(List.of("a0"), List.of("a1")), Set.of(operation.batch(), operation.batch()));
            operation.go();
            assertEquals(List.of("a0!", "a1!"), results(ticket));
        }
    }

    @Test
    void refusesSenselessLimits() {
        assertThrows(IllegalArgumentException.class, () -> new BatchQueue(0, 1, 1, (items, tokens) -> {}));
        assertThrows(IllegalArgumentException.class, () -> new BatchQueue(1, 0, 1, (items, tokens) -> {}));
        assertThrows(IllegalArgumentException.class, () -> new BatchQueue(1, 1, 0, (items, tokens) -> {}));
    }

    /// Doubles numbers; refuses negative ones.
    private static final class Doubling implements Operation<Integer, Integer> {
        private final AtomicInteger inside = new AtomicInteger();
        private final AtomicLong most = new AtomicLong();

        @Override
        public int tokens(Integer item) {
            return Math.abs(item) % 13 + 1;
        }

        @Override
        public List<Integer> compute(List<Integer> items) {
            assertTrue(inside.incrementAndGet() <= WORKERS);
            try {
                long tokens = items.stream().mapToInt(this::tokens).sum();
                most.accumulateAndGet(items.size() == 1 ? 0 : tokens, Math::max);
                if (items.stream().anyMatch(item -> item < 0)) {
                    throw new BackendException("negative");
                }
                return items.stream().map(item -> 2 * item).toList();
            } finally {
                inside.decrementAndGet();
            }
        }
    }

    @Test
    void manyThreadsGetTheirOwnResults() throws Exception {
        Doubling first = new Doubling();
        Doubling second = new Doubling();
        AtomicInteger answered = new AtomicInteger();
        AtomicInteger refused = new AtomicInteger();
        try (BatchQueue shared = new BatchQueue(WORKERS, BUDGET, 20_000, (items, tokens) -> {});
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> clients = new ArrayList<>();
            for (int client = 0; client < 300; client++) {
                Random random = new Random(client);
                clients.add(threads.submit(() -> {
                    for (int request = 0; request < 40; request++) {
                        oneRequest(shared, random.nextBoolean() ? first : second, random, answered, refused);
                    }
                    return null;
                }));
            }
            for (Future<?> client : clients) {
                client.get(100, TimeUnit.SECONDS);
            }
            assertEquals(0, shared.size());
            // Nothing counts as waiting any more: two requests of all there is room for, one after the other.
            assertEquals(List.of(26), shared.submit(first, List.of(13)).await(soon()));
        }
        assertEquals(300 * 40, answered.get() + refused.get());
        assertTrue(answered.get() > 300 * 40 / 2, answered + " were answered");
        assertTrue(first.most.get() <= BUDGET && first.most.get() > BUDGET / 2, first.most + " tokens");
    }

    private static void oneRequest(
            BatchQueue shared, Doubling operation, Random random, AtomicInteger answered, AtomicInteger refused)
            throws InterruptedException {
        List<Integer> items =
                random.ints(1 + random.nextInt(6), 0, 1000).boxed().toList();
        int fate = random.nextInt(20);
        if (fate == 0) {
            List<Integer> bad = new ArrayList<>(items);
            bad.set(random.nextInt(bad.size()), -1);
            items = List.copyOf(bad);
        }
        try {
            Ticket<Integer> ticket = shared.submit(operation, items);
            if (fate == 1) {
                ticket.cancel();
                refused.incrementAndGet();
                return;
            }
            List<Integer> results = ticket.await(fate == 2 ? System.nanoTime() : soon());
            assertEquals(items.stream().map(item -> 2 * item).toList(), results);
            answered.incrementAndGet();
        } catch (BackendException e) {
            assertEquals(0, fate);
            refused.incrementAndGet();
        } catch (ApiException e) {
            assertTrue(e.problem() == Problem.OVERLOADED || fate == 2 && e.problem() == Problem.TIMEOUT, e.toString());
            refused.incrementAndGet();
        }
    }
}
