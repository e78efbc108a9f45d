package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.CancelledException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/// One thread interrupts others, which embed and score over one model: every call is either cancelled
/// or gives bit-identical results.
final class InterruptStorm {
    private static final long SEED = Long.getLong("sgpt4j.seed", 4096);
    private static final List<String> TEXTS = IntStream.range(0, 12)
            .mapToObj(i -> i + " planets" + " not too far from Earth".repeat(i % 3))
            .toList();

    private final BiEncoder encoder;
    private final CrossEncoder scorer;
    private final float[][] vectors;
    private final List<CrossEncoder.Score> scores;
    private final AtomicInteger cancelled = new AtomicInteger();
    private volatile boolean over;

    private InterruptStorm(Model model) {
        encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT.withBatchTokens(24));
        scorer = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT.withBatchTokens(80));
        vectors = encoder.embed(TEXTS);
        scores = scorer.score("snow", TEXTS);
    }

    /// @param cancellations number of calls to cancel
    static void run(Model model, int cancellations) throws InterruptedException, ExecutionException {
        new InterruptStorm(model).run(cancellations);
    }

    private void run(int cancellations) throws InterruptedException, ExecutionException {
        Map<String, Integer> threads = threads();
        List<FutureTask<Integer>> tasks = new ArrayList<>();
        List<Thread> callers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            FutureTask<Integer> task = new FutureTask<>(i % 2 == 0 ? this::embedUntilOver : this::scoreUntilOver);
            tasks.add(task);
            callers.add(
                    i == 3
                            ? Thread.ofVirtual().start(task)
                            : Thread.ofPlatform().daemon().start(task));
        }
        Random random = new Random(SEED);
        while (cancelled.get() < cancellations && tasks.stream().noneMatch(FutureTask::isDone)) {
            LockSupport.parkNanos(random.nextInt(1_000_000));
            callers.get(random.nextInt(callers.size())).interrupt();
        }
        over = true;
        for (FutureTask<Integer> task : tasks) {
            assertTrue(task.get() > 0, "calls of each thread");
        }
        for (Thread caller : callers) {
            caller.join();
        }
        assertEquals(threads, threads());
        embed();
        score();
    }

    /// Number of the library's threads, by name.
    private static Map<String, Integer> threads() {
        Map<String, Integer> counts = new TreeMap<>();
        Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("sgpt4j"))
                .forEach(name -> counts.merge(name, 1, Integer::sum));
        return counts;
    }

    private int embedUntilOver() {
        return untilOver(this::embed);
    }

    private int scoreUntilOver() {
        return untilOver(this::score);
    }

    /// Number of calls made; the last one is not cancelled.
    private int untilOver(Runnable call) {
        int calls = 0;
        boolean last;
        do {
            last = over;
            Thread.interrupted();
            try {
                call.run();
            } catch (CancelledException e) {
                assertTrue(Thread.currentThread().isInterrupted(), "the status stays set");
                cancelled.incrementAndGet();
            }
            calls++;
        } while (!last);
        return calls;
    }

    private void embed() {
        assertArrayEquals(vectors, encoder.embed(TEXTS));
    }

    private void score() {
        assertEquals(scores, scorer.score("snow", TEXTS));
    }
}
