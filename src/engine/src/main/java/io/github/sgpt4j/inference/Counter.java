package io.github.sgpt4j.inference;

import io.github.sgpt4j.call.Cancellation;

/// Counts finished items and reports them to a [Progress], by one thread at a time.
public final class Counter {
    private final Progress progress;
    private final Cancellation cancellation;
    private final long total;
    private long done;

    /// @param cancellation of the call, which the listener may interrupt
    Counter(Progress progress, Cancellation cancellation, long total, long done) {
        this.progress = progress;
        this.cancellation = cancellation;
        this.total = total;
        this.done = done;
        cancellation.reached(done, total);
    }

    synchronized void add(long finished) {
        done += finished;
        cancellation.reached(done, total);
        progress.update(done, total);
        cancellation.checkAfterListener();
    }
}
