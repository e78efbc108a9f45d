package io.github.sgpt4j.call;

import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;

/// Short work on its own thread, so that no interrupt reaches it.
///
/// Mapping a file needs this: if interrupted, [java.nio.channels.FileChannel#map] loses the mapping,
/// which then stays until the process ends.
public final class Uninterrupted {
    private Uninterrupted() {}

    /// Waits for the result of `work`, or throws its exception. Interrupts of this thread do not end
    /// the wait; its interrupt status is kept.
    public static <T> T get(Supplier<T> work) {
        FutureTask<T> task = new FutureTask<>(work::get);
        join(List.of(Thread.ofPlatform().daemon().name("sgpt4j-open").start(task)));
        if (task.state() == Future.State.SUCCESS) {
            return task.resultNow();
        }
        switch (task.exceptionNow()) {
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case Throwable e -> throw new IllegalStateException(e);
        }
    }

    /// Waits until threads have ended. Interrupts of this thread do not end the wait; its interrupt
    /// status is kept.
    public static void join(List<Thread> threads) {
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
