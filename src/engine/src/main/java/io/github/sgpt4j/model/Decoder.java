package io.github.sgpt4j.model;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.Backward;
import io.github.sgpt4j.backend.Batch;
import io.github.sgpt4j.backend.Download;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.Norm;
import io.github.sgpt4j.backend.NormParameters;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.backend.Tensor;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceBatch;
import io.github.sgpt4j.batch.SequenceRows;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.model.ForwardPass.Purpose;
import io.github.sgpt4j.model.family.DecoderConfig;
import io.github.sgpt4j.model.family.Family;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// The one decoder of all families, over any [Backend]. Safe to share between threads.
///
/// Borrows weights and backend: both must stay open as long as the decoder is used.
public final class Decoder {
    /// What a pass does that ends with pooling one text.
    private record Pooling(Decoder decoder, List<TokenLayer> layers, List<PoolMode> modes, int skip) {}

    /// What a pass does that ends with the state of every token.
    private record TokenStates(Decoder decoder, List<TokenLayer> layers) {}

    private final DecoderWeights weights;
    /// Tokens of a batch in which what does not grow with them is nothing.
    private static final int MANY = 1024;

    private final Backend backend;
    private final DecoderLoader loader;
    private final Norm outputNorm;
    private volatile Optional<Linear> head = Optional.empty();
    private @Nullable TokenLayer latents;
    /// Layers of chosen rows of the output head, by their tokens; the score head has none.
    private final Map<List<Integer>, TokenLayer> logitLayers = new ConcurrentHashMap<>();

    private Decoder(DecoderConfig config, DecoderLoader loader, Backend backend) {
        this.backend = backend;
        this.loader = loader;
        weights = DecoderWeights.load(config, loader, backend);
        outputNorm = config.hasEmbeddingProjection() ? weights.gatherWidth() : weights.finalNorm();
    }

    /// Reads `config.json` in `directory`.
    public static DecoderConfig readConfig(Path directory) {
        return readConfig(Family.readConfig(directory, new JsonFiles()));
    }

    /// As [#readConfig(Path)], for a `config.json` that was already read.
    public static DecoderConfig readConfig(JsonFile config) {
        return Family.of(config).config().apply(config);
    }

    /// Prepares the model in `directory` whose weights are already open.
    ///
    /// @throws io.github.sgpt4j.error.SgptException if the family is not supported, a tensor is missing or its
    ///     shape does not agree with config.json
    public static Decoder load(Path directory, Weights weights, Backend backend) {
        return load(Family.readConfig(directory, new JsonFiles()), weights, backend);
    }

    /// Prepares a model of a named shape whose weights are already open.
    public static Decoder load(NamedShape shape, Weights weights, Backend backend) {
        return load(shape.file(), weights, backend);
    }

    /// Prepares a model whose `config.json` was already read and whose weights are already open.
    ///
    /// @throws io.github.sgpt4j.error.SgptException as [#load(Path, Weights, Backend)]
    public static Decoder load(JsonFile file, Weights weights, Backend backend) {
        Family family = Family.of(file);
        DecoderConfig config = family.config().apply(file);
        return new Decoder(config, new DecoderLoader(file, config, family.names(), weights, backend), backend);
    }

    public DecoderConfig config() {
        return weights.config();
    }

    /// Peak number of activation values of a batch of `tokens` tokens, without weights.
    public static long activationValues(DecoderConfig config, long tokens) {
        return activationValues(config, tokens, 0);
    }

    /// As [#activationValues(DecoderConfig, long)], including values computed from final states before
    /// pooling.
    ///
    /// @param afterDecoder number of these values per token: of all [TokenLayer]s together
    public static long activationValues(DecoderConfig config, long tokens, long afterDecoder) {
        return ForwardPass.peakValues(config, tokens, afterDecoder);
    }

    /// As [Backend#usualBatchTokens].
    ///
    /// @param parameters numbers in all weights of the model
    public int usualBatchTokens(long parameters) {
        return backend.usualBatchTokens(parameters, activationValues(config(), MANY) / MANY);
    }

    /// Width of the model's output states.
    public int width() {
        return config().embeddingWidth();
    }

