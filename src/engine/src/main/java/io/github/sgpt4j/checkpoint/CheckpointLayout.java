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

/// What the engine asks of a checkpoint's files, for whoever checks a checkpoint without opening it as a model.
public final class CheckpointLayout {
    private final Checkpoint checkpoint;
    private final DecoderConfig config;
    private final Path transformer;
    private final List<ModuleWeights> inModules;

    private CheckpointLayout(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
        config = checkpoint.decoder();
        transformer = checkpoint.modules().transformer();
        inModules = ModuleWeights.of(checkpoint.modules(), config.embeddingWidth(), checkpoint.json());
    }

    /// Tensors that a weight folder must have.
    ///
    /// @param always those without which the model cannot be opened
    /// @param forScoring those that only scoring needs
    /// @param layerPrefix what the names of tensors in layers begin with; empty if there are no layers
    public record Tensors(List<ExpectedTensor> always, List<ExpectedTensor> forScoring, String layerPrefix) {
        public Tensors {
            always = List.copyOf(always);
            forScoring = List.copyOf(forScoring);
        }
    }

    /// How a tokenizer fits the model.
    ///
    /// @param description the tokenizer in one line
    /// @param vocabulary ids of the vocabulary alone lie below this
    /// @param limit ids of added tokens too lie below this
    /// @param rows rows of the embedding table
    public record TokenizerFit(String description, int vocabulary, int limit, int rows) {}

    /// Holds all files of the checkpoint against what is known about their keys.
    ///
    /// @return what people should know, one sentence each
    /// @throws io.github.sgpt4j.error.SgptException if one asks for something unsupported
    public List<String> notices() {
        return checkpoint.notices();
    }

    /// Reads the configuration files of a checkpoint directory, no weights.
    ///
    /// @throws io.github.sgpt4j.error.SgptException if one is missing, broken or asks for something unsupported
    public static CheckpointLayout read(Path directory) {
        return new CheckpointLayout(Checkpoint.open(directory));
    }

    /// The name of the table that a tied decoder takes its output head from, empty if the head is its own or the folder
    /// holds no decoder that the engine knows.
    ///
    /// @param folder with `config.json` and weights
    /// @param stored names of the tensors in the weight files
    public static Optional<String> tiedTable(Path folder, Set<String> stored) {
        try {
            DecoderLayout layout = DecoderLayout.read(folder, stored);
            return layout.config().tiedHead() ? Optional.of(layout.table()) : Optional.empty();
        } catch (SgptException e) {
            // Whoever opens the model is told.
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

    /// The folders with weights: the decoder's first, then those of modules.
    public List<Path> weightFolders() {
        List<Path> folders = new ArrayList<>(List.of(transformer));
        inModules.forEach(module -> folders.add(module.folder()));
        return folders;
    }

    /// What a weight folder must have.
    ///
    /// @param folder one of [#weightFolders]
    /// @param stored names of the tensors that are there: a decoder's may have a prefix or not
    public Tensors tensors(Path folder, Set<String> stored) {
        for (ModuleWeights module : inModules) {
            if (module.folder().equals(folder)) {
                return new Tensors(module.tensors(), List.of(), "");
            }
        }
        DecoderLayout layout = checkpoint.layout(stored);
        return new Tensors(layout.decoder(), layout.head(), layout.layerPrefix());
    }

    /// Loads the tokenizer.
    ///
    /// @throws io.github.sgpt4j.error.SgptException if a file of it is missing, broken or unsupported
    public TokenizerFit tokenizer() {
        Tokenizer tokenizer = Tokenizer.load(transformer, checkpoint.json());
        return new TokenizerFit(
                tokenizer.describe(), tokenizer.baseVocabularySize(), tokenizer.vocabularySize(), config.vocabulary());
    }
}
