package io.github.sgpt4j.cli.train;

import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.eval.EvalProgress;
import io.github.sgpt4j.cli.progress.Pace;
import io.github.sgpt4j.cli.progress.ProgressDisplay;
import io.github.sgpt4j.training.TrainingStep;
import io.github.sgpt4j.training.run.RunListener;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/// Shows the progress of a training: a bar on a terminal, otherwise a line from time to time; and every evaluation.
final class TrainProgress implements RunListener, AutoCloseable {
    /// Steps over which losses are averaged.
    private static final int SMOOTHED = 50;

    private static final double MINUTE = 60;
    private static final double HOUR = 3600;

    private final Console console;
    private final boolean quiet;
    private final double lineSeconds;
    private final EvalProgress evaluation;
    private final Pace tokens = new Pace();
    private final Pace steps = new Pace();
    private final long totalSteps;
    private @Nullable ProgressDisplay display;
    private long at;
    private long seen;
    private long seenTokens;
    private double seconds;
    private double loss;
    private long lastLine = System.nanoTime();

    /// @param lineSeconds between two lines where there is no terminal
    TrainProgress(Console console, boolean quiet, double lineSeconds, long step, long totalSteps) {
        this.console = console;
        this.quiet = quiet;
        this.lineSeconds = lineSeconds;
        this.totalSteps = totalSteps;
        evaluation = new EvalProgress(console, quiet);
        at = step;
        tokens.add(0, 0);
        steps.add(0, step);
    }

    private ProgressDisplay shown() {
        ProgressDisplay shown = display;
        if (shown == null) {
            evaluation.close();
            shown = ProgressDisplay.startSteady(console, quiet, "Training", at, totalSteps);
            display = shown;
        }
        return shown;
    }

    @Override
    public void onNotice(String notice) {
        say(notice);
    }

    @Override
    public void onStep(TrainingStep step) {
        at = step.step();
        seen++;
        seenTokens += step.tokens();
        seconds += step.seconds();
        loss += (step.loss() - loss) / Math.min(seen, SMOOTHED);
        tokens.add(seconds, seenTokens);
        steps.add(seconds, at);
        String words = String.format(
                Locale.ROOT, "loss %.4f, rate %.2e, %,.0f tokens/s", loss, step.learningRate(), tokens.perSecond());
        shown().to(at);
        shown().say(words);
        if (console.columns() == 0 && (System.nanoTime() - lastLine) * 1e-9 >= lineSeconds) {
            lastLine = System.nanoTime();
            say(String.format(Locale.ROOT, "step %,d of %,d: %s%s", at, totalSteps, words, timeLeft()));
        }
    }

    /// The end of a sentence; empty while it is unknown.
    private String timeLeft() {
        double perSecond = steps.perSecond();
        if (perSecond <= 0 || at >= totalSteps) {
            return "";
        }
        double left = (totalSteps - at) / perSecond;
        if (left < MINUTE) {
            return String.format(Locale.ROOT, ", %.0f s left", left);
        }
        return left < HOUR
                ? String.format(Locale.ROOT, ", %.0f min left", left / MINUTE)
                : String.format(Locale.ROOT, ", %.1f h left", left / HOUR);
    }

    @Override
    public void onEvaluating(long step) {
        closeBar();
    }

    @Override
    public void onProgress(String task, long done, long total) {
        evaluation.update(task, done, total);
    }

    @Override
    public void onScores(long step, Map<String, Double> scores) {
        evaluation.close();
        say(String.format(Locale.ROOT, "step %,d: %s", step, described(scores)));
    }

    private static String described(Map<String, Double> scores) {
        StringJoiner words = new StringJoiner(", ");
        scores.forEach((name, value) -> words.add(String.format(Locale.ROOT, "%s %.4f", name, value)));
        return words.toString();
    }

    @Override
    public void onFinishing(long step) {
        close();
        say("writing the model ...");
    }

    private void say(String line) {
        if (!quiet) {
            console.say(line);
        }
    }

    private void closeBar() {
        if (display != null) {
            display.close();
            display = null;
        }
    }

    @Override
    public void close() {
        closeBar();
        evaluation.close();
    }
}
