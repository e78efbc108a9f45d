package io.github.sgpt4j.training.run;

import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.files.FileEntries;
import io.github.sgpt4j.retrieval.interrupts.SteadyThread;
import io.github.sgpt4j.training.StepCount;
import io.github.sgpt4j.training.Trainer;
import io.github.sgpt4j.training.TrainingMemory;
import io.github.sgpt4j.training.TrainingMethod;
import io.github.sgpt4j.training.TrainingOptions;
import io.github.sgpt4j.training.TrainingStep;
import io.github.sgpt4j.training.data.TrainingSource;
import io.github.sgpt4j.weightstools.ConvertListener;
import io.github.sgpt4j.weightstools.ConvertReport;
import io.github.sgpt4j.weightstools.Converter;
import io.github.sgpt4j.weightstools.FileFailures;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
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
/// `curve.svg`, and the states in `checkpoint`. The output appears at once, in the end. Whenever the process ends, a
/// training can continue from its last saved state, to the same bits. One process at a time trains in a folder.
public final class TrainingRun implements AutoCloseable {
    /// Seconds between two pictures of the curve.
    private static final double PICTURE_SECONDS = 10;

    private static final String LOCK = ".lock";
    /// Written before the output appears: from then on, nothing here is needed any more.
    private static final String COMPLETE = ".complete";

    private static final String STATES = "checkpoint";
    private static final String BIASES = "biases.safetensors";

    private final TrainableModel model;
    private final TrainingSource<?> data;
    private final TrainingOptions training;
    private final RunOptions options;
    private final Path output;
    private final Path work;
    private final FileChannel lock;
    private final Trainer trainer;
    private final StateFolder states;
    private final Origin origin;
    private final BestScore best;
    private long saved = -1;
    private long drawn = System.nanoTime();

    private TrainingRun(
            TrainableModel model,
            TrainingSource<?> data,
            TrainingOptions training,
            RunOptions options,
            Path output,
            Trainer trainer,
            FileChannel lock) {
        this.model = model;
        this.data = data;
        this.training = training;
        this.options = options;
        this.output = output.toAbsolutePath().normalize();
        this.work = workFolder(output);
        this.trainer = trainer;
        this.lock = lock;
        states = new StateFolder(work.resolve(STATES), options.keep() == Keep.ALL);
        boolean decided = options.keep() == Keep.BEST && !options.evaluations().isEmpty();
        best = new BestScore(states, work.resolve(STATES), decided);
        origin = new Origin(model.baseFingerprint(), settings(), data.files());
    }

    private Map<String, String> settings() {
        Map<String, String> settings = new TreeMap<>(options.allSettings());
        settings.putAll(training.settings());
        settings.putAll(model.settings());
        settings.putAll(data.settings());
        settings.put("device", model.model().device().replaceAll(":.*", ""));
        return settings;
    }

    /// The folder of a training that is not complete.
    public static Path workFolder(Path output) {
        Path absolute = output.toAbsolutePath().normalize();
        return absolute.resolveSibling(absolute.getFileName() + ".training");
    }

    /// Where the output is made before it is moved to its place. Of the output's name, which says something about the
    /// model.
    private static Path madeFolder(Path output) {
        return workFolder(output)
                .resolve("made")
                .resolve(output.toAbsolutePath().normalize().getFileName());
    }

    /// Checks that [#begin] has a place, before anything large is opened.
    ///
    /// @throws FormatException if something is there, or an unfinished training is
    public static void requireNew(Path output) {
        requireNone(output);
        Path work = workFolder(output);
        if (FileEntries.exists(work)) {
            throw new FormatException(
                    "%s: an unfinished training is there; remove the folder, or continue with TrainingRun.resume"
                            .formatted(work));
        }
    }

    /// Checks that [#resume] has something to continue, before anything large is opened.
    ///
    /// @throws FormatException if there is nothing, or the training is complete
    /// @throws IOException if what it left cannot be removed
    public static void requireUnfinished(Path output) throws IOException {
        Path work = workFolder(output);
        if (FileEntries.exists(output)
                && Files.exists(work.resolve(COMPLETE))
                && !FileEntries.exists(madeFolder(output))) {
            // The output was moved to its place, and only this was left to do. If it was not moved, something else is
            // there.
            try (FileChannel _ = lock(work)) {
                FileEntries.remove(work);
                throw new FormatException("%s: the training is complete, expected one to continue".formatted(output));
            }
        }
        requireNone(output);
        if (!Files.isDirectory(work)) {
            throw new FormatException("%s: expected an unfinished training, found none".formatted(work));
        }
    }

    private static void requireNone(Path output) {
        if (FileEntries.exists(output)) {
            throw new FormatException("%s: expected no such folder yet, found one".formatted(output));
        }
    }

