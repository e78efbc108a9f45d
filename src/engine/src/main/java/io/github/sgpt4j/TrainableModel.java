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
import io.github.sgpt4j.model.GradientPass;
import io.github.sgpt4j.model.Gradients;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.tokenizer.EncodedText;
import io.github.sgpt4j.weights.ExpectedTensor;
import io.github.sgpt4j.weights.WritableTensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
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
/// Used by one thread at a time. Same calls give the same bits, for any number of CPU threads.
public final class TrainableModel implements AutoCloseable {
    private final Model model;
    private final WritableTensors values;
    private final List<TrainableTensor> tensors;
    private final Gradients gradients;
    private final BiEncoderOptions encoding;
    private final TextReadings readings;
    private final List<PoolMode> modes;
    /// Leading tokens that pooling leaves out, by kind of text.
    private final int[] promptLengths;
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
        requireLengths();
        promptLengths = Arrays.stream(TextKind.values())
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
        gradients = model.decoder().gradients(names::contains);
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
        if (model.lanes().decoders().size() > 1) {
            throw new UnsupportedModelException("training expects one device, got %s".formatted(model.device()));
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
                file, base, settings, method, List.copyOf(gradients.tensors().values()));
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

    /// Maximum token ids of a text of this kind.
    public int maxLength(TextKind kind) {
        return readings.of(kind).maxLength();
    }

    /// Bytes that [#forward] and [Pass#backward] need for each token, at most.
    public long bytesPerToken() {
        return decoder().passBytesPerToken();
    }

    /// Bytes that passes should need together, at most.
    public long roomForPasses() {
        return decoder().roomForPasses();
    }

    /// Embeds token ids and keeps nothing: the same bits as [#forward].
    ///
    /// @param texts computed at the same time, without order; each at least one id
    /// @param kinds kind of each text, which decides where pooling starts if a prompt is left out
    /// @return `[texts][dimension]`, neither cut nor scaled
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted
    public float[][] embed(List<int[]> texts, List<TextKind> kinds) {
        return computing("embedding texts", cancellation -> {
            try (GradientPass pass = pass(texts, kinds, cancellation)) {
                return pass.embed();
            }
        });
    }

    /// Embeds token ids and keeps what is needed to differentiate; the caller closes the result.
    ///
    /// @param texts as for [#embed]
    /// @param kinds as for [#embed]
    /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted
    public Pass forward(List<int[]> texts, List<TextKind> kinds) {
        return computing("training", cancellation -> {
            GradientPass pass = pass(texts, kinds, cancellation);
            try {
                return new Pass(pass, pass.forward());
            } catch (RuntimeException | Error e) {
                pass.close();
                throw e;
            }
        });
    }

    private GradientPass pass(List<int[]> texts, List<TextKind> kinds, Cancellation cancellation) {
        int[] skip = new int[texts.size()];
        Arrays.setAll(
                skip,
                i -> Math.min(texts.get(i).length, promptLengths[kinds.get(i).ordinal()]));
        return decoder().gradientPass(texts, skip, modes, cancellation);
    }

    private Decoder decoder() {
        return model.decoder();
    }

    private <T> T computing(String what, Function<Cancellation, T> computation) {
        Cancellation cancellation = Cancellation.ofThisThread(what);
        cancellation.check();
        return model.whileOpen(() -> computation.apply(cancellation));
    }

    /// The embeddings of some texts, with what is needed to differentiate them. Holds device memory until closed.
    public final class Pass implements AutoCloseable {
        private final GradientPass pass;
        private final float[][] embeddings;

        private Pass(GradientPass pass, float[][] embeddings) {
            this.pass = pass;
            this.embeddings = embeddings;
        }

        /// `[texts][dimension]`; must not be changed.
        public float[][] embeddings() {
            return embeddings;
        }

        /// Adds the gradients of the trained tensors to the sums that [#gradient] reads. Called once.
        ///
        /// @param gradients of the loss with respect to [#embeddings], of the same shape
        /// @throws io.github.sgpt4j.error.CancelledException if this thread is interrupted: the sums are
        ///     useless then
        public void backward(float[][] gradients) {
            computing("training", cancellation -> {
                pass.backward(gradients, TrainableModel.this.gradients);
                return true;
            });
        }

        @Override
        public void close() {
            pass.close();
        }
    }

    /// Reads the sum of a tensor's gradients since [#clearGradients].
    ///
    /// @param name one of [#tensors]
    /// @param target as many numbers as the tensor has, in stored order
    public void gradient(String name, double[] target) {
        model.whileOpen(() -> {
            gradients.read(name, target);
            return true;
        });
    }

    /// Sets the sums of gradients to zero.
    public void clearGradients() {
        gradients.clear();
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
            gradients.reload();
            return true;
        });
    }

    @Override
    public void close() {
        try {
            gradients.close();
        } finally {
            model.close();
        }
    }
}
