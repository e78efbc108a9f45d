package io.github.sgpt4j.inference;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.call.Uninterrupted;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/// Threads that compute for the thread that makes this, which waits for them.
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

    /// Runs `work`, which throws nothing, on one more thread.
    ///
    /// @return whether there is one: a limit of processes or memory may allow no more
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

    /// Waits until all have ended, however often this thread is interrupted; its interrupt status stays.
    ///
    /// @param cancellation of the call, through which the others know of an interrupt at any time
    void await(Cancellation cancellation) {
        boolean interrupted = false;
        while (running.get() > 0) {
            if (waiter.isInterrupted()) {
                // In this order: there is no time when neither tells.
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