    /// Begins a training.
    ///
    /// @param model borrowed
    /// @param data borrowed
    /// @param output folder of the checkpoint to make; nothing may be there
    /// @throws FormatException as [#requireNew] and [Trainer]
    /// @throws IOException if its folder cannot be made
    public static TrainingRun begin(
            TrainableModel model, TrainingSource<?> data, TrainingOptions training, RunOptions options, Path output)
            throws IOException {
        requireNew(output);
        // Refuses data and model before anything is written.
        Trainer trainer = new Trainer(model, data, training);
        Path work = workFolder(output);
        Files.createDirectories(work.resolveSibling(""));
        try {
            Files.createDirectory(work);
        } catch (FileAlreadyExistsException e) {
            throw new FormatException("%s: another process has begun a training there".formatted(work), e);
        }
        return new TrainingRun(model, data, training, options, output, trainer, lock(work));
    }

    /// Continues a training from its last saved state.
    ///
    /// @throws FormatException as [#requireUnfinished]; or if model, data or settings are others than at its begin
    /// @throws IOException if a file cannot be read
    public static TrainingRun resume(
            TrainableModel model, TrainingSource<?> data, TrainingOptions training, RunOptions options, Path output)
            throws IOException {
        requireUnfinished(output);
        Trainer trainer = new Trainer(model, data, training);
        TrainingRun run = new TrainingRun(model, data, training, options, output, trainer, lock(workFolder(output)));
        try {
            requireNone(output);
            run.restore();
            return run;
        } catch (RuntimeException | Error | IOException e) {
            run.close();
            throw e;
        }
    }

    private static FileChannel lock(Path work) throws IOException {
        FileChannel lock = FileChannel.open(work.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            if (!isLocked(lock)) {
                throw new FormatException("%s: another process is training there".formatted(work));
            }
            return lock;
        } catch (RuntimeException | Error | IOException e) {
            lock.close();
            throw e;
        }
    }

    private static boolean isLocked(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    private void restore() throws IOException {
        Files.deleteIfExists(work.resolve(COMPLETE));
        states.removeUnfinished();
        Optional<Path> file = states.last();
        if (file.isEmpty()) {
            // It ended before the first state was saved: nothing is lost but these steps, and nothing of them counts.
            Files.deleteIfExists(work.resolve(Curve.LINES));
            return;
        }
        best.restore(file.get(), restored(file.get()));
        saved = trainer.step();
    }

    /// Goes on from a state of this training.
    private SavedState restored(Path file) {
        SavedState state = SavedState.read(file, trainer.numbers(), origin);
        try {
            trainer.restore(state.state());
        } catch (IllegalArgumentException e) {
            throw new FormatException("%s: %s".formatted(file, e.getMessage()), e);
        }
        return state;
    }

    /// Number of steps taken.
    public long step() {
        return trainer.step();
    }

    /// Number of steps of the whole training.
    public long totalSteps() {
        return trainer.totalSteps();
    }

    /// How many numbers of the model the optimizer changes: those of trained tensors, or of the factors of
    /// [TrainingMethod#LORA].
    public long trainedNumbers() {
        return trainer.parameters().stream()
                .mapToLong(parameter -> parameter.values().length)
                .sum();
    }

    /// What the training needs of memory.
    public TrainingMemory memory() {
        return trainer.memory();
    }

    /// What users should know before the first step, one sentence each.
    public List<String> notices() {
        return Converter.nameNotice(output, model.settings()).stream().toList();
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
            best.take(curve);
            curve.notice().ifPresent(listener::onNotice);
            try {
                train(curve, listener);
            } catch (RuntimeException | Error | IOException e) {
                try {
                    curve.draw();
                } catch (IOException drawing) {
                    e.addSuppressed(drawing);
                }
                throw e;
            }
            curve.draw();
            return finish(curve.scores(), listener);
        }
    }

    private String metric() {
        return options.evaluations().isEmpty()
                ? ""
                : options.evaluations().getFirst().name();
    }

    private void train(Curve curve, RunListener listener) throws IOException {
        try {
            // Also after a training that ended between a step and its evaluation.
            if (!curve.scores().containsKey(trainer.step()) && isDue(options.evaluateEvery())) {
                evaluate(curve, listener);
            }
            while (trainer.step() < trainer.totalSteps()) {
                checkInterrupt();
                TrainingStep step = trainer.next();
                curve.step(step);
                listener.onStep(step);
                if (isDue(options.evaluateEvery())) {
                    evaluate(curve, listener);
                }
                if (isDue(options.saveEvery())) {
                    save(listener);
                }
                if ((System.nanoTime() - drawn) * 1e-9 > PICTURE_SECONDS) {
                    curve.draw();
                    drawn = System.nanoTime();
                }
            }
        } catch (CancelledException e) {
            save(listener);
            throw cancelled(e);
        }
    }

