package io.github.sgpt4j.model.family;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.text.Quoted;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/// A model family: how to read its config.json, as transformers' `configuration_*.py` defines it (the
/// same keys, older synonyms and defaults), and where its tensors are. A new family needs a class, a
/// row here and goldens.
///
/// @param modelType `model_type` in config.json
/// @param config reads the configuration
/// @param names maps tensors
/// @param fitsHalf whether values between a layer's products, but for the residual stream, stay within 65504,
///     where half precision ends; a family that says no tells why
public record Family(String modelType, Function<JsonFile, DecoderConfig> config, TensorNames names, boolean fitsHalf) {
    /// A family whose values fit half precision.
    Family(String modelType, Function<JsonFile, DecoderConfig> config, TensorNames names) {
        this(modelType, config, names, true);
    }

    /// This family, which exceeds half precision.
    Family beyondHalf() {
        return new Family(modelType, config, names, false);
    }

    /// Every supported family.
    static final List<Family> ALL = List.of(
            Gpt2.FAMILY,
            GptNeo.FAMILY,
            GptJ.FAMILY,
            Bloom.FAMILY,
            GptNeoX.FAMILY,
            Opt.FAMILY,
            Llama.FAMILY,
            Mistral.FAMILY,
            Qwen2.FAMILY,
            Qwen3.FAMILY,
            Gemma.FAMILY,
            Gemma2.FAMILY,
            Gemma3.FAMILY,
            Phi3.FAMILY,
            Olmo2.FAMILY,
            Llama.BIDIRECTIONAL,
            Qwen3.BIDIRECTIONAL,
            NvEmbed.FAMILY);

    /// Finds the family of a model by its config.json.
    ///
    /// @throws FormatException if config.json has no `model_type`
    /// @throws UnsupportedModelException if the family, or an option that all families share, is not
    ///     supported
    public static Family of(JsonFile config) {
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

    /// Reads `config.json` in a directory.
    ///
    /// @throws FormatException if it is missing or broken
    public static JsonFile readConfig(Path directory, JsonFiles json) {
        Path path = directory.resolve("config.json");
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            throw new FormatException("%s: expected a config.json, found none".formatted(directory));
        }
        return json.object(path);
    }

    /// Refuses options of all families that change results and that the decoder does not implement.
    private static void refuseOptions(JsonFile config) {
        CustomCode.refuse(config);
        if (config.has("quantization_config")) {
            throw config.unsupported("quantization_config", "weights must be F32, F16 or BF16");
        }
    }
}