    /// Pools each sequence's final hidden states.
    ///
    /// @param skip leading tokens of each sequence to leave out, `[sequences]`
    /// @param modes at least one
    /// @return `[sequences][modes · width]`
    public float[][] pool(SequenceBatch batch, int[] skip, List<PoolMode> modes) {
        try (Download pooled = startPool(batch, skip, List.of(), modes, Cancellation.NEVER)) {
            return rows(pooled.get(), Math.multiplyExact(modes.size(), width()));
        }
    }

    /// Starts pooling as [#pool] does, after dense layers over each token's final state; the caller
    /// closes the result.
    ///
    /// @param layers made by this decoder, in order
    /// @param cancellation of the call, checked before each layer of the decoder
    /// @return `[sequences, modes · outputs of the last layer]`, row-major
    public Download startPool(
            SequenceBatch batch, int[] skip, List<TokenLayer> layers, List<PoolMode> modes, Cancellation cancellation) {
        SequenceRows sequences = batch.rows();
        Optional<Pooling> kind = sequences.count() == 1 && skip.length == 1
                ? Optional.of(new Pooling(this, layers, modes, skip[0]))
                : Optional.empty();
        if (modes.equals(List.of(PoolMode.LAST)) && skip.length == sequences.count()) {
            SequenceRows last = sequences.lastTokens();
            int[] skipped = new int[skip.length];
            Arrays.setAll(skipped, i -> skip[i] < sequences.length(i) ? 0 : 1);
            return withFewStates(
                    batch.packed(),
                    kind,
                    Optional.empty(),
                    last.rows(),
                    Purpose.STATES,
                    cancellation,
                    (states, rows) -> pool(states, layers, last.at(rows), skipped, modes));
        }
        return withOutputStates(
                batch.packed(),
                kind,
                Optional.empty(),
                Optional.empty(),
                Purpose.STATES,
                cancellation,
                states -> pool(states, layers, sequences, skip, modes));
    }

    private Download pool(
            Tensor states, List<TokenLayer> layers, SequenceRows sequences, int[] skip, List<PoolMode> modes) {
        if (layers.isEmpty()) {
            return pool(states, outputNorm, sequences, skip, modes);
        }
        backend.norm(states, outputNorm, states);
        Norm identity = layers.getLast().identity();
        return through(layers, states, outputs -> pool(outputs, identity, sequences, skip, modes));
    }

    private Download pool(Tensor states, Norm norm, SequenceRows sequences, int[] skip, List<PoolMode> modes) {
        try (Tensor out = backend.allocate(sequences.count(), Math.multiplyExact(modes.size(), states.columns()))) {
            backend.pool(states, norm, sequences, skip, modes, out);
            return backend.startDownload(out);
        }
    }

    /// Prepares a dense layer for [#startPool].
    ///
    /// @param weight `[out, in]`; `in` is [#width], or `out` of the previous layer
    /// @param bias `[out]`, or empty for none
    public TokenLayer tokenLayer(WeightTensor weight, Optional<WeightTensor> bias, Activation activation) {
        Linear linear = backend.linear(
                List.of(MatrixRows.all(weight)),
                bias.map(MatrixRows::all).stream().toList());
        return layer(linear, activation);
    }

    /// The latent attention that belongs to the model, before pooling; empty for most models.
    ///
    /// @throws FormatException if one of its tensors is missing or has another shape
    public Optional<TokenLayer> latentAttention() {
        synchronized (loader) {
            if (latents == null) {
                latents = loader.latentAttention().orElse(null);
            }
            return Optional.ofNullable(latents);
        }
    }

    /// Values per token of [#latentAttention].
    public static long latentValues(DecoderConfig config) {
        return config.latents()
                .map(c -> LatentAttention.values(c, config.hidden()))
                .orElse(0L);
    }

    private TokenLayer layer(Linear linear, Activation activation) {
        return new TokenLayer.Dense(linear, activation, backend.norm(NormParameters.identity(linear.out())));
    }

    /// A layer for [#startPool] that computes the logits of a few tokens after each token.
    ///
    /// @param ids the tokens
    /// @throws FormatException if an id is not in the vocabulary, or the checkpoint has no output head
    /// @throws io.github.sgpt4j.error.UnsupportedModelException if it has a classification head instead
    public TokenLayer logitLayer(List<Integer> ids) {
        checkIds(ids.stream().mapToInt(Integer::intValue).toArray());
        if (config().visibility() == DecoderConfig.Visibility.BIDIRECTIONAL_STATES) {
            throw new UnsupportedModelException(
                    "%s: tokens attend to later ones for embeddings only: expected a model that reads logits from the same states"
                            .formatted(loader.file().path()));
        }
        return logitLayers.computeIfAbsent(List.copyOf(ids), wanted -> layer(loader.headRows(wanted), Activation.NONE));
    }