    private static void checkInterrupt() {
        if (Thread.currentThread().isInterrupted()) {
            throw new CancelledException("training was interrupted");
        }
    }

    private CancelledException cancelled(Exception cause) {
        CancelledException cancelled =
                new CancelledException("training was interrupted after step %d of %d, its state is saved in %s"
                        .formatted(saved, trainer.totalSteps(), work));
        cancelled.addSuppressed(cause);
        return cancelled;
    }

    /// Whether something is to be done at this step that is done at the start, at the end, and after so many steps.
    private boolean isDue(StepCount every) {
        long steps = every.of(trainer.totalSteps());
        return trainer.step() == 0
                || trainer.step() == trainer.totalSteps()
                || steps > 0 && trainer.step() % steps == 0;
    }

    private void evaluate(Curve curve, RunListener listener) throws IOException {
        if (options.evaluations().isEmpty()) {
            return;
        }
        listener.onEvaluating(trainer.step());
        Map<String, Double> results = new LinkedHashMap<>();
        for (Evaluation evaluation : options.evaluations()) {
            results.putAll(evaluation.scores(model, listener::onProgress));
        }
        double deciding = Objects.requireNonNull(results.get(metric()), "deciding score");
        if (best.isRaisedBy(deciding)) {
            SavedState state = state(best.soFar());
            steadily(() -> {
                states.saveBest(state);
                return state;
            });
        }
        curve.scores(trainer.step(), results);
        listener.onScores(trainer.step(), results);
    }

    private SavedState state(OptionalDouble score) {
        return new SavedState(trainer.state(), origin, score, best.soFar());
    }

    private void save(RunListener listener) throws IOException {
        if (saved == trainer.step()) {
            return;
        }
        SavedState state = state(OptionalDouble.empty());
        steadily(() -> {
            states.save(state);
            return state;
        });
        saved = trainer.step();
        listener.onSaved(saved, work);
    }

    /// Works with files to the end, even if this thread is interrupted.
    private static <T> T steadily(SteadyThread.Work<T> files) throws IOException {
        return SteadyThread.once("sgpt4j-training-files", files);
    }

    private RunResult finish(NavigableMap<Long, Map<String, Double>> scores, RunListener listener) throws IOException {
        Optional<Path> chosen = options.keep() == Keep.BEST ? states.best() : Optional.empty();
        chosen.ifPresent(this::restored);
        long step = trainer.step();
        listener.onFinishing(step);
        Path made = madeFolder(output);
        ConvertReport report;
        try {
            report = make(made, ModelCard.text(model, origin.settings(), data, step, scores));
            checkInterrupt();
        } catch (IOException | RuntimeException e) {
            // What an interrupt breaks first depends on the moment.
            if (Thread.currentThread().isInterrupted()) {
                throw cancelled(e);
            }
            throw e;
        }
        return steadily(() -> {
            publish(made);
            return new RunResult(
                    output,
                    trainer.totalSteps(),
                    step,
                    scores.getOrDefault(0L, Map.of()),
                    scores.getOrDefault(step, Map.of()),
                    report.notices().stream()
                            .filter(notice -> Converter.nameNotice(made, model.settings())
                                    .filter(notice::equals)
                                    .isEmpty())
                            .map(notice -> notice.replace(made.toString(), output.toString())
                                    .replace(work.toString(), output.toString()))
                            .toList());
        });
    }

    private ConvertReport make(Path made, String card) throws IOException {
        Path biases = work.resolve(BIASES);
        steadily(() -> {
            FileEntries.remove(made.resolveSibling(""));
            Files.createDirectories(made.resolveSibling(""));
            try {
                model.save(biases, training.method().title());
            } catch (IOException e) {
                throw FileFailures.named(biases, e);
            }
            return biases;
        });
        return Converter.mergeBiases(
                model.model().directory(), model.baseModel(), biases, made, Optional.of(card), ConvertListener.NONE);
    }

    private void publish(Path made) throws IOException {
        for (String name : List.of(Curve.LINES, Curve.PICTURE)) {
            Files.copy(work.resolve(name), made.resolve(name));
        }
        if (training.method() == TrainingMethod.LORA) {
            AdapterFiles.write(made.resolve("adapter"), model, training.lora(), trainer.parameters());
        }
        Files.move(work.resolve(BIASES), made.resolve(BIASES), StandardCopyOption.ATOMIC_MOVE);
        if (options.keep() == Keep.ALL) {
            states.putInto(made.resolve(STATES));
        }
        Durable.tree(made);
        Files.write(work.resolve(COMPLETE), new byte[0]);
        Durable.entries(work);
        requireNone(output);
        Files.move(made, output, StandardCopyOption.ATOMIC_MOVE);
        Durable.entries(output.resolveSibling(""));
        FileEntries.remove(work);
    }

    @Override
    public void close() throws IOException {
        lock.close();
    }
}
