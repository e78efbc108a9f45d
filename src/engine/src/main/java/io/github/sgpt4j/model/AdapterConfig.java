package io.github.sgpt4j.model;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.weights.Quoted;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// What `adapter_config.json` of a LoRA adapter says, as peft's `LoraConfig` defines it (Hu et al. 2021, arXiv
/// 2106.09685). What changes numbers in another way than low-rank products is refused by name.
///
/// @param file where this was read
/// @param baseModel `base_model_name_or_path`: a folder or the name of a hub's model
/// @param revision of the base model on its hub, if stated
/// @param targets modules with low-rank products, and their ranks
public record AdapterConfig(
        JsonFile file, Optional<String> baseModel, Optional<String> revision, AdapterTargets targets) {
    /// Its name in an adapter's folder.
    public static final String FILE = "adapter_config.json";

    /// Ways of initialising that leave the base model's weights alone; others replace them by what is left over.
    private static final Set<String> PLAIN_STARTS = Set.of("true", "false", "gaussian", "eva", "orthogonal");

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

    /// Used, or without effect on a trained adapter: training, what is told by tensors' names and shapes, notes.
    private static final Set<String> KNOWN = Set.of(
            "peft_type",
            "base_model_name_or_path",
            "revision",
            "auto_mapping",
            "init_lora_weights",
            "r",
            "lora_alpha",
            "use_rslora",
            "rank_pattern",
            "alpha_pattern",
            "target_modules",
            "exclude_modules",
            "layers_to_transform",
            "layers_pattern",
            "modules_to_save",
            "bias",
            "fan_in_fan_out",
            "lora_dropout",
            "inference_mode",
            "task_type",
            "peft_version",
            "base_model_class",
            "parent_library",
            "megatron_core",
            "loftq_config",
            "eva_config",
            "corda_config",
            "lora_ga_config",
            "velora_config",
            "qalora_group_size",
            "runtime_config");

    /// Whether a folder holds an adapter.
    public static boolean isIn(Path folder) {
        return JsonFile.exists(folder.resolve(FILE));
    }

    /// Reads the file in an adapter's folder.
    ///
    /// @throws FormatException if it is broken
    /// @throws UnsupportedModelException if it is no LoRA adapter, or asks for what is not implemented
    public static AdapterConfig read(Path folder) {
        JsonFile file = JsonFile.readObject(folder.resolve(FILE));
        String type = file.text("peft_type", "");
        if (!type.equals("LORA")) {
            throw new UnsupportedModelException("%s: key \"peft_type\": expected \"LORA\", got %s"
                    .formatted(file.path(), type.isEmpty() ? "none" : Quoted.of(type)));
        }
        for (String key : REFUSED) {
            file.node(key).filter(value -> !isNeutral(value)).ifPresent(value -> {
                throw Family.unsupported(file, key, "a LoRA adapter is merged as products of two matrices");
            });
        }
        refuseStart(file);
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

    private static void refuseStart(JsonFile file) {
        Optional<JsonNode> start = file.node("init_lora_weights");
        if (start.isPresent() && !PLAIN_STARTS.contains(start.get().asText())) {
            throw Family.unsupported(file, "init_lora_weights", "it changes the base model's weights");
        }
    }

    private static boolean isNeutral(JsonNode value) {
        return value.isBoolean() ? !value.booleanValue() : value.isContainerNode() && value.isEmpty();
    }

    /// What people should know: keys that are not known.
    List<String> notices() {
        Set<String> unknown = new TreeSet<>();
        file.keys().forEach(key -> {
            if (!KNOWN.contains(key)
                    && !REFUSED.contains(key)
                    && file.node(key).filter(v -> !isNeutral(v)).isPresent()) {
                unknown.add(Quoted.of(key));
            }
        });
        List<String> notices = new ArrayList<>();
        if (!unknown.isEmpty()) {
            notices.add("%s: passed over are keys that are not known: %s"
                    .formatted(
                            file.path(),
                            String.join(", ", unknown.stream().limit(8).toList())));
        }
        return notices;
    }
}
