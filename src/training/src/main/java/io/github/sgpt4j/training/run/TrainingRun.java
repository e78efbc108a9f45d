package io.github.sgpt4j.training.run;

import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.files.FileEntries;
import io.github.sgpt4j.training.StepCount;
import io.github.sgpt4j.training.Trainer;
import io.github.sgpt4j.training.TrainingOptions;
import io.github.sgpt4j.training.TrainingStep;
import io.github.sgpt4j.training.data.TripleSource;
import io.github.sgpt4j.weightstools.ConvertListener;
import io.github.sgpt4j.weightstools.ConvertReport;
import io.github.sgpt4j.weightstools.Converter;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;

/// A training with everything around it: saved states, evaluations, the curve, and a complete checkpoint in the end.
///
/// Until it is complete, everything is in the folder `OUTPUT.training` beside the output: `curve.jsonl` and
/// `curve.svg`,
/// and the states in `checkpoint`. The output appears at once, in the end. Whenever the process ends, a training can
/// continue from its last saved state, to the same bits. One process at a time trains in a folder.
public final class TrainingRun implements AutoCloseable {
    /// Seconds between two pictures of the curve.
    private static final double PICTURE_SECONDS = 10;

    private final TrainableModel model;
    private final TripleSource data;
    private final TrainingOptions training;
    private final RunOptions options;
    private final Path output;
    private final Path work;
    private final FileChannel lock;
    private final Trainer trainer;
    private final StateFolder states;
    private final Map<String, String> settings;
    private OptionalDouble best = OptionalDouble.empty();
    private long saved = -1;
    private long drawn = System.nanoTime();

    private TrainingRun(
            TrainableModel model,
            TripleSource data,
            TrainingOptions training,
            RunOptions options,
            Path output,
            FileChannel lock) {
        this.model = model;
        this.data = data;
        this.training = training;
        this.options = options;
        this.output = output;
        this.work = workFolder(output);
        this.lock = lock;
        trainer = new Trainer(model, data, training);
        states = new StateFolder(work.resolve("checkpoint"), options.keep() == Keep.ALL);
        settings = new TreeMap<>(options.settings());
        settings.putAll(training.settings());
        settings.putAll(model.settings());
        settings.put("negatives", Integer.toString(data.negatives()));
        settings.put("device", model.model().device().replaceAll(":.*", ""));
    }

    /// The folder of a training that is not complete.
    public static Path workFolder(Path output) {
        Path absolute = output.toAbsolutePath().normalize();
        return absolute.resolveSibling(absolute.getFileName() + ".training");
    }

    /// Begins a training.
    ///
    /// @param model borrowed
    /// @param data borrowed
    /// @param output folder of the checkpoint to make; nothing may be there
    /// @throws FormatException if something is there, or an unfinished training is; or as [Trainer]
    /// @throws IOException if its folder cannot be made
    public static TrainingRun begin(
            TrainableModel model, TripleSource data, TrainingOptions training, RunOptions options, Path output)
            throws IOException {
        requireNew(output);
        Path work = workFolder(output);
        if (FileEntries.exists(work)) {
            throw new FormatException(
                    "%s: an unfinished training is there; resume it, or remove the folder".formatted(work));
        }
        // Refuses data and model before anything is written.
        new Trainer(model, data, training);
        Files.createDirectories(work);
        return open(model, data, training, options, output);
    }

    /// Continues a training from its last saved state.
    ///
    /// @throws FormatException if there is none, or model, data or settings are not those that it began with
    /// @throws IOException if a file cannot be read
    public static TrainingRun resume(
            TrainableModel model, TripleSource data, TrainingOptions training, RunOptions options, Path output)
            throws IOException {
        requireNew(output);
        Path work = workFolder(output);
        if (!Files.isDirectory(work)) {
            throw new FormatException("%s: expected an unfinished training, found none".formatted(work));
        }
        TrainingRun run = open(model, data, training, options, output);
        try {
            run.restore();
            return run;
        } catch (RuntimeException | Error | IOException e) {
            run.close();
            throw e;
        }
    }

    private static void requireNew(Path output) {
        if (FileEntries.exists(output)) {
            throw new FormatException("%s: expected no such folder yet, found one".formatted(output));
        }
    }

    private static TrainingRun open(
            TrainableModel model, TripleSource data, TrainingOptions training, RunOptions options, Path output)
            throws IOException {
        Path work = workFolder(output);
        FileChannel lock = FileChannel.open(work.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            if (!isLocked(lock)) {
                throw new FormatException("%s: another process is training there".formatted(work));
            }
            return new TrainingRun(model, data, training, options, output, lock);
        } catch (RuntimeException | Error | IOException e) {
            lock.close();
            throw e;
        }
    }

    private static boolean isLocked(FileChannel channel) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    private void restore() throws IOException {
        Optional<Path> file = states.last();
        if (file.isEmpty()) {
            // Killed before the first state was saved: nothing is lost but these steps.
            return;
        }
        SavedState state = SavedState.read(file.get());
        state.requireSame(file.get(), model.baseFingerprint(), settings, data.files());
        try {
            trainer.restore(state.state());
        } catch (IllegalArgumentException e) {
            throw new FormatException("%s: %s".formatted(file.get(), e.getMessage()), e);
        }
        best = state.best();
        saved = trainer.step();
    }

    /// Number of steps taken.
    public long step() {
        return trainer.step();
    }

