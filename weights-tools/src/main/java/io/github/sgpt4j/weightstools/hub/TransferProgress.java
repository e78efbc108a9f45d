package io.github.sgpt4j.weightstools.hub;

import java.util.concurrent.TimeUnit;

/// Adds up the transfers of several threads, and calls a listener from one thread at a time.
final class TransferProgress implements HubListener {
    private static final long INTERVAL = TimeUnit.MILLISECONDS.toNanos(100);

    private final HubListener listener;
    private long done;
    private long total;
    private long told = System.nanoTime() - INTERVAL;

    TransferProgress(HubListener listener) {
        this.listener = listener;
    }

    /// Adds bytes still to be transferred.
    synchronized void expect(long bytes) {
        total += bytes;
        progress(done, total);
    }

    /// Adds transferred bytes; a negative number takes back bytes that were discarded.
    synchronized void add(long bytes) {
        done += bytes;
        long now = System.nanoTime();
        if (now - told >= INTERVAL || done == total) {
            told = now;
            progress(done, total);
        }
    }

    @Override
    public synchronized void notice(String sentence) {
        listener.notice(sentence);
    }

    @Override
    public synchronized void progress(long doneNow, long totalNow) {
        listener.progress(doneNow, totalNow);
    }

    @Override
    public synchronized void fetched(String path, long bytes) {
        listener.fetched(path, bytes);
    }
}
