package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.progress.Pace;
import io.github.sgpt4j.cli.progress.ProgressDisplay;
import io.github.sgpt4j.retrieval.UpdateListener;
import io.github.sgpt4j.retrieval.UpdateReport;
import java.io.Closeable;
import java.util.Locale;
import java.util.function.LongSupplier;

/// Shows the progress of indexing: share of the corpus's bytes, documents, their rate, and the time left.
public final class IndexProgress implements UpdateListener, Closeable {
    private static final int KILOBYTE = 1000;
    private static final double NANOS = 1e9;

    private final LongSupplier read;
    private final ProgressDisplay display;
    private final Pace documents = new Pace();
    private long from;
    private long to;
    private long committed;
    private long batchStart;

    /// @param bytes of the corpus, 0 if that is unknown
    /// @param read bytes that were read so far
    public IndexProgress(Console console, boolean quiet, long bytes, LongSupplier read) {
        this.read = read;
        display = ProgressDisplay.startSteady(console, quiet, "index (kB)", kilobytes(bytes));
    }

    private static long kilobytes(long bytes) {
        return bytes / KILOBYTE;
    }

    @Override
    public void batchRead() {
        from = to;
        to = kilobytes(read.getAsLong());
        batchStart = committed;
    }

    @Override
    public void embedded(long done, long total) {
        show(from + Math.round((double) (to - from) * done / Math.max(1, total)), batchStart + done);
    }

    @Override
    public void committed(UpdateReport soFar) {
        committed = soFar.read();
        show(to, committed);
    }

    private void show(long position, long count) {
        documents.add(System.nanoTime() / NANOS, count);
        display.to(position);
        display.say(String.format(Locale.ROOT, "%,d documents, %.0f/s", count, documents.perSecond()));
    }

    @Override
    public void close() {
        display.close();
    }
}
