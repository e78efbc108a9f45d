package io.github.sgpt4j.server.batching;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a request waits for.
@Timeout(60)
class TicketTest {
    private final Ticket<String> ticket = new Ticket<>(3);

    private static long soon() {
        return System.nanoTime() + TimeUnit.SECONDS.toNanos(50);
    }

    @Test
    void waitsForAllResults() throws Exception {
        FutureTask<List<String>> waiting = new FutureTask<>(() -> ticket.await(soon()));
        Thread.startVirtualThread(waiting);
        ticket.begin();
        ticket.deliver(2, List.of("c"));
        ticket.deliver(0, List.of("a", "b"));
        assertEquals(List.of("a", "b", "c"), waiting.get());
        assertFalse(ticket.isOver());
    }

    @Test
    void aFailureEndsTheWait() throws Exception {
        BackendException failure = new BackendException("not finite");
        FutureTask<List<String>> waiting = new FutureTask<>(() -> ticket.await(soon()));
        Thread.startVirtualThread(waiting);
        ticket.deliver(0, List.of("a"));
        ticket.fail(failure);
        assertSame(
                failure,
                assertThrows(java.util.concurrent.ExecutionException.class, waiting::get)
                        .getCause());
        assertTrue(ticket.isOver());
    }

    @Test
    void aDeadlineGivesUpTheRest() {
        ticket.deliver(0, List.of("a", "b"));
        ApiException late = assertThrows(ApiException.class, () -> ticket.await(System.nanoTime() - 1));
        assertEquals(Problem.TIMEOUT, late.problem());
        assertEquals("2 of 3 inputs were computed in time", late.sentence());
        assertTrue(ticket.isOver());
    }

    @Test
    void whatIsThereInTimeIsGivenEvenAfterTheDeadline() throws InterruptedException {
        ticket.deliver(0, List.of("a", "b", "c"));
        assertEquals(List.of("a", "b", "c"), ticket.await(System.nanoTime() - 1));
    }

    @Test
    void anInterruptGivesUpTheRest() throws InterruptedException {
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> ticket.await(soon()));
        assertFalse(Thread.interrupted());
        assertTrue(ticket.isOver());
    }

    @Test
    void measuresWaitAndComputation() {
        assertEquals(0, ticket.inferenceSeconds());
        double early = ticket.queueSeconds();
        assertTrue(early >= 0);
        ticket.begin();
        double waited = ticket.queueSeconds();
        assertTrue(waited >= early);
        ticket.begin();
        ticket.deliver(0, List.of("a", "b", "c"));
        double computed = ticket.inferenceSeconds();
        assertTrue(computed > 0);
        // They stand still.
        assertEquals(waited, ticket.queueSeconds());
        assertEquals(computed, ticket.inferenceSeconds());
    }
}
