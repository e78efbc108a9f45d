package io.github.sgpt4j.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.text.Quoted;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// How a checkpoint in the sentence-transformers layout turns hidden states into embeddings:
/// `modules.json`, `1_Pooling/config.json`, `sentence_bert_config.json`,
/// `config_sentence_transformers.json`. A checkpoint without these files gets SGPT's defaults: weighted
/// mean, no further steps.
///
/// @param transformer folder of config.json, weights and tokenizer
/// @param input how texts are prepared
/// @param tokenLayers folders of dense layers over each token's state, before pooling, in order
/// @param modes pooling modes, whose results are concatenated; empty if there are position weights, or if the
///     modules score pairs
/// @param positionWeights learned weights of the mean, if they are used instead of modes
/// @param poolingFile the file that states the pooling, if any
/// @param includePrompt whether a prompt's tokens take part in pooling
/// @param steps the steps after pooling, in order
/// @param use how embeddings are meant to be used: prompts, similarity, components
public record SentenceModules(
        Path transformer,
        TransformerSettings input,
        List<Path> tokenLayers,
        List<PoolMode> modes,
        Optional<PositionWeights> positionWeights,
        Optional<Path> poolingFile,
        boolean includePrompt,
        List<Step> steps,
        EmbeddingSettings use) {
    /// One module after pooling.
    public sealed interface Step {
        /// Scales to Euclidean length 1; zero stays zero.
        record Normalize() implements Step {}

        /// A dense layer whose config.json and weights are in `directory`.
        record Dense(Path directory) implements Step {}
    }

    public SentenceModules {
        tokenLayers = List.copyOf(tokenLayers);
        modes = List.copyOf(modes);
        steps = List.copyOf(steps);
    }

    /// Whether the modules score pairs: there is no pooling.
    public boolean scorePairs() {
        return modes.isEmpty() && positionWeights.isEmpty();
    }

    /// Maximum tokens of a text, if stated.
    public OptionalInt maxLength() {
        return input.maxLength();
    }

    /// Whether texts are lower-cased first.
    public boolean lowerCase() {
        return input.lowerCase();
    }

    /// Folders of modules that have weights, in order.
    public List<Path> weightFolders() {
        List<Path> folders = new ArrayList<>(tokenLayers);
        positionWeights.map(PositionWeights::directory).ifPresent(folders::add);
        for (Step step : steps) {
            if (step instanceof Step.Dense(Path folder)) {
                folders.add(folder);
            }
        }
        return folders;
    }

    /// Prompts by name.
    public Map<String, String> prompts() {
        return use.prompts();
    }

    /// Name of the prompt used by default.
    public Optional<String> defaultPrompt() {
        return use.defaultPrompt();
    }

    /// A file with more modules is considered broken.
    private static final int MAX_MODULES = 64;

    /// Reads the files in `directory`.
    ///
    /// @throws FormatException if one is broken
    /// @throws UnsupportedModelException if a module is not supported
    public static SentenceModules read(Path directory) {
        return read(directory, new JsonFiles());
    }

    /// As [#read(Path)].
    ///
    /// @param json reads them
    static SentenceModules read(Path directory, JsonFiles json) {
        Path file = directory.resolve("modules.json");
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            return new ModuleListReader(directory, file, json).withoutModules();
        }
        JsonNode modules = json.tree(file);
        if (!modules.isArray() || modules.isEmpty()) {
            throw new FormatException("%s: expected a list of modules".formatted(file));
        }
        if (modules.size() > MAX_MODULES) {
            throw new FormatException(
                    "%s: expected at most %d modules, got %d".formatted(file, MAX_MODULES, modules.size()));
        }
        ModuleListReader reader = new ModuleListReader(directory, file, json);
        modules.forEach(reader::add);
        return reader.finish();
    }

    /// A module's folder, which must be inside the checkpoint.
    static Path folder(Path directory, Path file, String path) {
        if (path.startsWith("/") || path.contains("..") || path.matches("(?s).*[\\p{Cc}\\p{Zl}\\p{Zp}\\\\].*")) {
            throw outside(file, path);
        }
        try {
            Path folder = directory.resolve(path);
            if (!folder.startsWith(directory)) {
                throw outside(file, path);
            }
            return folder;
        } catch (InvalidPathException e) {
            throw outside(file, path);
        }
    }

    private static FormatException outside(Path file, String path) {
        return new FormatException(
                "%s: module path %s: expected a folder of the checkpoint".formatted(file, Quoted.of(path)));
    }
}
