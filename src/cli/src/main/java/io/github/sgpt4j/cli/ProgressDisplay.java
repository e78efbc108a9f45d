package io.github.sgpt4j.cli;

import io.github.sgpt4j.ProgressListener;
import java.util.Optional;
import java.util.OptionalLong;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/// A progress bar on stderr, if that is a terminal and nobody asked for quiet; otherwise nothing.
final class ProgressDisplay implements AutoCloseable {
    private static final int UPDATE_MILLIS = 200;
    private static final int MOST_COLUMNS = 100;

    private final Optional<ProgressBar> bar;

    private ProgressDisplay(Optional<ProgressBar> bar) {
        this.bar = bar;
    }

    /// @param total steps until the end, empty if unknown
    static ProgressDisplay start(Console console, boolean quiet, String task, OptionalLong total) {
        if (quiet || console.columns() == 0) {
            return new ProgressDisplay(Optional.empty());
        }
        int columns = Math.min(MOST_COLUMNS, console.columns());
        return new ProgressDisplay(Optional.of(new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(total.orElse(-1))
                .setUpdateIntervalMillis(UPDATE_MILLIS)
                .setStyle(ProgressBarStyle.ASCII)
                .clearDisplayOnFinish()
                .setConsumer(new ConsoleProgressBarConsumer(console.err(), columns))
                .build()));
    }

    void to(long done) {
        bar.ifPresent(b -> b.stepTo(done));
    }

    /// A listener of a call that is the part of the work between two steps.
    ProgressListener between(long from, long to) {
        return bar.isEmpty()
                ? ProgressListener.NONE
                : (done, total) -> to(from + Math.round((double) (to - from) * done / Math.max(1, total)));
    }

    @Override
    public void close() {
        bar.ifPresent(ProgressBar::close);
    }
}
