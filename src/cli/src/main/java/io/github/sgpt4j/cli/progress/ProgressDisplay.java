package io.github.sgpt4j.cli.progress;

import io.github.sgpt4j.ProgressListener;
import io.github.sgpt4j.cli.console.Console;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import me.tongfei.progressbar.ProgressState;

/// A progress bar on stderr, if that is a terminal and `--quiet` is not given; otherwise nothing.
public final class ProgressDisplay implements AutoCloseable {
    private static final int UPDATE_MILLIS = 200;
    private static final int MAX_COLUMNS = 100;
    private static final long MEGABYTE = 1_000_000;
    private static final double MILLIS = 1000;

    private final Optional<ProgressBar> bar;

    private ProgressDisplay(Optional<ProgressBar> bar) {
        this.bar = bar;
    }

    /// @param total number of steps, empty if unknown
    public static ProgressDisplay start(Console console, boolean quiet, String task, OptionalLong total) {
        return start(console, quiet, task, total, builder -> builder);
    }

    /// A bar for bytes, with their rate.
    ///
    /// @param done bytes present at the start
    public static ProgressDisplay startBytes(Console console, boolean quiet, String task, long done, long total) {
        DecimalFormat rate = new DecimalFormat("0.0", DecimalFormatSymbols.getInstance(Locale.ROOT));
        return start(
                console,
                quiet,
                task,
                OptionalLong.of(total),
                builder -> builder.setUnit(" MB", MEGABYTE).showSpeed(rate).startsFrom(done, Duration.ZERO));
    }

    /// A bar that estimates the remaining time from the pace of the last half minute.
    public static ProgressDisplay startSteady(Console console, boolean quiet, String task, long total) {
        return startSteady(console, quiet, task, 0, total);
    }

    /// The same for work of which some was done earlier.
    public static ProgressDisplay startSteady(Console console, boolean quiet, String task, long done, long total) {
        Pace pace = new Pace();
        return start(
                console,
                quiet,
                task,
                OptionalLong.of(total),
                builder -> builder.startsFrom(done, Duration.ZERO).setEtaFunction(state -> timeLeft(pace, state)));
    }

    private static Optional<Duration> timeLeft(Pace pace, ProgressState state) {
        pace.add(state.getTotalElapsed().toMillis() / MILLIS, state.getCurrent());
        double perSecond = pace.perSecond();
        long left = Math.max(0, state.getMax() - state.getCurrent());
        return perSecond > 0 ? Optional.of(Duration.ofSeconds(Math.round(left / perSecond))) : Optional.empty();
    }

    private static ProgressDisplay start(
            Console console, boolean quiet, String task, OptionalLong total, UnaryOperator<ProgressBarBuilder> more) {
        if (quiet || console.columns() == 0) {
            return new ProgressDisplay(Optional.empty());
        }
        int columns = Math.min(MAX_COLUMNS, console.columns());
        ProgressBarBuilder builder = new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(total.orElse(-1))
                .setUpdateIntervalMillis(UPDATE_MILLIS)
                .setStyle(ProgressBarStyle.ASCII)
                .clearDisplayOnFinish()
                .setConsumer(new ConsoleProgressBarConsumer(console.err(), columns));
        return new ProgressDisplay(Optional.of(more.apply(builder).build()));
    }

    /// Shows a few words after the bar.
    public void say(String words) {
        bar.ifPresent(b -> b.setExtraMessage(words));
    }

    public void to(long done) {
        bar.ifPresent(b -> b.stepTo(done));
    }

    /// @param total number of steps, which may have changed
    public void to(long done, long total) {
        bar.ifPresent(b -> b.maxHint(total).stepTo(done));
    }

    /// A listener for a call that does the part of the work between two steps.
    public ProgressListener between(long from, long to) {
        return bar.isEmpty()
                ? ProgressListener.NONE
                : (done, total) -> to(from + Math.round((double) (to - from) * done / Math.max(1, total)));
    }

    @Override
    public void close() {
        bar.ifPresent(ProgressBar::close);
    }
}
