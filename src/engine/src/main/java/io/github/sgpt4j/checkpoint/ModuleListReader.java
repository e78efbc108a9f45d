package io.github.sgpt4j.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.text.Quoted;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Reads the modules of `modules.json`, one after the other: the transformer, dense layers over tokens,
/// pooling, and the steps after pooling.
public final class ModuleListReader {
    private final Path directory;
    private final Path file;
    private final JsonFiles json;
    private int count;
    private final Set<String> names = new HashSet<>();
    private Path transformer;
    private final List<Path> tokenLayers = new ArrayList<>();
    private List<PoolMode> modes = List.of();
    private Optional<PositionWeights> positionWeights = Optional.empty();
    private Optional<Path> poolingFile = Optional.empty();
    private boolean includePrompt = true;
    private Map<String, String> prompts = Map.of();
    private final List<SentenceModules.Step> steps = new ArrayList<>();

    /// @param directory the checkpoint
    /// @param file its `modules.json`
    /// @param json reads the files of modules
    ModuleListReader(Path directory, Path file, JsonFiles json) {
        this.directory = directory;
        this.file = file;
        this.json = json;
        transformer = directory;
    }

    /// Adds the next module.
    ///
    /// @throws FormatException if it is broken
    /// @throws UnsupportedModelException if it is not supported
    void add(JsonNode module) {
        requireUniqueName(module);
        String type = text(module, "type");
        Path folder = SentenceModules.folder(directory, file, text(module, "path"));
        String kind = type.substring(type.lastIndexOf('.') + 1);
        boolean pooled = poolingFile.isPresent();
        boolean first = count == 0;
        switch (type.startsWith("sentence_transformers.") ? kind : type) {
            case "Transformer" -> {
                requirePlace(first, kind);
                transformer = folder;
            }
            case "Pooling" -> {
                requirePlace(!first && !pooled, kind);
                JsonFile pooling = json.object(folder.resolve("config.json"));
                modes = PoolingConfig.modes(pooling);
                poolingFile = Optional.of(pooling.path());
                includePrompt = pooling.bool("include_prompt", true);
            }
            case "WeightedMeanPooling" -> {
                requirePlace(!first && !pooled, kind);
                positionWeights = Optional.of(PositionWeights.read(folder, json));
                poolingFile = Optional.of(folder.resolve("config.json"));
            }
            case "Normalize" -> {
                requirePlace(pooled, kind);
                json.objectIfPresent(folder.resolve("config.json"))
                        .ifPresent(config -> ModuleInput.require(ModuleInput.SENTENCE, config));
                steps.add(new SentenceModules.Step.Normalize());
            }
            case "Dense" -> {
                requirePlace(!first, kind);
                if (pooled) {
                    steps.add(new SentenceModules.Step.Dense(folder));
                } else {
                    tokenLayers.add(folder);
                }
            }
            case "Dropout" -> requirePlace(pooled, kind);
            default ->
                throw new UnsupportedModelException(
                        "%s: module %s is not supported (Transformer, Pooling, WeightedMeanPooling, Normalize, Dense, Dropout are)"
                                .formatted(file, Quoted.of(type)));
        }
        count++;
    }

    /// The result of all modules.
    SentenceModules finish() {
        if (poolingFile.isEmpty()) {
            throw new FormatException(
                    "%s: expected a Pooling module after the Transformer, found none".formatted(file));
        }
        return build();
    }

    /// What a checkpoint without modules.json does: a published kind of model as its own code says,
    /// any other by SGPT's defaults.
    SentenceModules withoutModules() {
        Optional<KnownLayout> known = KnownLayout.find(directory, json);
        modes = List.of(known.map(KnownLayout::mode).orElse(PoolMode.WEIGHTED_MEAN));
        includePrompt = known.map(KnownLayout::includePrompt).orElse(true);
        if (known.map(KnownLayout::normalized).orElse(false)) {
            steps.add(new SentenceModules.Step.Normalize());
        }
        prompts = known.map(KnownLayout::prompts).orElse(Map.of());
        return build();
    }

    private SentenceModules build() {
        return new SentenceModules(
                transformer,
                TransformerSettings.read(transformer, json),
                tokenLayers,
                modes,
                positionWeights,
                poolingFile,
                includePrompt,
                steps,
                EmbeddingSettings.read(directory, json).orPrompts(prompts));
    }

    /// sentence-transformers keeps one module per name: of two, the later replaces the earlier one. So
    /// two modules of one name are refused.
    private void requireUniqueName(JsonNode module) {
        JsonNode name = module.path("name");
        if (name.isTextual() && !names.add(name.textValue())) {
            throw new FormatException("%s: module %d: expected a unique \"name\", got %s, the name of an earlier module"
                    .formatted(file, count, Quoted.of(name.textValue())));
        }
    }

    private void requirePlace(boolean condition, String kind) {
        if (!condition) {
            throw new UnsupportedModelException(
                    "%s: module %s: expected the order Transformer, Dense layers over tokens if any, Pooling or WeightedMeanPooling, then others"
                            .formatted(file, kind));
        }
    }

    private String text(JsonNode module, String key) {
        JsonNode value = module.path(key);
        if (!value.isTextual()) {
            throw new FormatException(
                    "%s: module %d: expected an object with a string \"%s\", found none".formatted(file, count, key));
        }
        return value.textValue();
    }
}