    /// A layer for [#startPool] with the head of a classifier with one label.
    ///
    /// @throws FormatException if the checkpoint has no such head
    public TokenLayer scoreLayer() {
        return logitLayers.computeIfAbsent(List.of(), none -> layer(loader.scoreHead(), Activation.NONE));
    }

    /// Whether the model is a classifier with one label, whose output is a score.
    public boolean scores() {
        return loader.scores();
    }

    /// Starts copying the final state of every token, after dense layers over each; the caller closes
    /// the result.
    ///
    /// @param layers made by this decoder, in order
    /// @param cancellation of the call, checked before each layer of the decoder
    /// @return `[tokens, width or outputs of the last layer]`, row-major
    public Download startStates(PackedBatch batch, List<TokenLayer> layers, Cancellation cancellation) {
        Optional<TokenStates> kind = Optional.of(new TokenStates(this, layers));
        return withOutputStates(
                batch, kind, Optional.empty(), Optional.empty(), Purpose.STATES, cancellation, states -> {
                    backend.norm(states, outputNorm, states);
                    return through(layers, states, backend::startDownload);
                });
    }

    private Download through(List<TokenLayer> layers, Tensor x, Function<Tensor, Download> reader) {
        if (layers.isEmpty()) {
            return reader.apply(x);
        }
        TokenLayer layer = layers.getFirst();
        List<TokenLayer> rest = layers.subList(1, layers.size());
        return switch (layer) {
            case LatentAttention latent -> {
                latent.apply(backend, x);
                yield through(rest, x, reader);
            }
            case TokenLayer.Dense dense -> {
                try (Tensor y = backend.allocate(x.rows(), dense.out())) {
                    backend.linear(x, dense.linear(), dense.activation(), y);
                    yield through(rest, y, reader);
                }
            }
        };
    }

    /// Number of batches to start before waiting for the first.
    public int batchesInFlight() {
        return backend.batchesInFlight();
    }

    /// Number of batches to compute side by side, one thread each, if they have at most `tokens` tokens
    /// together.
    public int batchesSideBySide(int tokens) {
        return backend.batchesSideBySide(tokens);
    }

    /// Minimum number of tokens that must be saved to share the computation of a common prefix, in
    /// passes for
    /// states. No number is enough if tokens attend to later ones: the states of a prefix then depend
    /// on what
    /// follows.
    public int worthSharing() {
        return config().visibility().ofStates() ? Integer.MAX_VALUE : backend.worthSharing();
    }

    /// Final hidden states of every token, `[tokens][width]`.
    public float[][] hiddenStates(PackedBatch batch) {
        int[] all = new int[batch.tokens()];
        Arrays.setAll(all, i -> i);
        Download states = withOutputStates(
                batch, Optional.empty(), Optional.empty(), Optional.empty(), Purpose.STATES, Cancellation.NEVER, x -> {
                    try (Tensor out = backend.allocate(all.length, width())) {
                        backend.normRows(x, all, outputNorm, out);
                        return backend.startDownload(out);
                    }
                });
        try (states) {
            return rows(states.get(), width());
        }
    }

    /// Natural logarithm of the probability that token `targets[i]` follows the token in row `rows[i]`.
    ///
    /// @param batch may start with the cached tokens of `prefix`
    /// @param prefix the states of the batch's cached tokens, or empty if it has none
    /// @param rows computed rows, not counting cached ones; may repeat
    /// @param targets token ids, `[rows.length]`
    public float[] logProbabilities(PackedBatch batch, Optional<CachedPrefix> prefix, int[] rows, int[] targets) {
        try (Download started =
                startLogProbabilities(batch, prefix, rows, targets, Integer.MAX_VALUE, Cancellation.NEVER)) {
            return started.get();
        }
    }

