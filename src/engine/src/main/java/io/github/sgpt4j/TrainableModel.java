package io.github.sgpt4j;

import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.checkpoint.Biases;
import io.github.sgpt4j.checkpoint.SentenceModules;
import io.github.sgpt4j.checkpoint.SentenceModules.Step;
import io.github.sgpt4j.checkpoint.TrainedSettings;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.inference.TextFraming;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.model.DecoderLayout;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.tokenizer.EncodedText;
import io.github.sgpt4j.weights.ExpectedTensor;
import io.github.sgpt4j.weights.WritableTensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/// A model whose embeddings can be differentiated and some of whose tensors can be changed: what training needs of the
/// engine. Losses, optimizers and data are in the artifact `sgpt4j-training`.
///
/// The trained tensors are held as 32-bit floats in memory; the checkpoint's files are never changed. [#model] computes
/// with the current values, so encoders over it evaluate the training. Dropout is not applied.
///
/// Used by one thread at a time; while it waits, its devices may be used by one thread each. Same calls give the same
/// bits, for any number of CPU threads.
public final class TrainableModel implements AutoCloseable {
    private final Model model;
    private final WritableTensors values;
    private final List<TrainableTensor> tensors;
    private final List<TrainingDevice> devices = new ArrayList<>();
    private final BiEncoderOptions encoding;
    private final TextReadings readings;
    private final TextReadings measured;
    private final List<PoolMode> modes;
    private final String base;
    private final Optional<Path> baseModel;
    private final TrainedSettings settings;

    private TrainableModel(
            Model model,
            WritableTensors values,
            BiEncoderOptions encoding,
            List<TrainableTensor> tensors,
            String base,
            Optional<Path> baseModel) {
        this.model = model;
        this.values = values;
        this.base = base;
        this.baseModel = baseModel;
        this.tensors = List.copyOf(tensors);
        this.encoding = encoding;
        SentenceModules modules = model.modules();
        readings = TextReadings.of(model, encoding);
        measured = TextReadings.of(model, encoding);
        requireLengths();
        int[] promptLengths = Arrays.stream(TextKind.values())
                .mapToInt(kind -> modules.includePrompt()
                        ? 0
                        : readings.of(kind).framing().promptLength(model.tokenizer()))
                .toArray();
        modes = encoding.pooling().isEmpty()
                ? modules.modes()
                : encoding.pooling().stream().map(Pooling::mode).toList();
        requireTrainable(modules, encoding.pooling().isEmpty());
        settings = new TrainedSettings(
                modes, readings.of(TextKind.QUERY).framing() instanceof TextFraming.Brackets, maxLength(TextKind.TEXT));
        Set<String> names = tensors.stream().map(TrainableTensor::name).collect(Collectors.toSet());
        try {
            for (Decoder decoder : model.lanes().decoders()) {
                devices.add(
                        new TrainingDevice(model, decoder, decoder.gradients(names::contains), promptLengths, modes));
            }
        } catch (RuntimeException | Error e) {
            devices.forEach(TrainingDevice::close);
            throw e;
        }
    }

    private void requireLengths() {
        int longest = longest(model);
        for (TextKind kind : TextKind.values()) {
            if (maxLength(kind) > longest) {
                throw new IllegalArgumentException("maximal length %d: expected 1 to %d, the model's positions"
                        .formatted(maxLength(kind), longest));
            }
        }
    }

    /// Most tokens that a model can compute: where its positions end.
    public static int longest(Model model) {
        return model.decoder().config().longest();
    }

    private void requireTrainable(SentenceModules modules, boolean ownPooling) {
        String problem = "";
        if (!modules.tokenLayers().isEmpty()) {
            problem = "dense layers over tokens";
        } else if (modules.positionWeights().isPresent() && ownPooling) {
            problem = "a mean with learned weights";
        } else if (modules.steps().stream().anyMatch(step -> step instanceof Step.Dense)) {
            problem = "dense layers after pooling";
        }
        if (!problem.isEmpty()) {
            throw new UnsupportedModelException("%s: training expects pooling of the decoder's states, got %s"
                    .formatted(model.directory(), problem));
        }
    }