    /// Number of steps of the whole training.
    public long totalSteps() {
        return trainer.totalSteps();
    }

    /// The folder with curve and states until the training is complete.
    public Path folder() {
        return work;
    }

    /// Trains to the end and writes the checkpoint.
    ///
    /// @throws CancelledException if this thread is interrupted: the state is saved, and the training can be
    ///     resumed
    /// @throws FormatException if a loss or a gradient is NaN or infinite: the last saved state is kept
    /// @throws IOException if a file cannot be written: as for NaN
    public RunResult run(RunListener listener) throws IOException {
        try (Curve curve = Curve.after(trainer.step(), work, trainer.totalSteps(), metric())) {
            try {
                train(curve, listener);
            } finally {
                curve.draw();
            }
            return finish(curve.scores(), listener);
        }
    }

    private String metric() {
        return options.evaluations().isEmpty()
                ? ""
                : options.evaluations().getFirst().name();
    }

    private void train(Curve curve, RunListener listener) throws IOException {
        // Also after a training that ended between a step and its evaluation.
        if (!curve.scores().containsKey(trainer.step()) && (isDue(options.evaluateEvery()) || isAtEnd())) {
            evaluate(curve, listener);
        }
        while (trainer.step() < trainer.totalSteps()) {
            if (Thread.currentThread().isInterrupted()) {
                throw cancelled(listener);
            }
            try {
                TrainingStep step = trainer.next();
                curve.step(step);
                listener.onStep(step);
                if (isDue(options.evaluateEvery()) || isAtEnd()) {
                    evaluate(curve, listener);
                }
            } catch (CancelledException e) {
                CancelledException cancelled = cancelled(listener);
                cancelled.addSuppressed(e);
                throw cancelled;
            }
            if (isDue(options.saveEvery()) || isAtEnd()) {
                save(listener);
            }
            if ((System.nanoTime() - drawn) * 1e-9 > PICTURE_SECONDS) {
                curve.draw();
                drawn = System.nanoTime();
            }
        }
    }

    private CancelledException cancelled(RunListener listener) throws IOException {
        boolean interrupted = Thread.interrupted();
        try {
            save(listener);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        return new CancelledException("training was interrupted after step %d of %d; its state is in %s"
                .formatted(trainer.step(), trainer.totalSteps(), work));
    }

    private boolean isDue(StepCount every) {
        long steps = every.of(trainer.totalSteps());
        return trainer.step() == 0 || steps > 0 && trainer.step() % steps == 0;
    }

    private boolean isAtEnd() {
        return trainer.step() == trainer.totalSteps();
    }

    private void evaluate(Curve curve, RunListener listener) throws IOException {
        if (options.evaluations().isEmpty()) {
            return;
        }
        listener.onEvaluating(trainer.step());
        Map<String, Double> results = new LinkedHashMap<>();
        for (Evaluation evaluation : options.evaluations()) {
            results.put(evaluation.name(), evaluation.score(model));
        }
        curve.scores(trainer.step(), results);
        listener.onScores(trainer.step(), results);
        double deciding = Objects.requireNonNull(results.get(metric()));
        if (options.keep() == Keep.BEST && (best.isEmpty() || deciding > best.getAsDouble())) {
            best = OptionalDouble.of(deciding);
            states.saveBest(state(OptionalDouble.of(deciding)));
        }
    }

    private SavedState state(OptionalDouble score) {
        return new SavedState(trainer.state(), model.baseFingerprint(), settings, data.files(), score, best);
    }

    private void save(RunListener listener) throws IOException {
        if (saved == trainer.step()) {
            return;
        }
        states.save(state(OptionalDouble.empty()));
        saved = trainer.step();
        listener.onSaved(saved, work);
    }

    private RunResult finish(NavigableMap<Long, Map<String, Double>> scores, RunListener listener) throws IOException {
        save(listener);
        Optional<Path> chosen = options.keep() == Keep.BEST ? states.best() : Optional.empty();
        if (chosen.isPresent()) {
            trainer.restore(SavedState.read(chosen.get()).state());
        }
        long step = trainer.step();
        Path biases = work.resolve("biases.safetensors");
        model.save(biases, training.method().title());
        Path made = work.resolve("model");
        remove(made);
        ConvertReport report = Converter.mergeBiases(
                model.model().directory(),
                model.baseModel(),
                biases,
                made,
                Optional.of(ModelCard.text(model, settings, data, step, scores)),
                ConvertListener.NONE);
        Files.move(biases, made.resolve("biases.safetensors"), StandardCopyOption.ATOMIC_MOVE);
        for (String name : List.of(Curve.LINES, Curve.PICTURE)) {
            Files.copy(work.resolve(name), made.resolve(name));
        }
        if (options.keep() == Keep.ALL) {
            Files.move(work.resolve("checkpoint"), made.resolve("checkpoint"), StandardCopyOption.ATOMIC_MOVE);
        }
        requireNew(output);
        Files.move(made, output, StandardCopyOption.ATOMIC_MOVE);
        remove(work);
        return new RunResult(
                output,
                trainer.totalSteps(),
                step,
                scores.getOrDefault(0L, Map.of()),
                scores.getOrDefault(step, Map.of()),
                report.notices());
    }

    private static void remove(Path folder) throws IOException {
        if (FileEntries.exists(folder)) {
            FileEntries.remove(folder);
        }
    }

    @Override
    public void close() throws IOException {
        lock.close();
    }
}
