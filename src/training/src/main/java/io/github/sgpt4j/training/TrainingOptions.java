package io.github.sgpt4j.training;

import io.github.sgpt4j.TrainableTensor;
import io.github.sgpt4j.training.objective.DistillationOptions;
import io.github.sgpt4j.training.optimizer.AdamW;
import io.github.sgpt4j.training.optimizer.DecayRule;
import io.github.sgpt4j.training.optimizer.Schedule;
import io.github.sgpt4j.training.parameters.LoraOptions;
import io.github.sgpt4j.training.step.GradCache;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Consumer;

/// How a model is trained. Immutable: each `with` method returns a changed copy. How texts are read and pooled is said
/// when the model is opened.
public final class TrainingOptions {
    /// The settings of SGPT's reference for MS MARCO, for one epoch.
    public static final TrainingOptions DEFAULT = new TrainingOptions(new Draft());

    private final Draft values;

    private TrainingOptions(Draft values) {
        this.values = values;
    }

    /// Changed only before it is shared.
    private static final class Draft {
        private TrainingMethod method = TrainingMethod.BITFIT;
        private int batchSize = 256;
        private long epochs = 1;
        private OptionalLong steps = OptionalLong.empty();
        private double learningRate = 4e-4;
        private StepCount warmup = new StepCount.Percent(10);
        private Schedule schedule = Schedule.WARMUP_LINEAR;
        private AdamW.Form optimizer = AdamW.Form.TRANSFORMERS;
        private double weightDecay = 0.01;
        private DecayRule decayRule = DecayRule.ALL_BUT_BIASES;
        private double clip = 1;
        private double scale = 20;
        private boolean noDuplicates = false;
        private boolean shuffle = true;
        private long seed = 0;
        private GradCache gradCache = GradCache.AUTO;
        private OptionalInt batchTokens = OptionalInt.empty();
        private LoraOptions lora = LoraOptions.DEFAULT;
        private Optional<DistillationOptions> distillation = Optional.empty();

        Draft copy() {
            Draft copy = new Draft();
            copy.method = method;
            copy.batchSize = batchSize;
            copy.epochs = epochs;
            copy.steps = steps;
            copy.learningRate = learningRate;
            copy.warmup = warmup;
            copy.schedule = schedule;
            copy.optimizer = optimizer;
            copy.weightDecay = weightDecay;
            copy.decayRule = decayRule;
            copy.clip = clip;
            copy.scale = scale;
            copy.noDuplicates = noDuplicates;
            copy.shuffle = shuffle;
            copy.seed = seed;
            copy.gradCache = gradCache;
            copy.batchTokens = batchTokens;
            copy.lora = lora;
            copy.distillation = distillation;
            return copy;
        }
    }

    private TrainingOptions changed(Consumer<Draft> change) {
        Draft draft = values.copy();
        change.accept(draft);
        return new TrainingOptions(draft);
    }

    private static long positive(String what, long value) {
        if (value < 1) {
            throw new IllegalArgumentException("%s: expected at least 1, got %d".formatted(what, value));
        }
        return value;
    }

    private static double atLeast(double least, boolean included, String what, double value) {
        if (!(included ? value >= least : value > least) || Double.isInfinite(value)) {
            throw new IllegalArgumentException("%s: expected a number %s %s, got %s"
                    .formatted(what, included ? "of at least" : "above", (int) least, value));
        }
        return value;
    }

    /// Which tensors are trained.
    public TrainingMethod method() {
        return values.method;
    }

    /// Training these tensors.
    public TrainingOptions withMethod(TrainingMethod value) {
        TrainingMethod checked = Objects.requireNonNull(value, "method");
        return changed(draft -> draft.method = checked);
    }

    /// Rows of a batch; each text of a row is a negative for all others.
    public int batchSize() {
        return values.batchSize;
    }

    /// With this many rows per batch.
    ///
    /// @throws IllegalArgumentException if it is not positive
    public TrainingOptions withBatchSize(int value) {
        int checked = Math.toIntExact(positive("batch size", value));
        return changed(draft -> draft.batchSize = checked);
    }

    /// How often all rows are used, unless [#steps] says otherwise.
    public long epochs() {
        return values.epochs;
    }

    /// Using all rows this often.
    ///
    /// @throws IllegalArgumentException if it is not positive
    public TrainingOptions withEpochs(long value) {
        long checked = positive("epochs", value);
        return changed(draft -> draft.epochs = checked);
    }

    /// Number of steps, instead of [#epochs].
    public OptionalLong steps() {
        return values.steps;
    }

    /// Ending after this many steps, whatever the epochs.
    ///
    /// @throws IllegalArgumentException if it is not positive
    public TrainingOptions withSteps(long value) {
        long checked = positive("steps", value);
        return changed(draft -> draft.steps = OptionalLong.of(checked));
    }

    /// The learning rate after the warm-up.
    public double learningRate() {
        return values.learningRate;
    }

    /// With this learning rate after the warm-up.
    ///
    /// @throws IllegalArgumentException if it is not positive
    public TrainingOptions withLearningRate(double value) {
        double checked = atLeast(0, false, "learning rate", value);
        return changed(draft -> draft.learningRate = checked);
    }

    /// Steps over which the learning rate rises from 0.
    public StepCount warmup() {
        return values.warmup;
    }

    /// Rising to the full learning rate over these steps.
    public TrainingOptions withWarmup(StepCount value) {
        StepCount checked = Objects.requireNonNull(value, "warmup");
        return changed(draft -> draft.warmup = checked);
    }

    /// How the learning rate changes.
    public Schedule schedule() {
        return values.schedule;
    }