    /// Opens a checkpoint directory for training.
    ///
    /// @param options device and number type; weights of type fp16 and fp8 cannot be trained
    /// @param encoding pooling, brackets, prompts and length of texts; what is not set follows the checkpoint
    /// @param trained selects tensors; may select none
    /// @throws io.github.sgpt4j.error.SgptException as [Model#open(Path, ModelOptions)]; or if the model does more
    ///     than pool the decoder's states, or the device cannot train
    public static TrainableModel open(
            Path directory, ModelOptions options, BiEncoderOptions encoding, Predicate<TrainableTensor> trained) {
        return open(directory, options, model -> encoding, trained);
    }

    /// As [#open(Path, ModelOptions, BiEncoderOptions, Predicate)].
    ///
    /// @param encoding is asked when the model is open, and may look at it
    public static TrainableModel open(
            Path directory,
            ModelOptions options,
            Function<Model, BiEncoderOptions> encoding,
            Predicate<TrainableTensor> trained) {
        options.biases().ifPresent(file -> {
            throw new UnsupportedModelException(
                    "%s: training starts from a complete checkpoint, merge these biases into theirs first"
                            .formatted(file));
        });
        WritableTensors values = new WritableTensors();
        List<TrainableTensor> tensors = new ArrayList<>();
        StringBuilder base = new StringBuilder();
        Model model = Model.open(directory, options, (checkpoint, weights) -> {
            base.append(
                    checkpoint.fingerprint(weights, Cancellation.ofThisThread("reading the weights of " + directory)));
            DecoderLayout layout = checkpoint.layout(weights.names());
            layout.decoder().stream()
                    .map(tensor -> trainable(tensor, layout))
                    .filter(trained)
                    .sorted(Comparator.comparing(TrainableTensor::name))
                    .forEach(tensors::add);
            return values.over(
                    weights, tensors.stream().map(TrainableTensor::name).toList());
        });
        try {
            return model.madeWhileOpen(() -> new TrainableModel(
                    model, values, encoding.apply(model), tensors, base.toString(), options.baseModel()));
        } catch (RuntimeException | Error e) {
            model.close();
            throw e;
        }
    }

    /// The model with the current values; closed with this object. Nothing may compute with it while [#update] runs.
    public Model model() {
        return model;
    }

    /// Number of components of an embedding, before any are cut off.
    public int dimension() {
        return Math.multiplyExact(modes.size(), model.decoder().width());
    }

    private static TrainableTensor trainable(ExpectedTensor tensor, DecoderLayout layout) {
        return new TrainableTensor(
                tensor.name(),
                Arrays.stream(tensor.shape().toArray()).boxed().toList(),
                switch (tensor.use()) {
                    case TABLE ->
                        tensor.name().equals(layout.table())
                                ? TrainableTensor.Use.EMBEDDING
                                : TrainableTensor.Use.POSITIONS;
                    case MATRIX -> TrainableTensor.Use.MATRIX;
                    case TRANSPOSED_MATRIX -> TrainableTensor.Use.TRANSPOSED_MATRIX;
                    case VECTOR -> TrainableTensor.Use.VECTOR;
                });
    }

    /// The trained tensors, sorted by name.
    public List<TrainableTensor> tensors() {
        return tensors;
    }

    /// Folder of the model that the checkpoint adapts, if it is an adapter.
    public Optional<Path> baseModel() {
        return baseModel;
    }

    /// Fingerprint of the checkpoint, without what training changes.
    public String baseFingerprint() {
        return base;
    }

    /// What training should know of how texts become embeddings, by name: pooling, brackets and length.
    public Map<String, String> settings() {
        return settings.metadata();
    }

    /// Writes the trained tensors to a file that [ModelOptions#withBiases] opens over the same checkpoint. A failure
    /// leaves the previous file in place.
    ///
    /// @param method how they were trained, for people, such as `bitfit`
    /// @throws IOException if writing fails
    public void save(Path file, String method) throws IOException {
        Biases.write(
                file,
                base,
                settings,
                method,
                List.copyOf(devices.getFirst().gradients().tensors().values()));
    }

