package io.github.sgpt4j.cli.progress;

import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.weightstools.hub.HubListener;
import org.jspecify.annotations.Nullable;

/// Reports the progress of a download on stderr: a bar with the rate on a terminal, otherwise a line per file.
public final class DownloadProgress implements HubListener, AutoCloseable {
    private final Console console;
    private final boolean quiet;
    private @Nullable ProgressDisplay display;

    public DownloadProgress(Console console, boolean quiet) {
        this.console = console;
        this.quiet = quiet;
    }

    @Override
    public void notice(String sentence) {
        if (!quiet) {
            // The bar reappears below the line with the next bytes.
            close();
            console.say(sentence);
        }
    }

    @Override
    public void progress(long done, long total) {
        ProgressDisplay shown = display;
        if (shown == null) {
            shown = ProgressDisplay.startBytes(console, quiet, "Downloading", done, total);
            display = shown;
        }
        shown.to(done, total);
    }

    @Override
    public void fetched(String path, long bytes) {
        if (!quiet && console.columns() == 0) {
            console.say("fetched %s, %,d bytes".formatted(path, bytes));
        }
    }

    @Override
    public void close() {
        if (display != null) {
            display.close();
            display = null;
        }
    }
}
