package io.github.sgpt4j.server.inference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Which thread does work, in which order, and how it ends.
@Timeout(60)
class LongWorkTest {
    private static final long LONG = LongWork.SHORT + 1;
    private static final long VERY_LONG = 1L << 40;

    private final LongWork work = new LongWork(1);
    private final List<String> order = Collections.synchronizedList(new ArrayList<>());
    private final List<Thread> threads = new ArrayList<>();

    @AfterEach
    void end() {
        work.close();
    }

    private static Deadline later() {
        return Deadline.after(Duration.ofSeconds(50));
    }

    private static void acquire(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        }
    }

    /// Asks for work on a thread of its own, and waits until it waits.
    private void begin(long size, Supplier<String> doing) throws InterruptedException {
        Thread thread = Thread.ofPlatform().start(() -> {
            try {
                work.run(size, later(), doing);
            } catch (ApiException e) {
                order.add(e.problem().name());
            }
        });
        threads.add(thread);
        while (thread.getState() != Thread.State.TIMED_WAITING && thread.isAlive()) {
            Thread.sleep(1);
        }
    }

    private void join() throws InterruptedException {
        for (Thread thread : threads) {
            thread.join();
        }
    }

    @Test
    void shortWorkStaysAndLongWorkGoesToAThreadOfThePlatform() throws InterruptedException {
        assertSame(Thread.currentThread(), work.run(LongWork.SHORT, later(), Thread::currentThread));
        AtomicReference<Thread> doing = new AtomicReference<>();
        Thread.ofVirtual()
                .start(() -> doing.set(work.run(LONG, later(), Thread::currentThread)))
                .join();
        assertFalse(doing.get().isVirtual());
    }

    @Test
    void shorterWorkPassesLongerAndEqualWorkKeepsItsOrder() throws InterruptedException {
        CountDownLatch busy = new CountDownLatch(1);
        begin(LONG, () -> {
            acquire(busy);
            return "";
        });
        for (String name : List.of("long a", "medium b", "short c", "long d", "short e")) {
            long size = name.startsWith("long") ? VERY_LONG : name.startsWith("medium") ? VERY_LONG / 2 : LONG;
            begin(size, () -> {
                order.add(name);
                return name;
            });
        }
        busy.countDown();
        join();
        assertEquals(List.of("short c", "short e", "medium b", "long a", "long d"), order);
    }

    @Test
    void whatIsNotDoneInTimeIsInterruptedAndTheNextIsDone() {
        CountDownLatch never = new CountDownLatch(1);
        Deadline soon = Deadline.after(Duration.ofMillis(50));
        ApiException late = assertThrows(
                ApiException.class,
                () -> work.run(LONG, soon, () -> {
                    acquire(never);
                    return "";
                }));
        assertEquals(Problem.TIMEOUT, late.problem());
        assertEquals("next", work.run(LONG, later(), () -> "next"));
        assertFalse(work.run(LONG, later(), Thread::interrupted));
    }

    @Test
    void failuresAreThoseOfTheWork() {
        for (Throwable failure : List.of(new ApiException(Problem.EMPTY_INPUT, "a"), new OutOfMemoryError("b"))) {
            assertSame(
                    failure,
                    assertThrows(
                            failure.getClass(),
                            () -> work.run(LONG, later(), () -> {
                                switch (failure) {
                                    case RuntimeException e -> throw e;
                                    case Error e -> throw e;
                                    default -> throw new AssertionError();
                                }
                            })));
        }
    }

    @Test
    void closingEndsWhatIsDoneAndWhatWaits() throws InterruptedException {
        CountDownLatch never = new CountDownLatch(1);
        for (int i = 0; i < 3; i++) {
            begin(LONG, () -> {
                acquire(never);
                return "";
            });
        }
        work.close();
        join();
        assertTrue(Collections.frequency(order, "UNAVAILABLE") >= 2, order.toString());
        ApiException closed = assertThrows(ApiException.class, () -> work.run(LONG, later(), () -> ""));
        assertEquals(Problem.UNAVAILABLE, closed.problem());
    }
}
