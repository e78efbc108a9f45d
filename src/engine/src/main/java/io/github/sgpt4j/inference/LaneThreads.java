package io.github.sgpt4j.inference;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.call.Uninterrupted;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/// Worker threads of the thread that creates this object and waits for them.
public final class LaneThreads {
    private final Thread waiter = Thread.currentThread();
    private final ThreadFactory factory;
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicInteger running = new AtomicInteger();

    /// @param factory makes daemon threads
    LaneThreads(ThreadFactory factory) {
        this.factory = factory;
    }

    int count() {
        return threads.size();
    }

    /// Runs `work`, which must not throw, on one more thread.
    ///
    /// @return whether the thread could be started: limits of processes or memory may forbid it
    boolean start(Runnable work) {
        Thread thread = factory.newThread(() -> {
            try {
                work.run();
            } finally {
                running.decrementAndGet();
                LockSupport.unpark(waiter);
            }
        });
        running.incrementAndGet();
        try {
            thread.start();
        } catch (OutOfMemoryError e) {
            running.decrementAndGet();
            return false;
        }
        threads.add(thread);
        return true;
    }

    /// Waits until all have ended. Interrupts of this thread do not end the wait; its interrupt status
    /// is kept.
    ///
    /// @param cancellation of the call, which informs the other threads of an interrupt at any time
    void await(Cancellation cancellation) {
        boolean interrupted = false;
        while (running.get() > 0) {
            if (waiter.isInterrupted()) {
                // In this order, so that the interrupt is visible at any time.
                cancellation.noteInterrupt();
                interrupted |= Thread.interrupted();
            }
            LockSupport.park(this);
        }
        Uninterrupted.join(threads);
        if (interrupted) {
            waiter.interrupt();
        }
    }
}
