package io.github.sgpt4j.cli.progress;

import io.github.sgpt4j.cli.console.Console;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// Shows the progress of work on files in megabytes.
public final class MegabyteProgress implements AutoCloseable {
    private static final int MEGABYTE = 1_000_000;

    private final Console console;
    private final boolean quiet;
    private final String task;
    private @Nullable ProgressDisplay display;

    /// @param task what is being done, as a participle
    public MegabyteProgress(Console console, boolean quiet, String task) {
        this.console = console;
        this.quiet = quiet;
        this.task = task;
    }

    /// @param done bytes
    /// @param total bytes
    public void to(long done, long total) {
        ProgressDisplay shown = display;
        if (shown == null) {
            shown = ProgressDisplay.start(console, quiet, task + " (MB)", OptionalLong.of(total / MEGABYTE));
            display = shown;
        }
        shown.to(done / MEGABYTE);
    }

    @Override
    public void close() {
        if (display != null) {
            display.close();
        }
    }
}