    /// Starts computing [#logProbabilities]; the caller closes the result.
    ///
    /// @param vocabulary first rows of the output head that the softmax runs over, more than the largest target;
    ///     all if there are fewer
    /// @param cancellation of the call, checked before each layer of the decoder and before the output
    ///     head
    public Download startLogProbabilities(
            PackedBatch batch,
            Optional<CachedPrefix> prefix,
            int[] rows,
            int[] targets,
            int vocabulary,
            Cancellation cancellation) {
        if (rows.length == 0) {
            return Download.of(new float[0]);
        }
        checkIds(targets);
        return withFewStates(batch, Optional.empty(), prefix, rows, Purpose.PREDICTIONS, cancellation, (states, at) -> {
            try (Tensor scored = backend.allocateInner(at.length, width());
                    Tensor out = backend.allocate(at.length, 1)) {
                backend.normRows(states, at, outputNorm, scored);
                int counted = Math.min(vocabulary, head().out());
                backend.logProbabilities(scored, head(), counted, config().logitSoftcap(), targets, out);
                return backend.startDownload(out);
            }
        });
    }

    /// Computes a prefix that many sequences share, once. The caller closes the result.
    ///
    /// @param cancellation of the call, checked before each layer
    public CachedPrefix prefix(int[] ids, Cancellation cancellation) {
        PackedBatch packed = PackedBatch.of(List.of(ids));
        check(packed, Optional.empty());
        try (Batch batch = backend.upload(packed);
                ForwardPass pass =
                        new ForwardPass(weights, backend, batch, Optional.empty(), Purpose.PREDICTIONS, cancellation)) {
            return pass.runAndKeep();
        }
    }

    /// Prepares the output head now instead of at the first scoring.
    ///
    /// @throws FormatException if the checkpoint has no output head
    /// @throws UnsupportedModelException if it has a classification head instead, or tokens attend to
    ///     later ones:
    ///     such a model does not predict tokens
    public void requireHead() {
        requirePredictions();
        head();
    }

    private void requirePredictions() {
        if (config().visibility().ofPredictions()) {
            throw new UnsupportedModelException(
                    "%s: tokens attend to later ones, so the model does not predict tokens: expected a causal language model for scores of likelihood"
                            .formatted(loader.file().path()));
        }
    }

    /// Checks that there is an output head, without preparing it.
    ///
    /// @throws FormatException if the checkpoint has no output head
    /// @throws UnsupportedModelException as [#requireHead]
    public void checkHead() {
        requirePredictions();
        loader.checkHead();
    }

    /// What users should know before scoring: where the output head comes from, if that may be
    /// surprising.
    public List<String> headNotices() {
        return loader.headNotices();
    }

    private Linear head() {
        if (head.isEmpty()) {
            synchronized (loader) {
                if (head.isEmpty()) {
                    head = Optional.of(loader.head());
                }
            }
        }
        return head.orElseThrow();
    }

    @FunctionalInterface
    private interface FewStatesReader {
        /// @param states states before [#outputNorm]
        /// @param rows rows of the wanted ones among them
        Download read(Tensor states, int[] rows);
    }

    /// Runs the forward pass and gives `reader` the states of the wanted rows: only these if they are
    /// few, otherwise all states.
    ///
    /// @param kind as of [Backend#run]
    /// @param wanted computed rows, not counting cached ones, in any order; may repeat
    private Download withFewStates(
            PackedBatch packed,
            Optional<?> kind,
            Optional<CachedPrefix> prefix,
            int[] wanted,
            Purpose purpose,
            Cancellation cancellation,
            FewStatesReader reader) {
        int[] distinct = distinct(wanted);
        if (!ForwardPass.isFew(distinct.length, packed.tokens())) {
            return withOutputStates(
                    packed,
                    kind,
                    prefix,
                    Optional.empty(),
                    purpose,
                    cancellation,
                    states -> reader.read(states, wanted));
        }
        int[] at = new int[wanted.length];
        Arrays.setAll(at, i -> Arrays.binarySearch(distinct, wanted[i]));
        return withOutputStates(
                packed, kind, prefix, Optional.of(distinct), purpose, cancellation, states -> reader.read(states, at));
    }

    /// The distinct values in ascending order.
    private static int[] distinct(int[] values) {
        int[] sorted = values.clone();
        Arrays.sort(sorted);
        int count = 0;
        for (int value : sorted) {
            if (count == 0 || value != sorted[count - 1]) {
                sorted[count++] = value;
            }
        }
        return Arrays.copyOf(sorted, count);
    }

