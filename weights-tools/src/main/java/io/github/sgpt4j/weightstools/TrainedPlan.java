package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.checkpoint.TrainedCheckpoint;
import io.github.sgpt4j.weights.MappedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// A base model and the tensors that training changed as one checkpoint: the tensors as stored, each in
/// its own type, the base model's configuration, tokenizer and licence, and the settings that the
/// tensors were trained with. The output head is left out.
final class TrainedPlan implements ConversionPlan {
    private static final String CARD = "README.md";

    private final TrainedCheckpoint trained;
    private final List<Part> parts = new ArrayList<>();

    private TrainedPlan(TrainedCheckpoint trained) {
        this.trained = trained;
    }

    /// @param trained closed with the plan, or if this fails
    /// @param card text of `README.md`, if there is one
    /// @param maxShardBytes most bytes of tensors in one file
    /// @param scratch folder for files that are copied later
    static TrainedPlan of(TrainedCheckpoint trained, Optional<String> card, long maxShardBytes, Path scratch)
            throws IOException {
        try {
            TrainedPlan plan = new TrainedPlan(trained);
            return plan.mapped().opening(() -> {
                plan.make(card, maxShardBytes, Files.createDirectory(scratch.resolve("settings")));
                return plan;
            });
        } catch (IOException | RuntimeException | Error e) {
            trained.close();
            throw e;
        }
    }

    private void make(Optional<String> card, long maxShardBytes, Path folder) throws IOException {
        SentenceFiles files = SentenceFiles.write(trained, folder);
        Map<String, Path> copied = new TreeMap<>();
        SourceFolder.copied(trained.configuration(), false).forEach((name, file) -> {
            if (name.equals(SourceFolder.CONFIG_FILE) || SourceFolder.isTerms(name)) {
                copied.put(name, file);
            }
        });
        SourceFolder.copied(trained.tokenizer(), false).forEach((name, file) -> {
            if (SourceFolder.isTokenizer(name)) {
                copied.put(name, file);
            }
        });
        PadToken.add(copied, folder);
        copied.putAll(files.beside());
        if (card.isPresent()) {
            copied.put(CARD, Files.writeString(folder.resolve(CARD), card.get()));
        }
        WeightPlan plan = WeightPlan.ofStored(trained.tensors());
        parts.add(new Part(Path.of(""), plan, plan.shards(maxShardBytes), copied, ConfigChange.ENCODER));
        parts.addAll(files.modules());
    }

    @Override
    public MappedFiles mapped() {
        return trained.weights().mapped();
    }

    @Override
    public List<Part> parts() {
        return parts;
    }

    @Override
    public void close() {
        trained.close();
    }
}
