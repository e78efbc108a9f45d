package io.github.sgpt4j.cli.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.training.TrainingStep;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

/// What is shown while a model is trained.
class TrainProgressTest {
    private final ByteArrayOutputStream shown = new ByteArrayOutputStream();

    private TrainProgress progress(int columns, boolean quiet, double lineSeconds) {
        Console console = new Console(
                InputStream.nullInputStream(),
                OutputStream.nullOutputStream(),
                new PrintStream(shown, true, StandardCharsets.UTF_8),
                columns,
                false,
                Map.of());
        return new TrainProgress(console, quiet, lineSeconds, 1000, 4000);
    }

    private static TrainingStep step(long number, double loss) {
        return new TrainingStep(number, 4000, 1, 4, loss, OptionalDouble.of(0.5), 3, 1, 2.5e-4, 5000, false, 0.5);
    }

    private List<String> lines() {
        return shown.toString(StandardCharsets.UTF_8).lines().toList();
    }

    @Test
    void withoutATerminalThereIsALineFromTimeToTime() {
        try (TrainProgress progress = progress(0, false, 0)) {
            progress.onStep(step(1001, 2));
            progress.onStep(step(1002, 1));
            progress.onEvaluating(1002);
            progress.onProgress("embed dev rows", 5, 10);
            progress.onScores(1002, Map.of("dev_accuracy", 0.75));
            progress.onStep(step(4000, 1));
            progress.onFinishing(4000);
        }
        assertEquals(
                List.of(
                        "sgpt: step 1,001 of 4,000: loss 2.0000, rate 2.50e-04, 10,000 tokens/s, 25 min left",
                        "sgpt: step 1,002 of 4,000: loss 1.5000, rate 2.50e-04, 10,000 tokens/s, 25 min left",
                        "sgpt: step 1,002: dev_accuracy 0.7500",
                        "sgpt: step 4,000 of 4,000: loss 1.3333, rate 2.50e-04, 10,000 tokens/s",
                        "sgpt: writing the model ..."),
                lines());
    }

    @Test
    void thereAreNoMoreLinesThanAsked() {
        try (TrainProgress progress = progress(0, false, 3600)) {
            for (int i = 1001; i < 1100; i++) {
                progress.onStep(step(i, 1));
            }
        }
        assertEquals(List.of(), lines());
    }

    @Test
    void onATerminalThereIsABarBetweenTheMeasurements() throws InterruptedException {
        try (TrainProgress progress = progress(100, false, 0)) {
            progress.onStep(step(1001, 2));
            // The bar draws itself five times a second.
            Thread.sleep(1000);
            progress.onScores(1001, Map.of("dev_accuracy", 0.75));
        }
        String text = shown.toString(StandardCharsets.UTF_8);
        assertTrue(text.contains("Training"), text);
        assertTrue(text.contains("1001/4000"), text);
        assertTrue(text.contains("loss 2.0000"), text);
        assertTrue(text.contains("sgpt: step 1,001: dev_accuracy 0.7500"), text);
        assertTrue(!text.contains("of 4,000"), text);
    }

    @Test
    void quietShowsNothing() {
        for (int columns : List.of(0, 100)) {
            try (TrainProgress progress = progress(columns, true, 0)) {
                progress.onStep(step(1001, 2));
                progress.onEvaluating(1001);
                progress.onProgress("embed dev rows", 5, 10);
                progress.onScores(1001, Map.of("dev_accuracy", 0.75));
                progress.onFinishing(4000);
            }
        }
        assertEquals("", shown.toString(StandardCharsets.UTF_8));
    }
}
