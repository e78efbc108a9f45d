package io.github.sgpt4j.cli;

import io.github.sgpt4j.weightstools.ConvertListener;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// Shows how far a conversion is, in megabytes.
final class ConvertProgress implements ConvertListener, AutoCloseable {
    private static final int MEGABYTE = 1_000_000;

    private final Console console;
    private final boolean quiet;
    private @Nullable ProgressDisplay display;

    ConvertProgress(Console console, boolean quiet) {
        this.console = console;
        this.quiet = quiet;
    }

    @Override
    public void progress(long done, long total) {
        ProgressDisplay shown = display;
        if (shown == null) {
            shown = ProgressDisplay.start(console, quiet, "Converting (MB)", OptionalLong.of(total / MEGABYTE));
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
