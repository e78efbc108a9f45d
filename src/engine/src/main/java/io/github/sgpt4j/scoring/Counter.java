package io.github.sgpt4j.scoring;

/// Counts finished items for a [Progress] that is told by one thread at a time.
final class Counter {
    private final Progress progress;
    private final long total;
    private long done;

    Counter(Progress progress, long total, long done) {
        this.progress = progress;
        this.total = total;
        this.done = done;
    }

    synchronized void add(long finished) {
        done += finished;
        progress.update(done, total);
    }
}