    /// Runs the forward pass and gives `reader` the states before [#outputNorm], `[rows, width]`.
    ///
    /// @param kind as of [Backend#run]
    /// @param rows distinct computed rows, not counting cached ones, or empty for all
    private Download withOutputStates(
            PackedBatch packed,
            Optional<?> kind,
            Optional<CachedPrefix> prefix,
            Optional<int[]> rows,
            Purpose purpose,
            Cancellation cancellation,
            Function<Tensor, Download> reader) {
        check(packed, prefix);
        cancellation.check();
        return backend.run(packed, kind, batch -> outputStates(batch, prefix, rows, purpose, cancellation, reader));
    }

    private Download outputStates(
            Batch batch,
            Optional<CachedPrefix> prefix,
            Optional<int[]> rows,
            Purpose purpose,
            Cancellation cancellation,
            Function<Tensor, Download> reader) {
        try (ForwardPass pass = new ForwardPass(weights, backend, batch, prefix, purpose, cancellation)) {
            Tensor x = pass.run(rows);
            if (weights.projectOut().isEmpty()) {
                return reader.apply(x);
            }
            try (Tensor projected = backend.allocate(x.rows(), width())) {
                backend.norm(x, weights.finalNorm(), x);
                backend.linear(x, weights.projectOut().get(), Activation.NONE, projected);
                return reader.apply(projected);
            }
        }
    }

    private void check(PackedBatch packed, Optional<CachedPrefix> prefix) {
        int cached = prefix.map(CachedPrefix::length).orElse(0);
        if (packed.cachedTokens() != cached) {
            throw new IllegalArgumentException(
                    "batch expects %d cached tokens, got %d".formatted(packed.cachedTokens(), cached));
        }
        checkIds(packed.ids());
        int last = Arrays.stream(packed.positions()).max().orElseThrow();
        if (last >= config().longest()) {
            throw new IllegalArgumentException(
                    "sequence of %d tokens, the model takes at most %d".formatted(last + 1, config().longest()));
        }
    }

    private void checkIds(int[] ids) {
        int vocabulary = config().vocabulary();
        for (int id : ids) {
            if (id < 0 || id >= vocabulary) {
                throw new FormatException(
                        "token id %d: expected an id below %d, the rows of the model's embedding table"
                                .formatted(id, vocabulary));
            }
        }
    }

    /// Sums for the gradients of stored tensors, zero; the caller closes them.
    ///
    /// @param trained selects tensors by their stored name
    /// @throws BackendException if this device cannot train
    public Gradients gradients(Predicate<String> trained) {
        return new Gradients(weights, backward(), trained);
    }

    /// A training pass over whole sequences, without shared prefixes; the caller closes it.
    ///
    /// @param texts token ids, each at least one
    /// @param skip leading tokens of each sequence to leave out in pooling, `[texts]`
    /// @param modes at least one
    /// @param cancellation of the call, checked before each layer
    /// @throws BackendException if this device cannot train
    public GradientPass gradientPass(List<int[]> texts, int[] skip, List<PoolMode> modes, Cancellation cancellation) {
        SequenceBatch sequences = SequenceBatch.of(texts);
        check(sequences.packed(), Optional.empty());
        return new GradientPass(weights, backend, backward(), sequences, skip, modes, cancellation);
    }

    /// Bytes that a training pass needs for each token, at most.
    public long passBytesPerToken() {
        return GradientPass.bytesPerToken(config(), backend.innerBytes());
    }

    /// As [Backward#room].
    public long roomForPasses(long held) {
        return backward().room(held);
    }

    private Backward backward() {
        config().untrainable().ifPresent(part -> {
            throw new UnsupportedModelException("%s: training does not know the gradient of %s"
                    .formatted(loader.file().path(), part));
        });
        return backend.backward()
                .orElseThrow(
                        () -> new BackendException("%s: cannot train with this type of weights, use dtype fp32 or bf16"
                                .formatted(backend.name())));
    }

    /// Cuts row-major values into rows.
    public static float[][] rows(float[] flat, int columns) {
        float[][] rows = new float[flat.length / columns][];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = Arrays.copyOfRange(flat, i * columns, (i + 1) * columns);
        }
        return rows;
    }
}