    /// With this course of the learning rate.
    public TrainingOptions withSchedule(Schedule value) {
        Schedule checked = Objects.requireNonNull(value, "schedule");
        return changed(draft -> draft.schedule = checked);
    }

    /// The form of AdamW.
    public AdamW.Form optimizer() {
        return values.optimizer;
    }

    /// With this form of AdamW.
    public TrainingOptions withOptimizer(AdamW.Form value) {
        AdamW.Form checked = Objects.requireNonNull(value, "optimizer");
        return changed(draft -> draft.optimizer = checked);
    }

    /// Share of a value that a step of learning rate 1 takes away, of tensors that decay. Biases never do.
    public double weightDecay() {
        return values.weightDecay;
    }

    /// With this decay.
    ///
    /// @throws IllegalArgumentException if it is negative or not finite
    public TrainingOptions withWeightDecay(double value) {
        double checked = atLeast(0, true, "weight decay", value);
        return changed(draft -> draft.weightDecay = checked);
    }

    /// Which tensors decay.
    public DecayRule decayRule() {
        return values.decayRule;
    }

    /// With a decay of these tensors.
    public TrainingOptions withDecayRule(DecayRule value) {
        DecayRule checked = Objects.requireNonNull(value, "decayRule");
        return changed(draft -> draft.decayRule = checked);
    }

    /// The largest norm of all gradients together; longer ones are shortened to it.
    public double clip() {
        return values.clip;
    }

    /// Shortening gradients to this norm.
    ///
    /// @throws IllegalArgumentException if it is not positive
    public TrainingOptions withClip(double value) {
        double checked = atLeast(0, false, "clip", value);
        return changed(draft -> draft.clip = checked);
    }

    /// What cosines are multiplied by in the contrastive loss.
    public double scale() {
        return values.scale;
    }

    /// With cosines multiplied by this number.
    ///
    /// @throws IllegalArgumentException if it is not positive
    public TrainingOptions withScale(double value) {
        double checked = atLeast(0, false, "scale", value);
        return changed(draft -> draft.scale = checked);
    }

    /// Whether a text occurs only once in a batch.
    public boolean noDuplicates() {
        return values.noDuplicates;
    }

    /// With texts only once in a batch, or as they come.
    public TrainingOptions withNoDuplicates(boolean value) {
        return changed(draft -> draft.noDuplicates = value);
    }

    /// Whether every epoch has a random order of its own; otherwise rows come as in the file.
    public boolean shuffle() {
        return values.shuffle;
    }

    /// With rows in random order, or as they come.
    public TrainingOptions withShuffle(boolean value) {
        return changed(draft -> draft.shuffle = value);
    }

    /// Determines everything that is random.
    public long seed() {
        return values.seed;
    }

    /// With this seed.
    public TrainingOptions withSeed(long value) {
        return changed(draft -> draft.seed = value);
    }

    /// When a batch is computed twice to save memory.
    public GradCache gradCache() {
        return values.gradCache;
    }

    /// Computing batches twice at these times.
    public TrainingOptions withGradCache(GradCache value) {
        GradCache checked = Objects.requireNonNull(value, "gradCache");
        return changed(draft -> draft.gradCache = checked);
    }

    /// Most tokens that are computed at the same time; empty for what suits the device.
    public OptionalInt batchTokens() {
        return values.batchTokens;
    }

    /// Computing at most this many tokens at the same time.
    ///
    /// @throws IllegalArgumentException if it is not positive
    public TrainingOptions withBatchTokens(int value) {
        int checked = Math.toIntExact(positive("batch tokens", value));
        return changed(draft -> draft.batchTokens = OptionalInt.of(checked));
    }

    /// The products of [TrainingMethod#LORA].
    public LoraOptions lora() {
        return values.lora;
    }

    /// With these products, if the method is [TrainingMethod#LORA].
    public TrainingOptions withLora(LoraOptions value) {
        LoraOptions checked = Objects.requireNonNull(value, "lora");
        return changed(draft -> draft.lora = checked);
    }

    /// How a teacher is distilled; empty for the contrastive loss.
    public Optional<DistillationOptions> distillation() {
        return values.distillation;
    }

    /// Distilling a teacher instead of contrasting texts; [#scale] has no effect then.
    public TrainingOptions withDistillation(DistillationOptions value) {
        Optional<DistillationOptions> checked = Optional.of(value);
        return changed(draft -> draft.distillation = checked);
    }

    /// Whether a tensor is trained, by method and targets.
    public boolean trains(TrainableTensor tensor) {
        return method() == TrainingMethod.LORA ? lora().trains(tensor) : method().trains(tensor);
    }

    /// What decides the numbers of a training, by name: a training that continues must have the same.
    public Map<String, String> settings() {
        Map<String, String> settings = new TreeMap<>();
        settings.put("method", method().title());
        settings.put("batch size", Integer.toString(batchSize()));
        if (steps().isPresent()) {
            settings.put("steps", Long.toString(steps().getAsLong()));
        } else {
            settings.put("epochs", Long.toString(epochs()));
        }
        settings.put("learning rate", Double.toString(learningRate()));
        settings.put("warm-up", warmup().toString());
        settings.put("schedule", schedule().title());
        settings.put("optimizer", optimizer().title());
        settings.put("weight decay", Double.toString(weightDecay()));
        settings.put("clip", Double.toString(clip()));
        settings.put("no duplicates", Boolean.toString(noDuplicates()));
        settings.put("shuffle", Boolean.toString(shuffle()));
        settings.put("seed", Long.toString(seed()));
        if (distillation().isPresent()) {
            settings.putAll(distillation().get().settings());
        } else {
            settings.put("scale", Double.toString(scale()));
        }
        if (method() == TrainingMethod.LORA) {
            settings.putAll(lora().settings());
        }
        return settings;
    }
}
