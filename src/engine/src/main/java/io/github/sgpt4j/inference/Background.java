package io.github.sgpt4j.inference;

import io.github.sgpt4j.call.Cancellation;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/// A computation on another thread. Closing waits for it, so nothing runs afterwards.
///
/// @param future completed by the other thread
public record Background<T>(CompletableFuture<T> future) implements AutoCloseable {
    /// Starts on a thread of `executor`; if the system has no more threads, computes on the current
    /// one.
    public static <T> Background<T> start(Supplier<T> computation, Executor executor) {
        try {
            return new Background<>(CompletableFuture.supplyAsync(computation, executor));
        } catch (OutOfMemoryError e) {
            return new Background<>(CompletableFuture.supplyAsync(computation, Runnable::run));
        }
    }

    /// Waits for the result, or throws the computation's exception.
    ///
    /// @param cancellation of the waiting call
    /// @throws io.github.sgpt4j.error.CancelledException if the call is cancelled first
    public T result(Cancellation cancellation) {
        boolean interrupted = false;
        try {
            while (true) {
                cancellation.check();
                try {
                    return future.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                    cancellation.noteInterrupt();
                }
            }
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                case null, default -> throw new IllegalStateException(e);
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void close() {
        future.handle((result, failure) -> failure == null).join();
    }
}
