package io.github.sgpt4j.checkpoint;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.model.AdaptedModel;
import io.github.sgpt4j.model.AdapterConfig;
import io.github.sgpt4j.model.DecoderLayout;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// An adapter merged into its base model, for writing the two as one checkpoint without an adapter.
///
/// Until [#close], merged tensors are held in memory as 32-bit floats; all others are mapped.
public final class MergedCheckpoint implements AutoCloseable {
    private final Checkpoint checkpoint;
    private final AdaptedModel files;
    private final Weights weights;
    private final Map<String, ElementType> storedTypes;

    private MergedCheckpoint(Checkpoint checkpoint, Weights weights, Map<String, ElementType> storedTypes) {
        this.checkpoint = checkpoint;
        files = checkpoint.files();
        this.weights = weights;
        this.storedTypes = storedTypes;
    }

    /// Finds an adapter and its base model, and merges them.
    ///
    /// @param directory checkpoint whose transformer is an adapter, in safetensors
    /// @param base folder of the base model, in safetensors; empty if it is the adapter's own
    /// @throws io.github.sgpt4j.error.SgptException if there is no adapter, or a file is missing, broken
    ///     or asks for something unsupported
    public static MergedCheckpoint open(Path directory, Optional<Path> base) {
        Checkpoint checkpoint = adapter(directory, base);
        Map<String, ElementType> types = new HashMap<>();
        try (Weights stored = Weights.open(checkpoint.files().base())) {
            stored.names().forEach(name -> types.put(name, stored.get(name).dtype()));
        }
        return new MergedCheckpoint(checkpoint, checkpoint.openWeights(), types);
    }

    /// Checks all files of an adapter and its base model against the tables of known keys. Weights are
    /// not read, so they may be pickled.
    ///
    /// @return what users should know, one sentence each
    /// @throws io.github.sgpt4j.error.SgptException as [#open]
    public static List<String> notices(Path directory, Optional<Path> base) {
        return adapter(directory, base).notices();
    }

    private static Checkpoint adapter(Path directory, Optional<Path> base) {
        Checkpoint checkpoint = Checkpoint.open(directory, base);
        if (checkpoint.files().adapter().isEmpty()) {
            throw new FormatException("%s: expected an adapter (%s), found none"
                    .formatted(checkpoint.modules().transformer(), AdapterConfig.FILE));
        }
        return checkpoint;
    }

    /// Folder of the adapter.
    public Path adapter() {
        return files.folder();
    }

    /// Folder of the base model; may be that of the adapter.
    public Path base() {
        return files.base();
    }

    /// Folder of the tokenizer: the adapter's or the base model's.
    public Path tokenizer() {
        return files.tokenizer();
    }

    /// The tensors of the base model, with the adapter's changes and additions; borrowed until
    /// [#close].
    public Weights weights() {
        return weights;
    }

    /// The type in which the base model stores a tensor, if this type and the tensor's own are
    /// floating-point types for weights. Otherwise, or if the base model lacks the tensor, the tensor's
    /// own type.
    public ElementType storedType(WeightTensor tensor) {
        ElementType stored = storedTypes.getOrDefault(tensor.name(), tensor.dtype());
        return stored.isWeight() && tensor.dtype().isWeight() ? stored : tensor.dtype();
    }

    /// Whether `config.json` of the base model ties the output head to the embedding table although the
    /// two now differ.
    public boolean isUntied() {
        Set<String> names = weights.names();
        DecoderLayout layout = checkpoint.layout(names);
        String head = layout.head().getFirst().name();
        if (!layout.config().tiedHead()
                || layout.headIsTable()
                || layout.headIsScore()
                || !names.contains(layout.table())) {
            return false;
        }
        WeightTensor stored = weights.get(head);
        WeightTensor table = weights.get(layout.table());
        return stored.dtype() != table.dtype() || !stored.hasBytesOf(table);
    }

    @Override
    public void close() {
        weights.close();
    }
}
