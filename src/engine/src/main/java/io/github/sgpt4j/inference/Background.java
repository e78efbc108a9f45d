package io.github.sgpt4j.inference;

import io.github.sgpt4j.call.Cancellation;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/// Something that is computed on another thread meanwhile. Closing waits for it: nothing goes on afterwards.
///
/// @param future completed by the other thread
public record Background<T>(CompletableFuture<T> future) implements AutoCloseable {
    /// Begins on a thread of `executor`; where the system gives no thread, it is computed now.
    public static <T> Background<T> start(Supplier<T> computation, Executor executor) {
        try {
            return new Background<>(CompletableFuture.supplyAsync(computation, executor));
        } catch (OutOfMemoryError e) {
            return new Background<>(CompletableFuture.supplyAsync(computation, Runnable::run));
        }
    }

    /// Waits for what the other thread computed, or throws what it threw.
    ///
    /// @param cancellation of the call that waits
    /// @throws io.github.sgpt4j.error.CancelledException if the call is cancelled before
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
