package io.github.sgpt4j.call;

import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Short work that no interrupt may reach, on a thread of its own.
///
/// Mapping a file is such: where an interrupt meets it, [java.nio.channels.FileChannel#map] throws away what it has
/// mapped, and that stays mapped until the process ends.
public final class Uninterrupted {
    private Uninterrupted() {}

    /// Waits for what `work` gives or throws, however often this thread is interrupted; its interrupt status stays.
    public static <T> T get(Supplier<T> work) {
        Outcome<T> outcome = new Outcome<>(work);
        Thread thread = Thread.ofPlatform().daemon().name("sgpt4j-open").start(outcome);
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return outcome.get();
    }

    private static final class Outcome<T> implements Runnable {
        private final Supplier<T> work;
        private Optional<T> value = Optional.empty();
        private @Nullable Throwable failure;

        Outcome(Supplier<T> work) {
            this.work = work;
        }

        @Override
        public void run() {
            try {
                value = Optional.of(work.get());
            } catch (RuntimeException | Error e) {
                failure = e;
            }
        }

        /// To be asked when the thread has ended.
        T get() {
            switch (failure) {
                case null -> {}
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                case Throwable e -> throw new IllegalStateException(e);
            }
            return value.orElseThrow();
        }
    }
}
