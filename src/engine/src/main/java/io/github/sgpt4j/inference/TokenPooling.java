package io.github.sgpt4j.inference;

import io.github.sgpt4j.backend.Download;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.batch.SequenceBatch;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.checkpoint.DenseConfig;
import io.github.sgpt4j.checkpoint.PositionWeights;
import io.github.sgpt4j.checkpoint.SentenceModules;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.model.TokenLayer;
import io.github.sgpt4j.weights.MappedFiles;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// How the final states of a text's tokens become one vector: dense layers over each token, if there
/// are any, then pooling modes or the mean with learned weights. Owns the weights of the layers until
/// closed; borrows the decoders.
///
/// The mean with learned weights is computed on the CPU from a copy of a batch's states, even if a GPU
/// computes the states.
public final class TokenPooling implements AutoCloseable {
    private final List<PoolMode> modes;
    private final Optional<float[]> positionWeights;
    private final List<Weights> opened = new ArrayList<>();
    private final Map<Decoder, List<TokenLayer>> layers = new IdentityHashMap<>();
    private final int tokenWidth;
    private final int longest;

    private TokenPooling(
            Lanes lanes,
            List<Path> tokenLayers,
            List<PoolMode> modes,
            Optional<PositionWeights> positionWeights,
            JsonFiles json) {
        this.modes = List.copyOf(modes);
        int longest = lanes.any().config().longest();
        this.longest = Math.min(
                longest, positionWeights.map(PositionWeights::positions).orElse(longest));
        lanes.decoders()
                .forEach(decoder -> layers.put(
                        decoder,
                        new ArrayList<>(decoder.latentAttention().stream().toList())));
        int columns = lanes.any().width();
        try {
            for (Path folder : tokenLayers) {
                columns = load(folder, columns, json);
            }
            this.positionWeights = positionWeights.map(weights -> weights.load(longest));
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
        tokenWidth = columns;
    }

    /// Pooling as in a checkpoint's modules.
    ///
    /// @param chosen modes that replace the checkpoint's; empty for the checkpoint's own
    /// @param json reads the files of modules
    /// @throws io.github.sgpt4j.error.SgptException if a file of a module is missing or broken, or does not fit the
    ///     model
    public static TokenPooling load(Lanes lanes, SentenceModules modules, List<PoolMode> chosen, JsonFiles json) {
        return chosen.isEmpty()
                ? new TokenPooling(lanes, modules.tokenLayers(), modules.modes(), modules.positionWeights(), json)
                : new TokenPooling(lanes, modules.tokenLayers(), chosen, Optional.empty(), json);
    }

    /// Pooling modes only.
    static TokenPooling of(Lanes lanes, List<PoolMode> modes) {
        return new TokenPooling(lanes, List.of(), modes, Optional.empty(), new JsonFiles());
    }

    /// @return outputs of the layer
    private int load(Path folder, int columns, JsonFiles json) {
        DenseConfig config = DenseConfig.readTokenLayer(folder, columns, json);
        Weights weights = Weights.open(folder);
        opened.add(weights);
        WeightTensor weight = config.weight(weights);
        Optional<WeightTensor> bias = config.bias(weights);
        return weights.mapped().opening(() -> {
            layers.forEach((decoder, own) -> own.add(decoder.tokenLayer(weight, bias, config.activation())));
            return config.out();
        });
    }

    /// Number of activation values per token between the decoder's final state and pooling.
    ///
    /// @param width of a state
    /// @param copied whether the copy for the CPU counts
    /// @param json reads the files of modules
    public static long values(SentenceModules modules, int width, boolean copied, JsonFiles json) {
        long values = 0;
        int columns = width;
        for (Path folder : modules.tokenLayers()) {
            columns = DenseConfig.readTokenLayer(folder, columns, json).out();
            values += columns;
        }
        return modules.positionWeights().isPresent() && copied ? values + columns : values;
    }

    /// Pooling modes, whose results are concatenated; empty for the mean with learned weights.
    public List<PoolMode> modes() {
        return modes;
    }

    /// Components of a pooled vector.
    public int width() {
        return Math.multiplyExact(Math.max(1, modes.size()), tokenWidth);
    }

    /// The weight files of the layers.
    public MappedFiles mapped() {
        return MappedFiles.together(opened.stream().map(Weights::mapped).toArray(MappedFiles[]::new));
    }

    /// Maximum tokens of a text that can be pooled.
    int longest() {
        return longest;
    }

    /// Starts pooling each sequence; the caller closes the result.
    ///
    /// @param skip leading tokens of each sequence to leave out, `[sequences]`
    /// @param cancellation of the call
    /// @return `[sequences, width]`, row-major
    Download start(Decoder decoder, SequenceBatch batch, int[] skip, Cancellation cancellation) {
        List<TokenLayer> own = layers.getOrDefault(decoder, List.of());
        if (positionWeights.isEmpty()) {
            return decoder.startPool(batch, skip, own, modes, cancellation);
        }
        float[] weights = positionWeights.get();
        Download states = decoder.startStates(batch.packed(), own, cancellation);
        return new Download() {
            @Override
            public float[] get() {
                return PositionWeights.pool(weights, states.get(), tokenWidth, batch.rows(), skip);
            }

            @Override
            public void close() {
                states.close();
            }
        };
    }

    @Override
    public void close() {
        opened.forEach(Weights::close);
    }
}
