package io.github.sgpt4j.scoring;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.model.JsonFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// What a checkpoint in the sentence-transformers layout says about making embeddings from hidden states:
/// `modules.json`, `1_Pooling/config.json`, `sentence_bert_config.json`, `config_sentence_transformers.json`. A
/// checkpoint without such files gives SGPT's defaults: weighted mean, nothing after it.
///
/// @param transformer folder of config.json, weights and tokenizer
/// @param maxLength most tokens of a text, if stated
/// @param lowerCase texts are lower-cased first
/// @param modes pooling modes, results concatenated
/// @param includePrompt whether a prompt's tokens take part in pooling
/// @param steps what is done after pooling, in order
/// @param prompts texts put in front by name
/// @param defaultPrompt name of the prompt used unless another is asked for
public record SentenceModules(
        Path transformer,
        OptionalInt maxLength,
        boolean lowerCase,
        List<PoolMode> modes,
        boolean includePrompt,
        List<Step> steps,
        Map<String, String> prompts,
        Optional<String> defaultPrompt) {
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
        prompts = Map.copyOf(prompts);
    }

    /// Reads the files in `directory`.
    ///
    /// @throws FormatException if one is broken
    /// @throws UnsupportedModelException if a module is not supported
    public static SentenceModules read(Path directory) {
        Path file = directory.resolve("modules.json");
        if (!Files.exists(file)) {
            return withBertConfig(directory, directory, List.of(PoolMode.WEIGHTED_MEAN), true, List.of());
        }
        JsonNode modules = JsonFile.readTree(file);
        if (!modules.isArray() || modules.isEmpty()) {
            throw new FormatException("%s: expected a list of modules".formatted(file));
        }
        Path transformer = directory;
        List<PoolMode> modes = List.of();
        boolean includePrompt = true;
        List<Step> steps = new ArrayList<>();
        for (int i = 0; i < modules.size(); i++) {
            JsonNode module = modules.get(i);
            String type = module.path("type").asText();
            Path folder = folder(directory, file, module.path("path").asText());
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
                    includePrompt = pooling.bool("include_prompt", true);
                }
                case "Normalize" -> {
                    requirePlace(i > 1, file, kind);
                    steps.add(new Step.Normalize());
                }
                case "Dense" -> {
                    requirePlace(i > 1, file, kind);
                    steps.add(new Step.Dense(folder));
                }
                case "Dropout" -> requirePlace(i > 1, file, kind);
                default ->
                    throw new UnsupportedModelException(
                            "%s: module \"%s\" is not supported (Transformer, Pooling, Normalize, Dense, Dropout are)"
                                    .formatted(file, type));
            }
        }
        if (modes.isEmpty()) {
            throw new FormatException(
                    "%s: expected a Pooling module after the Transformer, found none".formatted(file));
        }
        return withBertConfig(directory, transformer, modes, includePrompt, steps);
    }

    private static void requirePlace(boolean condition, Path file, String kind) {
        if (!condition) {
            throw new UnsupportedModelException(
                    "%s: module %s: expected the order Transformer, Pooling, then others".formatted(file, kind));
        }
    }

    /// A module's folder, which must lie in the checkpoint.
    private static Path folder(Path directory, Path file, String path) {
        if (path.indexOf('\0') >= 0 || path.startsWith("/") || path.contains("..") || path.contains("\\")) {
            throw new FormatException(
                    "%s: module path \"%s\": expected a folder of the checkpoint".formatted(file, path));
        }
        return path.isEmpty() ? directory : directory.resolve(path);
    }

    private static SentenceModules withBertConfig(
            Path root, Path transformer, List<PoolMode> modes, boolean includePrompt, List<Step> steps) {
        Optional<JsonFile> bert = JsonFile.readObjectIfPresent(transformer.resolve("sentence_bert_config.json"));
        OptionalInt maxLength = bert.isPresent() && bert.get().has("max_seq_length")
                ? OptionalInt.of(bert.get().positiveInt("max_seq_length"))
                : OptionalInt.empty();
        Optional<JsonFile> sentence = JsonFile.readObjectIfPresent(root.resolve("config_sentence_transformers.json"));
        return new SentenceModules(
                transformer,
                maxLength,
                bert.isPresent() && bert.get().bool("do_lower_case", false),
                modes,
                includePrompt,
                steps,
                sentence.map(SentenceModules::readPrompts).orElse(Map.of()),
                sentence.map(s -> s.text("default_prompt_name", "")).filter(n -> !n.isEmpty()));
    }

    private static Map<String, String> readPrompts(JsonFile file) {
        Map<String, String> prompts = new LinkedHashMap<>();
        file.node("prompts").ifPresent(node -> {
            if (!node.isObject()) {
                throw file.wrong("prompts", "an object of strings", node);
            }
            node.properties().forEach(entry -> {
                if (entry.getValue().isTextual()) {
                    prompts.put(entry.getKey(), entry.getValue().textValue());
                } else if (!entry.getValue().isNull()) {
                    throw file.wrong("prompts." + entry.getKey(), "a string", entry.getValue());
                }
            });
        });
        return prompts;
    }

    /// Reads the newer `pooling_mode` (a name or a list of names), or the older flags; no flag set means the mean.
    private static List<PoolMode> poolModes(JsonFile config) {
        Optional<JsonNode> named = config.node("pooling_mode");
        if (named.isPresent()) {
            List<JsonNode> names = new ArrayList<>();
            if (named.get().isArray()) {
                named.get().forEach(names::add);
            } else {
                names.add(named.get());
            }
            if (names.isEmpty()) {
                throw config.wrong("pooling_mode", "at least one mode", named.get());
            }
            return names.stream()
                    .map(n -> PoolingNames.parse(n.asText())
                            .orElseThrow(() -> new UnsupportedModelException(
                                    "%s: pooling mode \"%s\" is not supported".formatted(config.path(), n.asText()))))
                    .toList();
        }
        List<PoolMode> modes = new ArrayList<>();
        PoolingNames.FLAGS.forEach((flag, mode) -> {
            if (config.bool(flag, false)) {
                modes.add(mode);
            }
        });
        return modes.isEmpty() ? List.of(PoolMode.MEAN) : modes;
    }
}
