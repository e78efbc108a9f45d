package io.github.sgpt4j.call;

import io.github.sgpt4j.error.CancelledException;
import org.jspecify.annotations.Nullable;

/// Whether a call is to go on: it ends early when the thread that made it is interrupted. One object for each call,
/// handed to everything that works for it, on whichever thread; asking it costs a volatile read.
public final class Cancellation {
    /// Of work that is always finished.
    public static final Cancellation NEVER = new Cancellation(null, "work");

    private final @Nullable Thread caller;
    private final String call;
    private volatile boolean interrupted;
    private volatile long done;
    private volatile long total;

    private Cancellation(@Nullable Thread caller, String call) {
        this.caller = caller;
        this.call = call;
    }

    /// Of a call that this thread makes.
    ///
    /// @param call what it does, for the message: `embedding texts`
    public static Cancellation ofThisThread(String call) {
        return new Cancellation(Thread.currentThread(), call);
    }

    /// Returns if the call is to go on.
    ///
    /// @throws CancelledException if the thread that made the call is interrupted
    public void check() {
        if (interrupted || caller != null && caller.isInterrupted()) {
            String reached = total > 0 ? " after %d of %d".formatted(done, total) : "";
            throw new CancelledException(
                    "%s was cancelled%s: the calling thread was interrupted".formatted(call, reached));
        }
    }

    /// As [#check], after code that is not ours has run on this thread, which may be another than the caller's: if
    /// that interrupted the thread it was on, it meant the call.
    public void checkAfterListener() {
        if (caller != null && Thread.currentThread().isInterrupted()) {
            caller.interrupt();
        }
        check();
    }

    /// Takes note that an interrupt ended a wait of this thread. The interrupt status is clear then, and whoever waited
    /// sets it again in the end: meanwhile the others should know.
    public void noteInterrupt() {
        if (Thread.currentThread().equals(caller)) {
            interrupted = true;
        }
    }

    /// Takes note how far the call is, for the message.
    public void reached(long done, long total) {
        this.done = done;
        this.total = total;
    }
}
