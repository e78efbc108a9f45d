package io.github.sgpt4j.cli.model;

import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.progress.DownloadProgress;
import io.github.sgpt4j.cli.progress.MegabyteProgress;
import io.github.sgpt4j.weightstools.ModelsListener;
import org.jspecify.annotations.Nullable;

/// Reports on stderr the progress of locating a model: its download and the conversion of its weights.
public final class ModelProgress implements ModelsListener {
    private final Console console;
    private final boolean quiet;
    private final DownloadProgress download;
    private @Nullable MegabyteProgress conversion;

    public ModelProgress(Console console, boolean quiet) {
        this.console = console;
        this.quiet = quiet;
        download = new DownloadProgress(console, quiet);
    }

    @Override
    public void notice(String sentence) {
        download.notice(sentence);
    }

    @Override
    public void downloading(long done, long total) {
        download.progress(done, total);
    }

    @Override
    public void fetched(String path, long bytes) {
        download.fetched(path, bytes);
    }

    @Override
    public void converting(long done, long total) {
        MegabyteProgress shown = conversion;
        if (shown == null) {
            shown = new MegabyteProgress(console, quiet, "Converting");
            conversion = shown;
        }
        shown.to(done, total);
    }

    @Override
    public void finished() {
        download.close();
        if (conversion != null) {
            conversion.close();
            conversion = null;
        }
    }
}
