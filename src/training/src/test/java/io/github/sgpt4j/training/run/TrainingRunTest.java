package io.github.sgpt4j.training.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.files.FileEntries;
import io.github.sgpt4j.training.StepCount;
import io.github.sgpt4j.training.TrainingMethod;
import io.github.sgpt4j.training.TrainingOptions;
import io.github.sgpt4j.training.TrainingState;
import io.github.sgpt4j.training.TrainingStep;
import io.github.sgpt4j.training.data.BatchPosition;
import io.github.sgpt4j.training.data.TripleSource;
import io.github.sgpt4j.training.optimizer.AdamState;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Whole runs: what they leave, and that they can be ended anywhere.
class TrainingRunTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    private Path rows;
    private Path dev;
    private Path output;

    @BeforeEach
    void write() throws IOException {
        rows = TinyTraining.rows(folder, "row", 18);
        dev = TinyTraining.rows(folder, "dev", 9);
        output = folder.resolve("made-specb");
    }

    /// The number of a call of the listener at which something happens.
    private static final class Counting implements RunListener {
        private final int at;
        private final Runnable event;
        private int calls;

        Counting(int at, Runnable event) {
            this.at = at;
            this.event = event;
        }

        private void call() {
            if (calls++ == at) {
                event.run();
            }
        }

        @Override
        public void onStep(TrainingStep step) {
            call();
        }

        @Override
        public void onEvaluating(long step) {
            call();
        }

        @Override
        public void onProgress(String task, long done, long total) {
            call();
        }

        @Override
        public void onScores(long step, Map<String, Double> scores) {
            call();
        }

        @Override
        public void onSaved(long step, Path saved) {
            call();
        }

        @Override
        public void onFinishing(long step) {
            call();
        }
    }

    private RunResult run(boolean resumed, Path target, Keep keep, RunListener listener) throws IOException {
        try (TripleSource data = TinyTraining.data(rows);
                TripleSource measured = TinyTraining.data(dev);
                TrainableModel model = TinyTraining.model()) {
            RunOptions kept = TinyTraining.kept(measured, keep);
            try (TrainingRun run = resumed
                    ? TrainingRun.resume(model, data, TinyTraining.OPTIONS, kept, target)
                    : TrainingRun.begin(model, data, TinyTraining.OPTIONS, kept, target)) {
                assertEquals(TinyTraining.STEPS, run.totalSteps());
                return run.run(listener);
            }
        }
    }

    /// All files by name, where lines of the curve have no times, and the picture and what mentions the name are left
    /// out.
    private static Map<String, String> contents(Path made) throws IOException {
        Map<String, String> contents = new TreeMap<>();
        try (Stream<Path> files = Files.walk(made)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String name = made.relativize(file).toString();
                contents.put(
                        name,
                        name.equals(Curve.LINES)
                                ? withoutTimes(file)
                                : Files.readString(file, StandardCharsets.ISO_8859_1));
            }
        }
        return contents;
    }

    private static String withoutTimes(Path curve) throws IOException {
        List<String> lines = new ArrayList<>();
        for (String line : Files.readAllLines(curve)) {
            ObjectNode node = (ObjectNode) JSON.readTree(line);
            node.remove(List.of("seconds", "tokens_per_second"));
            lines.add(node.toString());
        }
        return String.join("\n", lines);
    }

    @ParameterizedTest
    @EnumSource
    void theResultIsACompleteCheckpoint(Keep keep) throws IOException {
        RunResult result;
        float[] trained;
        try (TripleSource data = TinyTraining.data(rows);
                TripleSource measured = TinyTraining.data(dev);
                TrainableModel model = TinyTraining.model();
                TrainingRun run = TrainingRun.begin(
                        model, data, TinyTraining.OPTIONS, TinyTraining.kept(measured, keep), output)) {
            assertEquals(folder.resolve("made-specb.training"), run.folder());
            result = run.run(RunListener.NONE);
            try (BiEncoder encoder = BiEncoder.of(model.model(), model.encoding())) {
                trained = encoder.embedQuery("row number 3");
            }
        }
        assertEquals(output, result.model());
        assertEquals(TinyTraining.STEPS, result.steps());
        try (BiEncoder encoder = BiEncoder.open(output)) {
            assertArrayEquals(trained, encoder.embedQuery("row number 3"));
        }
        try (BiEncoder encoder = BiEncoder.open(TinyTraining.MODEL)) {
            assertNotEquals(trained[0], encoder.embedQuery("row number 3")[0]);
        }
        List<String> scores = List.of("hill", "dev_accuracy", "dev_loss");
        assertEquals(scores, List.copyOf(result.before().keySet()));
        assertEquals(scores, List.copyOf(result.after().keySet()));
        assertEquals(keep == Keep.BEST ? 3 : TinyTraining.STEPS, result.chosen());
        assertEquals(keep == Keep.ALL ? List.of(2L, 4L, 6L) : List.of(), states(output.resolve("checkpoint")));
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(
                    List.of("dev.jsonl", "made-specb", "row.jsonl"),
                    files.map(file -> file.getFileName().toString()).sorted().toList());
        }
        String card = Files.readString(output.resolve("README.md"));
        assertTrue(card.contains("| learning rate | 0.01 |"), card);
        assertTrue(card.contains("| step | hill | dev_accuracy | dev_loss |"), card);
    }

    private static List<Long> states(Path checkpoint) throws IOException {
        if (!Files.exists(checkpoint)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(checkpoint)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.startsWith("step-"))
                    .map(name -> Long.parseLong(name.replaceAll("\\D", "")))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void theBestStateIsTheOneOfTheHighestScore() throws IOException {
        Map<Long, Double> scores = new TreeMap<>();
        RunResult result = run(false, output, Keep.BEST, new RunListener() {
            @Override
            public void onScores(long step, Map<String, Double> found) {
                scores.put(step, found.get("hill"));
            }
        });
        assertEquals(List.of(0L, 3L, 6L), List.copyOf(scores.keySet()));
        double best = scores.values().stream().mapToDouble(s -> s).max().orElseThrow();
        assertEquals(best, scores.get(result.chosen()));
        assertEquals(best, result.after().get("hill"));
        assertEquals(3, result.chosen());
    }

    /// The process is gone at a moment at which something is told: nothing is saved any more. Every such moment is
    /// tried where the best state is kept, every fifth otherwise.
    @ParameterizedTest
    @CsvSource({"BEST, 1", "LAST, 5", "ALL, 5"})
    void aRunThatIsKilledAnywhereEndsWithTheSameBits(Keep keep, int stride) throws IOException {
        Runnable killed = () -> {
            throw new IllegalStateException("killed");
        };
        endEverywhere(keep, stride, killed, IllegalStateException.class);
    }

    @Test
    void aRunThatIsInterruptedAnywhereIsSavedAndEndsWithTheSameBits() throws IOException {
        endEverywhere(Keep.BEST, 1, Thread.currentThread()::interrupt, CancelledException.class);
    }

    private void endEverywhere(Keep keep, int stride, Runnable end, Class<? extends Exception> expected)
            throws IOException {
        Counting whole = new Counting(Integer.MAX_VALUE, () -> {});
        run(false, output, keep, whole);
        Map<String, String> contents = contents(output);
        FileEntries.remove(output);
        assertTrue(whole.calls > 20, "calls: " + whole.calls);
        for (int at = 0; at < whole.calls; at += stride) {
            Counting ended = new Counting(at, end);
            Exception failure = assertThrows(expected, () -> run(false, output, keep, ended));
            boolean interrupted = Thread.interrupted();
            assertEquals(expected == CancelledException.class, interrupted);
            if (interrupted) {
                assertTrue(
                        failure.getMessage().matches(".* after step \\d of 6, its state is saved in .*"),
                        failure::getMessage);
                String saved = failure.getMessage().replaceAll(".* after step (\\d) of 6.*", "$1");
                assertTrue(Files.exists(work().resolve("checkpoint/step-%s.safetensors".formatted(saved))), saved);
            }
            assertFalse(Files.exists(output));
            run(true, output, keep, RunListener.NONE);
            assertEquals(contents, contents(output), "ended at call " + at);
            FileEntries.remove(output);
            assertFalse(Files.exists(work()));
        }
    }

    private Path work() {
        return TrainingRun.workFolder(output);
    }

    @Test
    void aRunMayBeEndedOverAndOver() throws IOException {
        run(false, output, Keep.BEST, RunListener.NONE);
        Map<String, String> contents = contents(output);
        FileEntries.remove(output);
        boolean resumed = false;
        int ends = 0;
        while (!Files.exists(output)) {
            boolean again = resumed;
            // Measuring once makes six calls, so that each time something is done.
            Counting ended = new Counting(7, Thread.currentThread()::interrupt);
            try {
                run(again, output, Keep.BEST, ended);
            } catch (CancelledException e) {
                ends++;
            }
            Thread.interrupted();
            resumed = true;
        }
        assertTrue(ends >= 3, "ends: " + ends);
        assertEquals(contents, contents(output));
    }

    /// The moments at which the checkpoint is put together, which no listener sees.
    @ParameterizedTest
    @EnumSource
    void whatAKillLeavesOfTheEndIsMadeAgain(Keep keep) throws IOException {
        Path before = folder.resolve("before");
        RunListener copying = new RunListener() {
            @Override
            public void onFinishing(long step) {
                copy(work(), before);
            }
        };
        run(false, output, keep, copying);
        Map<String, String> contents = contents(output);
        for (String killed : List.of("nothing made", "half made", "all made", "published")) {
            FileEntries.remove(output);
            copy(before, work());
            Path made = work().resolve("made").resolve(output.getFileName());
            switch (killed) {
                case "half made" -> {
                    Files.createDirectories(made.resolve("1_Pooling"));
                    Files.writeString(made.resolve("model.safetensors"), "half");
                }
                case "all made", "published" -> {
                    Files.createDirectories(made);
                    contents.forEach((name, content) -> put(made.resolve(name), content));
                    Files.writeString(work().resolve(".complete"), "");
                }
                default -> Files.writeString(work().resolve("checkpoint/.best.safetensors.tmp"), "half");
            }
            if (killed.equals("published")) {
                Files.move(made, output, StandardCopyOption.ATOMIC_MOVE);
                String said = assertThrows(FormatException.class, () -> run(true, output, keep, RunListener.NONE))
                        .getMessage();
                assertEquals(output + ": the training is complete, expected one to continue", said);
            } else {
                run(true, output, keep, RunListener.NONE);
            }
            assertEquals(contents, contents(output), killed);
            assertFalse(Files.exists(work()), killed);
        }
    }

    private static void put(Path file, String content) {
        try {
            Files.createDirectories(file.resolveSibling(""));
            Files.writeString(file, content, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void copy(Path from, Path to) {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path file : all.toList()) {
                Files.copy(file, to.resolve(from.relativize(file).toString()));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aLossThatIsNotFiniteLeavesTheLastState() throws IOException {
        TrainingOptions wild = TinyTraining.OPTIONS.withLearningRate(1e38);
        try (TripleSource data = TinyTraining.data(rows);
                TrainableModel model = TinyTraining.model();
                TrainingRun run = TrainingRun.begin(
                        model,
                        data,
                        wild,
                        new RunOptions(new StepCount.Steps(1), new StepCount.Steps(0), Keep.LAST, List.of(), Map.of()),
                        output)) {
            String said = assertThrows(FormatException.class, () -> run.run(RunListener.NONE))
                    .getMessage();
            assertTrue(
                    said.matches("step \\d: expected a finite .*: a lower learning rate, or clean data, may help"),
                    said);
            assertEquals(run.step(), states(work().resolve("checkpoint")).getLast());
            SavedState saved = state(work().resolve("checkpoint/step-%d.safetensors".formatted(run.step())));
            assertEquals(run.step(), saved.state().step());
            assertFalse(Files.exists(output));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "rate, learning rate: expected 0.01 as before; got 0.02",
        "steps, steps: expected 6 as before; got 7",
        "epochs, epochs: expected nothing as before; got 3",
        "seed, seed: expected 7 as before; got 8",
        "keep, keep: expected best as before; got last",
        "every, evaluate every: expected 3 as before; got 10%",
        "recipe, recipe: expected tiny as before; got large",
        "dev, evaluation hill: expected",
        "none, evaluations: expected hill as before; got none",
        "rows, row.jsonl: expected the same content as before",
        "method, method: expected bitfit as before; got full",
        "lora, method: expected bitfit as before; got lora",
        "model, expected the model that the training started from (fingerprint"
    })
    void anotherTrainingIsNotContinued(String what, String complaint) throws IOException {
        assertThrows(
                CancelledException.class,
                () -> run(false, output, Keep.BEST, new Counting(8, Thread.currentThread()::interrupt)));
        assertTrue(Thread.interrupted());
        Map<String, String> left = contents(work());
        TrainingOptions options = switch (what) {
            case "rate" -> TinyTraining.OPTIONS.withLearningRate(0.02);
            case "steps" -> TinyTraining.OPTIONS.withSteps(7);
            case "epochs" ->
                TrainingOptions.DEFAULT
                        .withBatchSize(4)
                        .withEpochs(3)
                        .withLearningRate(1e-2)
                        .withWarmup(new StepCount.Steps(1))
                        .withSeed(7);
            case "seed" -> TinyTraining.OPTIONS.withSeed(8);
            case "lora" -> TinyTraining.OPTIONS.withMethod(TrainingMethod.LORA);
            case "method" -> TinyTraining.OPTIONS.withMethod(TrainingMethod.FULL);
            default -> TinyTraining.OPTIONS;
        };
        if (what.equals("rows")) {
            TinyTraining.rows(folder, "row", 19);
        }
        if (what.equals("dev")) {
            TinyTraining.rows(folder, "dev", 8);
        }
        Path directory = what.equals("model") ? TinyTraining.MODELS.resolve("gpt2-be") : TinyTraining.MODEL;
        try (TripleSource data = TinyTraining.data(rows);
                TripleSource measured = TinyTraining.data(dev);
                TrainableModel model = TinyTraining.model(directory, options::trains)) {
            RunOptions kept = TinyTraining.kept(measured, what.equals("keep") ? Keep.LAST : Keep.BEST);
            RunOptions asked = new RunOptions(
                    kept.saveEvery(),
                    what.equals("every") ? new StepCount.Percent(10) : kept.evaluateEvery(),
                    kept.keep(),
                    what.equals("none") ? List.of() : kept.evaluations(),
                    what.equals("recipe") ? Map.of("recipe", "large") : kept.settings());
            String said = assertThrows(
                            FormatException.class, () -> TrainingRun.resume(model, data, options, asked, output))
                    .getMessage();
            assertTrue(said.startsWith(work().resolve("checkpoint").toString()), said);
            assertTrue(said.contains(complaint.replace(';', ',')), said);
        }
        assertEquals(left, contents(work()));
        if (!what.equals("rows") && !what.equals("dev")) {
            run(true, output, Keep.BEST, RunListener.NONE);
        }
    }

    /// Of the best state too, which the training ends with.
    @ParameterizedTest
    @CsvSource({
        "last, NaN, 'expected a finite value and means'",
        "last, model, 'expected the model that the training started from'",
        "best, NaN, 'expected a finite value and means'",
        "best, model, 'expected the model that the training started from'",
        "last, batches, 'expected a batch for each of the '",
        "last, larger, 'trained numbers, got more'",
        "last, high, 'key \"best\": expected '",
        "last, low, 'key \"best\": expected '",
        "last, none, 'key \"best\": expected the best score so far, got none'",
        "best, high, 'keys \"score\" and \"best\": expected the same score, got '",
        "best, none, 'keys \"score\" and \"best\": expected the same score, got '"
    })
    void aStateThatSomebodyChangedIsRefused(String which, String what, String complaint) throws IOException {
        assertThrows(
                CancelledException.class,
                () -> run(false, output, Keep.BEST, new Counting(18, Thread.currentThread()::interrupt)));
        assertTrue(Thread.interrupted());
        Path file = which.equals("best")
                ? work().resolve("checkpoint/best.safetensors")
                : work().resolve("checkpoint/step-%d.safetensors"
                        .formatted(states(work().resolve("checkpoint")).getLast()));
        SavedState before = state(file);
        changed(before, what).write(file);
        String said = assertThrows(FormatException.class, () -> run(true, output, Keep.BEST, RunListener.NONE))
                .getMessage();
        assertTrue(said.startsWith(file.toString()), said);
        assertTrue(said.contains(complaint), said);
        assertFalse(Files.exists(output));
        before.write(file);
        run(true, output, Keep.BEST, RunListener.NONE);
        assertTrue(Files.exists(output));
    }

    private static SavedState state(Path file) {
        return SavedState.read(file, Long.MAX_VALUE, SavedState.header(file).origin());
    }

    private static SavedState changed(SavedState state, String what) {
        TrainingState old = state.state();
        List<AdamState.Tensor> tensors = new ArrayList<>(old.optimizer().tensors());
        AdamState.Tensor first = tensors.getFirst();
        BatchPosition position = old.position();
        OptionalDouble best = state.best();
        Origin origin = state.origin();
        switch (what) {
            case "NaN" -> {
                double[] values = first.values().clone();
                values[0] = Double.NaN;
                tensors.set(0, new AdamState.Tensor(first.name(), values, first.first(), first.second()));
            }
            case "larger" -> {
                double[] many = new double[first.values().length + 1];
                tensors.set(0, new AdamState.Tensor(first.name(), many, many, many));
            }
            case "high" -> best = OptionalDouble.of(1e6);
            case "low" -> best = OptionalDouble.of(-1e6);
            case "none" -> best = OptionalDouble.empty();
            case "batches" -> position = new BatchPosition(position.batches() + 1, position.rows() + 4);
            default -> {
                // The fingerprint below.
            }
        }
        return new SavedState(
                new TrainingState(old.step(), position, new AdamState(old.step(), tensors)),
                what.equals("model") ? new Origin("0123", origin.settings(), origin.data()) : origin,
                state.score(),
                best);
    }

    @Test
    void onePlaceHasOneTraining() throws IOException {
        try (TripleSource data = TinyTraining.data(rows);
                TripleSource measured = TinyTraining.data(dev);
                TrainableModel model = TinyTraining.model()) {
            RunOptions kept = TinyTraining.kept(measured, Keep.BEST);
            String none = assertThrows(
                            FormatException.class,
                            () -> TrainingRun.resume(model, data, TinyTraining.OPTIONS, kept, output))
                    .getMessage();
            assertEquals(work() + ": expected an unfinished training, found none", none);
            try (TrainingRun _ = TrainingRun.begin(model, data, TinyTraining.OPTIONS, kept, output)) {
                String second = assertThrows(
                                FormatException.class,
                                () -> TrainingRun.resume(model, data, TinyTraining.OPTIONS, kept, output))
                        .getMessage();
                assertEquals(work() + ": another process is training there", second);
                String begun = assertThrows(
                                FormatException.class,
                                () -> TrainingRun.begin(model, data, TinyTraining.OPTIONS, kept, output))
                        .getMessage();
                assertTrue(begun.startsWith(work() + ": an unfinished training is there"), begun);
            }
            Files.createDirectory(output);
            for (boolean resumed : List.of(true, false)) {
                String there = assertThrows(FormatException.class, () -> {
                            if (resumed) {
                                TrainingRun.requireUnfinished(output);
                            } else {
                                TrainingRun.requireNew(output);
                            }
                        })
                        .getMessage();
                assertEquals(output + ": expected no such folder yet, found one", there);
            }
        }
    }

    @Test
    void nothingIsLostIfSomethingElseTakesThePlaceOfTheOutput() throws IOException {
        run(false, output, Keep.BEST, RunListener.NONE);
        Map<String, String> contents = contents(output);
        FileEntries.remove(output);
        RunListener taking = new RunListener() {
            @Override
            public void onFinishing(long step) {
                put(output.resolve("file"), "of somebody else");
            }
        };
        for (boolean resumed : List.of(false, true)) {
            String said = assertThrows(FormatException.class, () -> run(resumed, output, Keep.BEST, taking))
                    .getMessage();
            assertEquals(output + ": expected no such folder yet, found one", said);
        }
        assertEquals(Map.of("file", "of somebody else"), contents(output));
        FileEntries.remove(output);
        run(true, output, Keep.BEST, RunListener.NONE);
        assertEquals(contents, contents(output));
        assertFalse(Files.exists(work()));
    }

    @Test
    void aCurveWithABetterScoreThanTheBestStateIsRefused() throws IOException {
        endAt(18);
        Path curve = work().resolve(Curve.LINES);
        String lines = Files.readString(curve);
        Files.writeString(curve, lines.replaceFirst("\"hill\":-?[0-9.E-]+", "\"hill\":1000"));
        String said = assertThrows(FormatException.class, () -> run(true, output, Keep.BEST, RunListener.NONE))
                .getMessage();
        assertTrue(
                said.matches(".*curve.jsonl: expected no score above -[0-9.E-]+, that of the best state, got 1000.0"),
                said);
        Files.writeString(curve, lines);
        run(true, output, Keep.BEST, RunListener.NONE);
    }

    private void endAt(int call) {
        assertThrows(
                CancelledException.class,
                () -> run(false, output, Keep.BEST, new Counting(call, Thread.currentThread()::interrupt)));
        assertTrue(Thread.interrupted());
    }

    @Test
    void whatIsMissingOfTheCurveIsTold() throws IOException {
        endAt(18);
        Path curve = work().resolve(Curve.LINES);
        List<String> lines = Files.readAllLines(curve);
        long step = states(work().resolve("checkpoint")).getLast();
        for (int damaged : List.of(2, lines.size())) {
            List<String> changed = new ArrayList<>(lines);
            if (damaged < lines.size()) {
                changed.set(damaged, "{\"step\": 2, \"loss\"");
            }
            Files.write(curve, changed);
            List<String> told = new ArrayList<>();
            endResumed(told);
            assertEquals(
                    damaged < lines.size()
                            ? List.of(curve + ": line 3 is damaged or missing: steps 2 to " + step
                                    + " are left out of the curve")
                            : List.of(),
                    told);
            Files.write(curve, lines);
        }
    }

    /// Ends before a step is taken.
    private void endResumed(List<String> told) {
        RunListener listening = new RunListener() {
            @Override
            public void onNotice(String notice) {
                told.add(notice);
            }

            @Override
            public void onStep(TrainingStep step) {
                throw new IllegalStateException("killed");
            }
        };
        assertThrows(IllegalStateException.class, () -> run(true, output, Keep.BEST, listening));
    }

    @Test
    void rowsThatCannotFillABatchLeaveNothing() throws IOException {
        Files.writeString(rows, "{\"query\": \"a\", \"positive\": \"b\", \"negative\": \"c\"}\n".repeat(18));
        try (TripleSource data = TinyTraining.data(rows);
                TrainableModel model = TinyTraining.model()) {
            TrainingOptions options = TinyTraining.OPTIONS.withNoDuplicates(true);
            String said = assertThrows(
                            FormatException.class,
                            () -> TrainingRun.begin(model, data, options, RunOptions.DEFAULT, output))
                    .getMessage();
            assertTrue(said.endsWith(": expected 4 rows without a text in common for a batch, found 1"), said);
        }
        assertFalse(Files.exists(work()));
    }

    @Test
    void aMissingBestStateIsAnError() throws IOException {
        assertThrows(
                CancelledException.class,
                () -> run(false, output, Keep.BEST, new Counting(18, Thread.currentThread()::interrupt)));
        assertTrue(Thread.interrupted());
        Files.delete(work().resolve("checkpoint/best.safetensors"));
        String said = assertThrows(FormatException.class, () -> run(true, output, Keep.BEST, RunListener.NONE))
                .getMessage();
        assertEquals(work().resolve("checkpoint") + ": expected the best state so far, found none", said);
    }

    @Test
    void aBrokenStateIsNamedAndStays() throws IOException {
        assertThrows(
                CancelledException.class,
                () -> run(false, output, Keep.LAST, new Counting(8, Thread.currentThread()::interrupt)));
        assertTrue(Thread.interrupted());
        List<Path> files;
        try (Stream<Path> all = Files.list(work().resolve("checkpoint"))) {
            files = all.collect(Collectors.toList());
        }
        assertEquals(1, files.size());
        byte[] bytes = Files.readAllBytes(files.getFirst());
        Files.write(files.getFirst(), Arrays.copyOf(bytes, bytes.length - 1));
        String said = assertThrows(FormatException.class, () -> run(true, output, Keep.LAST, RunListener.NONE))
                .getMessage();
        assertTrue(said.startsWith(files.getFirst().toString()), said);
        Files.write(files.getFirst(), bytes);
        run(true, output, Keep.LAST, RunListener.NONE);
    }
}
