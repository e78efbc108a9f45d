package io.github.sgpt4j.cli.eval;

import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.progress.ProgressDisplay;
import io.github.sgpt4j.retrieval.evaluation.EvaluationListener;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// Shows the progress of an evaluation, or of the check of an index: one bar per task.
public final class EvalProgress implements EvaluationListener, AutoCloseable {
    private final Console console;
    private final boolean quiet;
    private String task = "";
    private @Nullable ProgressDisplay display;

    public EvalProgress(Console console, boolean quiet) {
        this.console = console;
        this.quiet = quiet;
    }

    @Override
    public void update(String name, long done, long total) {
        ProgressDisplay shown = display;
        if (shown == null || !name.equals(task)) {
            close();
            shown = ProgressDisplay.start(console, quiet, name, OptionalLong.of(total));
            display = shown;
            task = name;
        }
        shown.to(done);
    }

    @Override
    public void close() {
        if (display != null) {
            display.close();
            display = null;
        }
    }
}
