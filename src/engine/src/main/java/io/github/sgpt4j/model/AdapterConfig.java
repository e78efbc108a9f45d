package io.github.sgpt4j.model;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.files.FileEntries;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.model.family.CustomCode;
import io.github.sgpt4j.text.Quoted;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The settings in `adapter_config.json` of a LoRA adapter, as defined by peft's `LoraConfig` (Hu et
/// al. 2021, arXiv 2106.09685). Settings that change weights in other ways than low-rank products are
/// refused by name.
///
/// @param file the file
/// @param baseModel `base_model_name_or_path`: a folder or the name of a model on a hub
/// @param revision revision of the base model on its hub, if stated
/// @param targets modules with low-rank products, and their ranks
public record AdapterConfig(
        JsonFile file, Optional<String> baseModel, Optional<String> revision, AdapterTargets targets) {
    /// Its name in an adapter's folder.
    public static final String FILE = "adapter_config.json";

    /// Initialisations that do not change the base model's weights; others subtract the initial product
    /// from them.
    private static final Set<String> PLAIN_INITS = Set.of("true", "false", "gaussian", "eva", "orthogonal");

    /// Refused unless `null`, `false` or empty.
    private static final List<String> REFUSED = List.of(
            "use_dora",
            "lora_bias",
            "trainable_token_indices",
            "target_parameters",
            "layer_replication",
            "use_qalora",
            "alora_invocation_tokens",
            "arrow_config",
            "use_bdlora",
            "monteclora_config",
            "kasa_config",
            "megatron_config",
            "ensure_weight_tying",
            "exclude_parameters");

    /// Whether a folder contains an adapter.
    public static boolean isIn(Path folder) {
        return FileEntries.exists(folder.resolve(FILE));
    }

    /// Reads the file in an adapter's folder.
    ///
    /// @throws FormatException if it is broken
    /// @throws UnsupportedModelException if it is not a LoRA adapter, or asks for something that is not
    ///     implemented
    public static AdapterConfig read(Path folder, JsonFiles json) {
        JsonFile file = json.object(folder.resolve(FILE));
        String type = file.text("peft_type", "");
        if (!type.equals("LORA")) {
            throw new UnsupportedModelException("%s: key \"peft_type\": expected \"LORA\", got %s"
                    .formatted(file.path(), type.isEmpty() ? "none" : Quoted.of(type)));
        }
        for (String key : REFUSED) {
            file.node(key).filter(value -> !isNeutral(value)).ifPresent(value -> {
                throw file.unsupported(key, "a LoRA adapter is merged as products of two matrices");
            });
        }
        refuseInit(file);
        file.object("auto_mapping").ifPresent(mapping -> {
            String name = mapping.text("base_model_class", "");
            if (!name.isEmpty() && !CustomCode.isKnownClass(name)) {
                throw new UnsupportedModelException(
                        "%s: key \"auto_mapping\": expected a class of transformers' supported models, got %s, whose code is not known"
                                .formatted(file.path(), Quoted.of(name)));
            }
        });
        return new AdapterConfig(
                file,
                Optional.of(file.text("base_model_name_or_path", "")).filter(name -> !name.isEmpty()),
                Optional.of(file.text("revision", "")).filter(name -> !name.isEmpty()),
                AdapterTargets.read(file));
    }

    private static void refuseInit(JsonFile file) {
        Optional<JsonNode> init = file.node("init_lora_weights");
        if (init.isPresent() && !PLAIN_INITS.contains(init.get().asText())) {
            throw file.unsupported("init_lora_weights", "it changes the base model's weights");
        }
    }

    private static boolean isNeutral(JsonNode value) {
        return value.isBoolean() ? !value.booleanValue() : value.isContainerNode() && value.isEmpty();
    }
}
