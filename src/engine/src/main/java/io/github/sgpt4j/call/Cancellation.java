package io.github.sgpt4j.call;

import io.github.sgpt4j.error.CancelledException;
import org.jspecify.annotations.Nullable;

/// Whether a call should continue: it ends early when the calling thread is interrupted. There is one
/// object per call, passed to all code that works for the call, on any thread. A check costs one
/// volatile read.
public final class Cancellation {
    /// For work that is never cancelled.
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

    /// For a call by the current thread.
    ///
    /// @param call what it does, for the message: `embedding texts`
    public static Cancellation ofThisThread(String call) {
        return new Cancellation(Thread.currentThread(), call);
    }

    /// Returns if the call should continue.
    ///
    /// @throws CancelledException if the calling thread is interrupted
    public void check() {
        if (interrupted || caller != null && caller.isInterrupted()) {
            String reached = total > 0 ? " after %d of %d".formatted(done, total) : "";
            throw new CancelledException(
                    "%s was cancelled%s: the calling thread was interrupted".formatted(call, reached));
        }
    }

    /// As [#check], after a listener has run on this thread, which may not be the caller's. If the
    /// listener interrupted the thread it ran on, that cancels the call.
    public void checkAfterListener() {
        if (caller != null && Thread.currentThread().isInterrupted()) {
            caller.interrupt();
        }
        check();
    }

    /// Records that an interrupt ended a wait of this thread. The wait has cleared the interrupt
    /// status, and the waiting code sets it again at its end; until then this note tells the other
    /// threads.
    public void noteInterrupt() {
        if (Thread.currentThread().equals(caller)) {
            interrupted = true;
        }
    }

    /// Records the progress of the call, for the message.
    public void reached(long done, long total) {
        this.done = done;
        this.total = total;
    }
}
