package io.github.sgpt4j.retrieval.interrupts;

import io.github.sgpt4j.error.CancelledException;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;

/// Ends calls on interrupted threads.
public final class Interrupts {
    private Interrupts() {}

    /// Ends a call if its thread was interrupted. Costs one read of memory, so loops may call it often.
    ///
    /// @param call what is cancelled, such as `search`
    /// @throws CancelledException if the thread is interrupted; it stays interrupted
    public static void check(String call) {
        if (Thread.currentThread().isInterrupted()) {
            throw cancelled(call + " was cancelled");
        }
    }

    /// As [#check(String)], and says how far the call was.
    ///
    /// @param done completed parts of `total`
    /// @throws CancelledException if the thread is interrupted; it stays interrupted
    public static void check(String call, long done, long total) {
        if (Thread.currentThread().isInterrupted()) {
            throw cancelled("%s was cancelled after %d of %d".formatted(call, done, total));
        }
    }

    /// Ends a call that failed because an interrupt closed a channel that the call reads from.
    ///
    /// @param where what is read
    /// @throws CancelledException if that is why it failed
    public static void checkCause(String where, IOException failure) {
        if (failure instanceof ClosedByInterruptException) {
            throw cancelled(where + ": reading was cancelled");
        }
    }

    private static CancelledException cancelled(String what) {
        return new CancelledException(what + ": the calling thread was interrupted");
    }
}
