package io.github.sgpt4j.model;

import io.github.sgpt4j.backend.AttentionParameters;
import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.backend.Linear;
import io.github.sgpt4j.backend.MatrixRows;
import io.github.sgpt4j.backend.Norm;
import io.github.sgpt4j.backend.NormParameters;
import io.github.sgpt4j.backend.Table;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.DecoderConfig;
import io.github.sgpt4j.model.family.Positions;
import io.github.sgpt4j.model.family.TensorNames;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Finds a decoder's tensors by a family's [TensorNames], checks their shapes against the configuration and hands
/// them to a backend.
final class DecoderLoader {
    private final JsonFile file;
    private final DecoderConfig config;
    private final TensorNames names;
    private final Weights weights;
    private final Backend backend;
    private final String prefix;
    private final OutputHead outputHead;

    /// @param file the file that `config` was read from
    DecoderLoader(JsonFile file, DecoderConfig config, TensorNames names, Weights weights, Backend backend) {
        this.file = file;
        this.config = config;
        this.names = names;
        this.weights = weights;
        this.backend = backend;
        prefix = names.prefix(weights::contains);
        outputHead = new OutputHead(config, names, prefix);
    }

    /// NV-Embed's latent attention, or empty.
    Optional<TokenLayer> latentAttention() {
        return config.latents().map(c -> LatentAttention.load(c, config.hidden(), weights, backend));
    }

    /// The file that the configuration was read from.
    JsonFile file() {
        return file;
    }

    Table embedding() {
        return backend.table(
                weights.get(outputHead.table(weights::contains), config.vocabulary(), config.embeddingWidth()));
    }

    /// The table of learned positions; empty for other kinds of positions.
    Optional<Table> positions() {
        if (!(config.positions() instanceof Positions.Learned learned)) {
            return Optional.empty();
        }
        String name = prefix + names.positions().orElseThrow() + ".weight";
        return Optional.of(
                backend.table(weights.get(name, config.maxPositions() + (long) learned.offset(), config.hidden())));
    }

    Optional<Norm> embeddingNorm() {
        return config.embeddingNorm()
                ? names.embeddingNorm().map(n -> norm(prefix + n, config.hidden()))
                : Optional.empty();
    }

    Norm finalNorm() {
        return config.finalNorm()
                ? norm(prefix + names.finalNorm(), config.hidden())
                : backend.norm(NormParameters.identity(config.hidden()));
    }

    /// OPT-350m's projection from the embedding's width, or empty.
    Optional<Linear> projectIn() {
        return config.hasEmbeddingProjection()
                ? Optional.of(linear(
                        prefix + names.projectIn().orElseThrow(), config.hidden(), config.embeddingWidth(), false))
                : Optional.empty();
    }

    /// OPT-350m's projection back to the embedding's width, or empty.
    Optional<Linear> projectOut() {
        return config.hasEmbeddingProjection()
                ? Optional.of(linear(
                        prefix + names.projectOut().orElseThrow(), config.embeddingWidth(), config.hidden(), false))
                : Optional.empty();
    }

    List<DecoderLayer> layers() {
        List<DecoderLayer> layers = new ArrayList<>();
        for (int i = 0; i < config.layers(); i++) {
            layers.add(layer(i));
        }
        return layers;
    }

    private DecoderLayer layer(int index) {
        String p = prefix + names.layer().replace("{}", Integer.toString(index));
        int hidden = config.hidden();
        boolean oneNorm = config.residual() == DecoderConfig.Residual.PARALLEL_ONE_NORM;
        return new DecoderLayer(
                norm(p + names.norm1(), hidden),
                oneNorm ? Optional.empty() : names.norm2().map(n -> norm(p + n, hidden)),
                names.outputNorm1().map(n -> norm(p + n, hidden)),
                names.outputNorm2().map(n -> norm(p + n, hidden)),
                names.queryNorm().flatMap(n -> headNorm(p + n, config.heads())),
                names.keyNorm().flatMap(n -> headNorm(p + n, config.kvHeads())),
                qkv(p),
                config.attention().get(index).rotary().map(r -> DecoderWeights.rotary(config, r)),
                attention(index, config.visibility().ofStates()),
                attention(index, config.visibility().ofPredictions()),
                linear(
                        p + names.attentionOut(),
                        hidden,
                        config.heads() * config.headDim(),
                        config.bias().attentionOut()),
                up(p),
                linear(
                        p + names.down(),
                        hidden,
                        config.feedForward(),
                        config.bias().feedForward()));
    }

    private Optional<Norm> headNorm(String module, int heads) {
        return config.headNorm() == DecoderConfig.HeadNorm.NONE
                ? Optional.empty()
                : Optional.of(norm(module, config.headNormColumns(heads)));
    }

