package io.github.sgpt4j.scoring;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.model.JsonFile;
import io.github.sgpt4j.weights.Quoted;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// What a checkpoint in the sentence-transformers layout says about making embeddings from hidden states:
/// `modules.json`, `1_Pooling/config.json`, `sentence_bert_config.json`, `config_sentence_transformers.json`. A
/// checkpoint without such files gives SGPT's defaults: weighted mean, nothing after it.
///
/// @param transformer folder of config.json, weights and tokenizer
/// @param input what is done to texts first
/// @param modes pooling modes, results concatenated
/// @param poolingFile the file that says so, if any does
/// @param includePrompt whether a prompt's tokens take part in pooling
/// @param steps what is done after pooling, in order
/// @param use how embeddings are meant to be used: prompts, similarity, components
/// @param notices what people should know about how the files are understood, one sentence each
public record SentenceModules(
        Path transformer,
        TransformerSettings input,
        List<PoolMode> modes,
        Optional<Path> poolingFile,
        boolean includePrompt,
        List<Step> steps,
        EmbeddingSettings use,
        List<String> notices) {
    /// One module after pooling.
    public sealed interface Step {
        /// Scales to Euclidean length 1; zero stays zero.
        record Normalize() implements Step {}

        /// A dense layer whose config.json and weights are in `directory`.
        record Dense(Path directory) implements Step {}
    }

    public SentenceModules {
        modes = List.copyOf(modes);
        steps = List.copyOf(steps);
        notices = List.copyOf(notices);
    }

    /// Most tokens of a text, if stated.
    public OptionalInt maxLength() {
        return input.maxLength();
    }

    /// Whether texts are lower-cased first.
    public boolean lowerCase() {
        return input.lowerCase();
    }

    /// Texts put in front by name.
    public Map<String, String> prompts() {
        return use.prompts();
    }

    /// Name of the prompt used unless another is asked for.
    public Optional<String> defaultPrompt() {
        return use.defaultPrompt();
    }

    /// More modules than this are taken for a broken file.
    private static final int MAX_MODULES = 64;

    /// Reads the files in `directory`.
    ///
    /// @throws FormatException if one is broken
    /// @throws UnsupportedModelException if a module is not supported
    public static SentenceModules read(Path directory) {
        Path file = directory.resolve("modules.json");
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            return withSettings(
                    directory, directory, List.of(PoolMode.WEIGHTED_MEAN), Optional.empty(), true, List.of());
        }
        JsonNode modules = JsonFile.readTree(file);
        if (!modules.isArray() || modules.isEmpty()) {
            throw new FormatException("%s: expected a list of modules".formatted(file));
        }
        if (modules.size() > MAX_MODULES) {
            throw new FormatException(
                    "%s: expected at most %d modules, got %d".formatted(file, MAX_MODULES, modules.size()));
        }
        Path transformer = directory;
        List<PoolMode> modes = List.of();
        Optional<Path> poolingFile = Optional.empty();
        boolean includePrompt = true;
        List<Step> steps = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (int i = 0; i < modules.size(); i++) {
            JsonNode module = modules.get(i);
            requireOwnName(module, names, file, i);
            String type = text(module, "type", file, i);
            Path folder = folder(directory, file, text(module, "path", file, i));
            String kind = type.substring(type.lastIndexOf('.') + 1);
            boolean first = i == 0;
            switch (type.startsWith("sentence_transformers.") ? kind : type) {
                case "Transformer" -> {
                    requirePlace(first, file, kind);
                    transformer = folder;
                }
                case "Pooling" -> {
                    requirePlace(i == 1, file, kind);
                    JsonFile pooling = JsonFile.readObject(folder.resolve("config.json"));
                    modes = poolModes(pooling);
                    poolingFile = Optional.of(pooling.path());
                    includePrompt = pooling.bool("include_prompt", true);
                }
                case "Normalize" -> {
                    requirePlace(i > 1, file, kind);
                    JsonFile.readObjectIfPresent(folder.resolve("config.json")).ifPresent(ModuleInput::requireSentence);
                    steps.add(new Step.Normalize());
                }
                case "Dense" -> {
                    requirePlace(i > 1, file, kind);
                    steps.add(new Step.Dense(folder));
                }
                case "Dropout" -> requirePlace(i > 1, file, kind);
                default ->
                    throw new UnsupportedModelException(
                            "%s: module %s is not supported (Transformer, Pooling, Normalize, Dense, Dropout are)"
                                    .formatted(file, Quoted.of(type)));
            }
        }
        if (modes.isEmpty()) {
            throw new FormatException(
                    "%s: expected a Pooling module after the Transformer, found none".formatted(file));
        }
        return withSettings(directory, transformer, modes, poolingFile, includePrompt, steps);
    }

    private static void requirePlace(boolean condition, Path file, String kind) {
        if (!condition) {
            throw new UnsupportedModelException(
                    "%s: module %s: expected the order Transformer, Pooling, then others".formatted(file, kind));
        }
    }

    /// sentence-transformers keeps one module of each name: of two, the later one stands in place of the earlier.
    private static void requireOwnName(JsonNode module, Set<String> names, Path file, int index) {
        JsonNode name = module.path("name");
        if (name.isTextual() && !names.add(name.textValue())) {
            throw new FormatException("%s: module %d: expected a \"name\" of its own, got %s, as of a module before"
                    .formatted(file, index, Quoted.of(name.textValue())));
        }
    }

    private static String text(JsonNode module, String key, Path file, int index) {
        JsonNode value = module.path(key);
        if (!value.isTextual()) {
            throw new FormatException(
                    "%s: module %d: expected an object with a string \"%s\", found none".formatted(file, index, key));
        }
        return value.textValue();
    }

    /// A module's folder, which must lie in the checkpoint.
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

    private static SentenceModules withSettings(
            Path root,
            Path transformer,
            List<PoolMode> modes,
            Optional<Path> poolingFile,
            boolean includePrompt,
            List<Step> steps) {
        return new SentenceModules(
                transformer,
                TransformerSettings.read(transformer),
                modes,
                poolingFile,
                includePrompt,
                steps,
                EmbeddingSettings.read(root),
                List.of());
    }

    /// Reads the newer `pooling_mode` (a name or a list of names), or the older flags; no flag set means the mean.
    private static List<PoolMode> poolModes(JsonFile config) {
        Optional<JsonNode> named = config.node("pooling_mode");
        if (named.isPresent()) {
            return namedModes(config, named.get());
        }
        List<PoolMode> modes = new ArrayList<>();
        PoolingNames.FLAGS.forEach((flag, mode) -> {
            if (config.bool(flag, false)) {
                modes.add(mode);
            }
        });
        return modes.isEmpty() ? List.of(PoolMode.MEAN) : modes;
    }

    private static List<PoolMode> namedModes(JsonFile config, JsonNode named) {
        List<PoolMode> modes = new ArrayList<>();
        for (JsonNode name : named.isArray() ? named : List.of(named)) {
            if (!name.isTextual()) {
                throw config.wrong("pooling_mode", "the name of a mode", name);
            }
            PoolMode mode = PoolingNames.parse(name.textValue())
                    .orElseThrow(() -> new UnsupportedModelException("%s: pooling mode %s is not supported"
                            .formatted(config.path(), Quoted.of(name.textValue()))));
            if (modes.contains(mode)) {
                throw config.wrong("pooling_mode", "each mode at most once", name);
            }
            modes.add(mode);
        }
        if (modes.isEmpty()) {
            throw config.wrong("pooling_mode", "at least one mode", named);
        }
        return modes;
    }
}
