package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.weights.SafetensorsWriter;
import io.github.sgpt4j.weights.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/// What a conversion writes to one folder of a checkpoint.
///
/// @param folder relative to the checkpoint
/// @param plan its weights
/// @param shards weights by file name; empty if the folder has no weights to write
/// @param copied other files to copy: source paths by name
/// @param config changes to `config.json`, if it is copied
record Part(
        Path folder,
        WeightPlan plan,
        Map<String, List<PlannedTensor>> shards,
        Map<String, Path> copied,
        ConfigChange config) {
    /// Whether a model's own weights are written: neither those of an adapter alone, nor none.
    boolean hasWeights() {
        return !shards.isEmpty() && !shards.containsKey(SourceFolder.ADAPTER);
    }

    boolean sharded() {
        return shards.size() > 1;
    }

    /// Weight files and index, relative to the checkpoint.
    List<Path> weightFiles() {
        List<Path> files = new ArrayList<>();
        shards.keySet().forEach(name -> files.add(folder.resolve(name)));
        if (sharded()) {
            files.add(folder.resolve(Weights.INDEX_FILE));
        }
        return files;
    }

    /// Writes all files.
    ///
    /// @param content folder in place of the checkpoint
    /// @param written called with the number of bytes of tensors written
    void write(Path content, LongConsumer written) throws IOException {
        Path to = content.resolve(folder);
        Files.createDirectories(to);
        for (Map.Entry<String, List<PlannedTensor>> shard : shards.entrySet()) {
            SafetensorsWriter writer = new SafetensorsWriter();
            for (PlannedTensor tensor : shard.getValue()) {
                writer.add(tensor.name(), tensor.type(), tensor.shape(), out -> tensor.writeTo(out, written));
            }
            Path file = to.resolve(shard.getKey());
            try {
                writer.write(file);
            } catch (IOException e) {
                throw FileFailures.named(file, e);
            }
        }
        if (sharded()) {
            IndexFile.write(
                    to.resolve(Weights.INDEX_FILE), plan.elements(), plan.bytes(), WeightPlan.fileByTensor(shards));
        }
        for (Map.Entry<String, Path> file : copied.entrySet()) {
            Path target = to.resolve(file.getKey());
            if (file.getKey().equals(SourceFolder.CONFIG_FILE)) {
                config.copy(file.getValue(), target);
            } else {
                Files.copy(file.getValue(), target);
            }
        }
    }
}