    private AttentionParameters attention(int index, boolean bidirectional) {
        DecoderConfig.LayerAttention attention = config.attention().get(index);
        float[] slopes = config.positions() instanceof Positions.Alibi alibi ? alibi.slopes() : new float[0];
        return new AttentionParameters(
                config.heads(),
                config.kvHeads(),
                config.headDim(),
                attention.scale(),
                bidirectional ? attention.wideWindow() : attention.window(),
                slopes,
                bidirectional,
                attention.softcap());
    }

    private Linear qkv(String p) {
        int queries = config.heads() * config.headDim();
        int keys = config.kvHeads() * config.headDim();
        boolean bias = config.bias().qkv();
        return switch (names.attention()) {
            case TensorNames.Attention.Separate s -> {
                Parts parts = new Parts();
                parts.add(p + s.query(), queries, config.hidden(), bias);
                parts.add(p + s.key(), keys, config.hidden(), bias);
                parts.add(p + s.value(), keys, config.hidden(), bias);
                yield parts.build();
            }
            case TensorNames.Attention.FusedBlocks f ->
                linear(p + f.module(), queries + 2 * keys, config.hidden(), bias);
            case TensorNames.Attention.FusedPerHead f -> fusedPerHead(p + f.module(), bias);
        };
    }

    /// Regroups `[heads, 3, headDim]` into all queries, all keys, all values.
    private Linear fusedPerHead(String module, boolean bias) {
        int d = config.headDim();
        int all = config.heads() * d;
        WeightTensor weight = weights.get(module + ".weight", 3L * all, config.hidden());
        Optional<WeightTensor> biases = bias ? Optional.of(weights.get(module + ".bias", 3L * all)) : Optional.empty();
        List<MatrixRows> matrix = new ArrayList<>();
        List<MatrixRows> vector = new ArrayList<>();
        for (int part = 0; part < 3; part++) {
            int first = part * d;
            matrix.add(new MatrixRows(weight, false, first, d, 3 * d, all));
            biases.ifPresent(b -> vector.add(new MatrixRows(b, false, first, d, 3 * d, all)));
        }
        return backend.linear(matrix, vector);
    }

    private Linear up(String p) {
        Parts parts = new Parts();
        boolean bias = config.bias().feedForward();
        if (config.gated() && names.gate().isEmpty()) {
            parts.add(p + names.up(), 2 * config.feedForward(), config.hidden(), bias);
            return parts.build();
        }
        if (config.gated()) {
            parts.add(p + names.gate().orElseThrow(), config.feedForward(), config.hidden(), bias);
        }
        parts.add(p + names.up(), config.feedForward(), config.hidden(), bias);
        return parts.build();
    }

    /// The output head. Tied models use the embedding table, unless a head with other values is stored.
    ///
    /// @throws UnsupportedModelException if the model has a classification head instead
    Linear head() {
        outputHead.refuseClassifier(file, weights::contains);
        List<MatrixRows> weight = List.of(MatrixRows.all(outputHead.weight(weights)));
        List<String> tensors = outputHead.tensors(weights::contains);
        List<MatrixRows> bias = tensors.size() > 1
                ? List.of(MatrixRows.all(weights.get(tensors.getLast(), config.vocabulary())))
                : List.of();
        return backend.linear(weight, bias);
    }

    /// What users should know before scoring.
    List<String> headNotices() {
        return outputHead.notices(weights);
    }

    private Norm norm(String module, int columns) {
        boolean layer = config.norm() == NormParameters.Kind.LAYER;
        Optional<WeightTensor> gain =
                config.normAffine() ? Optional.of(weights.get(module + ".weight", columns)) : Optional.empty();
        Optional<WeightTensor> bias =
                layer && config.normAffine() ? Optional.of(weights.get(module + ".bias", columns)) : Optional.empty();
        return backend.norm(
                new NormParameters(config.norm(), columns, gain, bias, config.epsilon(), config.gainFromOne()));
    }

    private Linear linear(String module, int out, int in, boolean bias) {
        Parts parts = new Parts();
        parts.add(module, out, in, bias);
        return parts.build();
    }

    /// Modules that are stacked into one projection.
    private final class Parts {
        private final List<MatrixRows> matrix = new ArrayList<>();
        private final List<MatrixRows> vector = new ArrayList<>();

        void add(String module, int out, int in, boolean bias) {
            String name = module + ".weight";
            matrix.add(
                    names.inputFirst()
                            ? MatrixRows.allTransposed(weights.get(name, in, out))
                            : MatrixRows.all(weights.get(name, out, in)));
            if (bias) {
                vector.add(MatrixRows.all(weights.get(module + ".bias", out)));
            }
        }

        Linear build() {
            return backend.linear(matrix, vector);
        }
    }
}
