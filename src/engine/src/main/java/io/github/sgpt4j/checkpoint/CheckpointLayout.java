package io.github.sgpt4j.checkpoint;

import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.model.DecoderLayout;
import io.github.sgpt4j.model.family.DecoderConfig;
import io.github.sgpt4j.tokenizer.Tokenizer;
import io.github.sgpt4j.weights.ExpectedTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// What the engine requires of a checkpoint's files, for code that checks a checkpoint without opening
/// it as a model.
public final class CheckpointLayout {
    private final Checkpoint checkpoint;
    private final DecoderConfig config;
    private final Path transformer;
    private final List<ModuleWeights> moduleWeights;

    private CheckpointLayout(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
        config = checkpoint.decoder();
        transformer = checkpoint.modules().transformer();
        moduleWeights = ModuleWeights.of(checkpoint.modules(), config.embeddingWidth(), checkpoint.json());
    }

    /// Tensors that a weight folder must have.
    ///
    /// @param always tensors without which the model cannot be opened
    /// @param forScoring tensors that only scoring needs
    /// @param layerPrefix common prefix of the names of tensors in layers; empty if there are no layers
    public record Tensors(List<ExpectedTensor> always, List<ExpectedTensor> forScoring, String layerPrefix) {
        public Tensors {
            always = List.copyOf(always);
            forScoring = List.copyOf(forScoring);
        }
    }

    /// Sizes of a tokenizer and of the model that it must fit.
    ///
    /// @param description the tokenizer in one line
    /// @param vocabulary upper bound (exclusive) of ids without added tokens
    /// @param limit upper bound (exclusive) of ids including added tokens
    /// @param rows rows of the embedding table
    public record TokenizerFit(String description, int vocabulary, int limit, int rows) {}

    /// Checks all files of the checkpoint against the tables of known keys.
    ///
    /// @return what users should know, one sentence each
    /// @throws io.github.sgpt4j.error.SgptException if one asks for something unsupported
    public List<String> notices() {
        return checkpoint.notices();
    }

    /// Reads the configuration files of a checkpoint directory, but no weights.
    ///
    /// @throws io.github.sgpt4j.error.SgptException if one is missing, broken or asks for something unsupported
    public static CheckpointLayout read(Path directory) {
        return new CheckpointLayout(Checkpoint.open(directory));
    }

    /// The name of the embedding table that a tied decoder uses as its output head; empty if the head
    /// is separate or the folder contains no decoder that the engine knows.
    ///
    /// @param folder with `config.json` and weights
    /// @param stored names of the tensors in the weight files
    public static Optional<String> tiedTable(Path folder, Set<String> stored) {
        try {
            DecoderLayout layout = DecoderLayout.read(folder, stored);
            return layout.config().tiedHead() ? Optional.of(layout.table()) : Optional.empty();
        } catch (SgptException e) {
            // Opening the model reports the failure.
            return Optional.empty();
        }
    }

    /// The model in one line.
    public String describe() {
        return String.format(
                Locale.ROOT,
                "%s, %d layers of width %,d, vocabulary of %,d",
                config.modelType(),
                config.layers(),
                config.hidden(),
                config.vocabulary());
    }

    /// The folders with weights: the decoder's, then those of modules.
    public List<Path> weightFolders() {
        List<Path> folders = new ArrayList<>(List.of(transformer));
        moduleWeights.forEach(module -> folders.add(module.folder()));
        return folders;
    }

    /// The tensors that a weight folder must have.
    ///
    /// @param folder one of [#weightFolders]
    /// @param stored names of the stored tensors: those of a decoder may or may not have a prefix
    public Tensors tensors(Path folder, Set<String> stored) {
        for (ModuleWeights module : moduleWeights) {
            if (module.folder().equals(folder)) {
                return new Tensors(module.tensors(), List.of(), "");
            }
        }
        DecoderLayout layout = checkpoint.layout(stored);
        return new Tensors(layout.decoder(), layout.head(), layout.layerPrefix());
    }

    /// Loads the tokenizer.
    ///
    /// @throws io.github.sgpt4j.error.SgptException if one of its files is missing, broken or
    ///     unsupported
    public TokenizerFit tokenizer() {
        Tokenizer tokenizer = Tokenizer.load(transformer, checkpoint.json());
        return new TokenizerFit(
                tokenizer.describe(), tokenizer.baseVocabularySize(), tokenizer.vocabularySize(), config.vocabulary());
    }
}