    /// How texts are read and pooled, as it was asked for; a [BiEncoder] over [#model] with these options embeds what
    /// is trained.
    public BiEncoderOptions encoding() {
        return encoding;
    }

    /// Token ids of a text as the model gets them: framed and cut as [BiEncoder] does. Safe to call from several
    /// threads at once.
    ///
    /// @throws FormatException if there is no token, or the text is too long and must not be cut
    public int[] tokens(String text, TextKind kind) {
        return tokens(readings, text, kind);
    }

    /// As [#tokens], of a text that is not trained with, which [#measuredTruncation] counts.
    public int[] measuredTokens(String text, TextKind kind) {
        return tokens(measured, text, kind);
    }

    private int[] tokens(TextReadings readings, String text, TextKind kind) {
        EncodedText encoded = readings.of(kind).encode(model.tokenizer(), text, Cancellation.NEVER);
        int[] ids = encoded.ids();
        if (ids.length == 0) {
            throw new FormatException("text %s: expected at least one token, got none".formatted(Quoted.of(text)));
        }
        readings.tally(kind).add(new int[] {ids.length}, new int[] {encoded.uncut()});
        return ids;
    }

    /// How many of the texts of a kind were cut by [#tokens]; a text counts each time.
    public Truncation truncation(TextKind kind) {
        return readings.tally(kind).soFar();
    }

    /// How many of the texts of a kind were cut by [#measuredTokens]; a text counts each time.
    public Truncation measuredTruncation(TextKind kind) {
        return measured.tally(kind).soFar();
    }

    /// Maximum token ids of a text of this kind.
    public int maxLength(TextKind kind) {
        return readings.of(kind).maxLength();
    }

    /// Bytes of the weights on each device, at most, without the copies of trained tensors that [#write] changes.
    public long weightBytes() {
        return model.whileOpen(() ->
                MemoryEstimate.whileTraining(model.checkpoint(), model.weights(), model.backend(), model.dtype()));
    }

    /// The devices, each with a copy of the model; they may compute at the same time. At least one.
    public List<TrainingDevice> devices() {
        return Collections.unmodifiableList(devices);
    }

    /// As [TrainingDevice#embed], on the first device.
    public float[][] embed(List<int[]> texts, List<TextKind> kinds) {
        return devices.getFirst().embed(texts, kinds);
    }

    /// As [TrainingDevice#forward], on the first device.
    public TrainingDevice.Pass forward(List<int[]> texts, List<TextKind> kinds) {
        return devices.getFirst().forward(texts, kinds);
    }

    /// Reads the sum of a tensor's gradients since [#clearGradients]: those of all devices, added in 64 bits in
    /// the order of the devices.
    ///
    /// @param name one of [#tensors]
    /// @param target as many numbers as the tensor has, in stored order
    public void gradient(String name, double[] target) {
        model.whileOpen(() -> {
            devices.getFirst().gradients().read(name, target);
            if (devices.size() > 1) {
                addOthers(name, target);
            }
            return true;
        });
    }

    private void addOthers(String name, double[] target) {
        double[] other = new double[target.length];
        for (TrainingDevice device : devices.subList(1, devices.size())) {
            device.gradients().read(name, other);
            for (int i = 0; i < target.length; i++) {
                target[i] += other[i];
            }
        }
    }

    /// Sets the sums of gradients to zero.
    public void clearGradients() {
        devices.forEach(device -> device.gradients().clear());
    }

    /// Reads a tensor's current values.
    ///
    /// @param name one of [#tensors]
    /// @param target as many numbers as the tensor has, in stored order
    public void read(String name, double[] target) {
        values.read(name, target);
    }

    /// Gives a tensor new values, each rounded to 32 bits, that take effect with the next [#update].
    ///
    /// @param name one of [#tensors]
    /// @param source as many numbers as the tensor has, in stored order
    public void write(String name, double[] source) {
        values.write(name, source);
    }

    /// Makes the values given to [#write] take effect.
    public void update() {
        model.whileOpen(() -> {
            devices.forEach(device -> device.gradients().reload());
            return true;
        });
    }

    @Override
    public void close() {
        try {
            devices.forEach(TrainingDevice::close);
        } finally {
            model.close();
        }
    }
}
