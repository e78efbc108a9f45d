package io.github.sgpt4j.cli;

import io.github.sgpt4j.ProgressListener;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import me.tongfei.progressbar.ProgressState;

/// A progress bar on stderr, if that is a terminal and nobody asked for quiet; otherwise nothing.
final class ProgressDisplay implements AutoCloseable {
    private static final int UPDATE_MILLIS = 200;
    private static final int MOST_COLUMNS = 100;

    private static final double MILLIS = 1000;
    private static final ProgressDisplay NONE = new ProgressDisplay(Optional.empty());

    private final Optional<ProgressBar> bar;

    private ProgressDisplay(Optional<ProgressBar> bar) {
        this.bar = bar;
    }

    /// @param total steps until the end, empty if unknown
    static ProgressDisplay start(Console console, boolean quiet, String task, OptionalLong total) {
        return isShown(console, quiet)
                ? new ProgressDisplay(
                        Optional.of(builder(console, task, total.orElse(-1)).build()))
                : NONE;
    }

    /// Tells the time left by the pace of the last half minute.
    static ProgressDisplay startSteady(Console console, boolean quiet, String task, long total) {
        if (!isShown(console, quiet)) {
            return NONE;
        }
        Pace pace = new Pace();
        return new ProgressDisplay(Optional.of(builder(console, task, total)
                .setEtaFunction(state -> timeLeft(pace, state))
                .build()));
    }

    private static boolean isShown(Console console, boolean quiet) {
        return !quiet && console.columns() > 0;
    }

    private static ProgressBarBuilder builder(Console console, String task, long total) {
        int columns = Math.min(MOST_COLUMNS, console.columns());
        return new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(total)
                .setUpdateIntervalMillis(UPDATE_MILLIS)
                .setStyle(ProgressBarStyle.ASCII)
                .clearDisplayOnFinish()
                .setConsumer(new ConsoleProgressBarConsumer(console.err(), columns));
    }

    private static Optional<Duration> timeLeft(Pace pace, ProgressState state) {
        pace.add(state.getTotalElapsed().toMillis() / MILLIS, state.getCurrent());
        double perSecond = pace.perSecond();
        long left = Math.max(0, state.getMax() - state.getCurrent());
        return perSecond > 0 ? Optional.of(Duration.ofSeconds(Math.round(left / perSecond))) : Optional.empty();
    }

    /// Shows a few words behind the bar.
    void say(String words) {
        bar.ifPresent(b -> b.setExtraMessage(words));
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
