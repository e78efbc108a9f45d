package io.github.sgpt4j.checkpoint;

import io.github.sgpt4j.model.DecoderLayout;
import io.github.sgpt4j.model.family.Family;
import io.github.sgpt4j.weights.ExpectedTensor;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// A base model with the tensors that training changed, for writing the two as one checkpoint.
///
/// Tensors are mapped until [#close]; only those of a merged adapter are held in memory.
public final class TrainedCheckpoint implements AutoCloseable {
    private final Checkpoint checkpoint;
    private final TrainedSettings settings;
    private final Weights weights;
    private final List<String> heads;

    private TrainedCheckpoint(Checkpoint checkpoint, Weights weights) {
        this.checkpoint = checkpoint;
        settings = checkpoint.biases().orElseThrow().settings();
        this.weights = weights;
        heads = heads();
    }

    /// Opens both.
    ///
    /// @param directory the base model, in safetensors; may be an adapter
    /// @param base folder of the model that it adapts, in safetensors; empty if it is the adapter's own, or
    ///     there is none
    /// @param biases the trained tensors, see [Biases]
    /// @throws io.github.sgpt4j.error.SgptException if a file is missing, broken or asks for something
    ///     unsupported, or the tensors belong to another model
    public static TrainedCheckpoint open(Path directory, Optional<Path> base, Path biases) {
        Checkpoint checkpoint = Checkpoint.open(directory, base, Optional.of(biases));
        Weights weights = checkpoint.openWeights();
        try {
            return new TrainedCheckpoint(checkpoint, weights);
        } catch (RuntimeException | Error e) {
            weights.close();
            throw e;
        }
    }

    /// Checks all files of the base model, and the metadata of the trained tensors. Weights are not read,
    /// so those of the base model may be pickled.
    ///
    /// @return what users should know, one sentence each
    /// @throws io.github.sgpt4j.error.SgptException as [#open]
    public static List<String> notices(Path directory, Optional<Path> base, Path biases) {
        return Checkpoint.open(directory, base, Optional.of(biases)).notices();
    }

    private List<String> heads() {
        DecoderLayout layout = checkpoint.layout(weights.names());
        Set<String> used = layout.decoder().stream().map(ExpectedTensor::name).collect(Collectors.toSet());
        List<String> modules = Family.of(checkpoint.configuration()).names().heads();
        return weights.names().stream()
                .filter(name -> !used.contains(name))
                .filter(name -> modules.stream().anyMatch(module -> name.startsWith(module + ".")))
                .toList();
    }

    /// How texts become embeddings.
    public TrainedSettings settings() {
        return settings;
    }

    /// The base model's directory.
    public Path directory() {
        return checkpoint.directory();
    }

    /// Folder of `config.json`.
    public Path configuration() {
        return checkpoint.files().configuration();
    }

    /// Folder of the tokenizer.
    public Path tokenizer() {
        return checkpoint.files().tokenizer();
    }

    /// All weights; borrowed until [#close].
    public Weights weights() {
        return weights;
    }

    /// Names of the tensors of the output head, which embeddings do not need. A table that is stored under the
    /// head's name is none of them.
    public List<String> headTensors() {
        return heads;
    }

    /// The tensors as stored, with the trained ones in place of their own, without [#headTensors]; borrowed
    /// until [#close].
    public List<WeightTensor> tensors() {
        List<WeightTensor> tensors = new ArrayList<>();
        for (String name : weights.names()) {
            if (!heads.contains(name)) {
                tensors.add(weights.get(name));
            }
        }
        return tensors;
    }

    /// The modules around the decoder, with the trained settings.
    public SentenceModules modules() {
        return checkpoint.modules();
    }

    /// Components of the vector of a token that is pooled.
    ///
    /// @throws io.github.sgpt4j.error.SgptException if a module between decoder and pooling is broken
    public int tokenWidth() {
        int width = checkpoint.decoder().embeddingWidth();
        for (Path folder : modules().tokenLayers()) {
            width = DenseConfig.readTokenLayer(folder, width, checkpoint.json()).out();
        }
        return width;
    }

    @Override
    public void close() {
        weights.close();
    }
}
