package io.github.sgpt4j.call;

import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;

/// Short work that no interrupt may reach, on a thread of its own.
///
/// Mapping a file is such: where an interrupt meets it, [java.nio.channels.FileChannel#map] throws away what it has
/// mapped, and that stays mapped until the process ends.
public final class Uninterrupted {
    private Uninterrupted() {}

    /// Waits for what `work` gives or throws, however often this thread is interrupted; its interrupt status stays.
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

    /// Waits until threads have ended, however often this thread is interrupted; its interrupt status stays.
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
