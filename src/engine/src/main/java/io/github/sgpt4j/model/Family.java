package io.github.sgpt4j.model;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.weights.Quoted;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// A model family: how to read its config.json and where its tensors lie. A new family is a new row here, a parser in
/// [FamilyConfigs] and goldens.
///
/// @param modelType `model_type` in config.json
/// @param config reads the configuration
/// @param names maps tensors
record Family(String modelType, Function<JsonFile, DecoderConfig> config, WeightNames names) {
    /// Every supported family.
    static final List<Family> ALL = List.of(
            new Family("gpt2", FamilyConfigs::gpt2, WeightNames.GPT2),
            new Family("gpt_neo", FamilyConfigs::gptNeo, WeightNames.GPT_NEO),
            new Family("gptj", FamilyConfigs::gptJ, WeightNames.GPTJ),
            new Family("bloom", FamilyConfigs::bloom, WeightNames.BLOOM),
            new Family("gpt_neox", FamilyConfigs::gptNeoX, WeightNames.GPT_NEOX),
            new Family("opt", FamilyConfigs::opt, WeightNames.OPT),
            new Family("llama", FamilyConfigs::llama, WeightNames.LLAMA),
            new Family("mistral", FamilyConfigs::mistral, WeightNames.LLAMA),
            new Family("qwen2", FamilyConfigs::qwen2, WeightNames.LLAMA),
            new Family("qwen3", FamilyConfigs::qwen3, WeightNames.QWEN3));

    /// Finds the family of the model in `directory` by its config.json.
    ///
    /// @throws FormatException if there is no config.json, or none with a `model_type`
    /// @throws UnsupportedModelException if the family is not supported, or an option that all families share
    static Family of(JsonFile config) {
        String type = config.text("model_type", "");
        if (type.isEmpty()) {
            throw new FormatException("%s: expected key \"model_type\", found none".formatted(config.path()));
        }
        refuseOptions(config);
        return ALL.stream()
                .filter(f -> f.modelType.equals(type))
                .findFirst()
                .orElseThrow(() -> new UnsupportedModelException("%s: model type %s is not supported; supported are %s"
                        .formatted(
                                config.path(),
                                Quoted.of(type),
                                String.join(
                                        ", ",
                                        ALL.stream().map(Family::modelType).toList()))));
    }

    static JsonFile readConfig(Path directory) {
        Path path = directory.resolve("config.json");
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            throw new FormatException("%s: expected a config.json, found none".formatted(directory));
        }
        return JsonFile.readObject(path);
    }

    /// Reads an activation by its name in transformers' `ACT2FN`.
    static Activation activation(JsonFile config, String key, String fallback) {
        String name = config.text(key, fallback);
        return activation(name)
                .orElseThrow(() -> new UnsupportedModelException("%s: activation %s (key \"%s\") is not supported"
                        .formatted(config.path(), Quoted.of(name), key)));
    }

    private static Optional<Activation> activation(String name) {
        return switch (name) {
            case "gelu", "gelu_python" -> Optional.of(Activation.GELU);
            case "gelu_new", "gelu_fast", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_accurate" ->
                Optional.of(Activation.GELU_TANH);
            case "quick_gelu" -> Optional.of(Activation.GELU_QUICK);
            case "relu" -> Optional.of(Activation.RELU);
            case "silu", "swish" -> Optional.of(Activation.SILU);
            case "tanh" -> Optional.of(Activation.TANH);
            case "sigmoid" -> Optional.of(Activation.SIGMOID);
            case "linear" -> Optional.of(Activation.NONE);
            default -> Optional.empty();
        };
    }

    /// Refuses what changes the result of any family in a way that the decoder does not implement.
    private static void refuseOptions(JsonFile config) {
        CustomCode.refuse(config);
        if (config.has("quantization_config")) {
            throw unsupported(config, "quantization_config", "weights must be F32, F16 or BF16");
        }
    }

    /// The error for a key whose value asks for something that the decoder does not implement.
    static UnsupportedModelException unsupported(JsonFile config, String key, String why) {
        return new UnsupportedModelException("%s: key \"%s\" = %s is not supported: %s"
                .formatted(
                        config.path(),
                        key,
                        config.node(key).map(JsonFile::shown).orElse("null"),
                        why));
    }
}
