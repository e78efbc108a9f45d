package io.github.sgpt4j.model.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.text.Quoted;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// Refuses checkpoints that need their own code, which is not run, and accepts those that only name it.
///
/// The name of a transformers class proves nothing: `modeling_qwen.Qwen2Model` of gte-Qwen2 uses
/// bidirectional attention. So own code for models is refused unless it is known to compute what the
/// decoder computes, see [Directions]. Configurations and tokenizers named like a family's own classes
/// are harmless,
/// since
/// their files are read anyway.
public final class CustomCode {
    /// Prefixes of the class names of transformers' families.
    private static final String FAMILY = "(GPT2|GPTNeo|GPTJ|Bloom|GPTNeoX|OPT|L[lL][aA][mM][aA]|Mistral|Qwen2|Qwen3"
            + "|Gemma|Gemma2|Gemma3|Gemma3Text|Phi3|Olmo2|LlamaBidirectional|LlamaEncoder|PPLXQwen3|NVEmbed)";

    /// The decoder classes of transformers; LMHeadModel and DoubleHeadsModel belong to GPT-2.
    private static final Pattern ARCHITECTURE = Pattern.compile("GritLM|" + FAMILY
            + "(Model|ForCausalLM|LMHeadModel|DoubleHeadsModel|ForSequenceClassification|ForTokenClassification"
            + "|ForQuestionAnswering)");

    private static final Pattern CONFIGURATION = Pattern.compile("(.*\\.)?" + FAMILY + "Config");

    private static final Pattern TOKENIZER =
            Pattern.compile("(.*\\.)?(GPT2|GPTNeoX|Bloom|Llama|Qwen2|CodeGen|PreTrained)Tokenizer(Fast)?");

    /// Keys by which nobody is known to declare directions of attention.
    private static final List<String> UNKNOWN_DIRECTIONS =
            List.of("bidirectional_attention", "bidirectional", "is_bidirectional");

    private CustomCode() {}

    /// @throws UnsupportedModelException if the configuration asks for a different computation than
    ///     transformers' own class
    static void refuse(JsonFile config) {
        for (String key : UNKNOWN_DIRECTIONS) {
            if (config.bool(key, false)) {
                throw config.unsupported(
                        key, "\"is_causal\" and \"use_bidirectional_attention\" say in which directions tokens attend");
            }
        }
        config.node("auto_map").ifPresent(map -> refuseMapped(config, map));
        for (String name : architectures(config)) {
            if (!isKnownClass(name)) {
                throw new UnsupportedModelException(
                        "%s: key \"architectures\": expected a class of transformers' supported models, got %s, whose code is not known"
                                .formatted(config.path(), Quoted.of(name)));
            }
        }
    }

    /// Whether it is a transformers class of a supported family.
    public static boolean isKnownClass(String name) {
        return ARCHITECTURE.matcher(name).matches();
    }

    private static void refuseMapped(JsonFile config, JsonNode map) {
        if (!map.isObject()) {
            throw config.wrong("auto_map", "an object", map);
        }
        map.properties().forEach(entry -> refuseClasses(config, entry.getKey(), entry.getValue()));
    }

    private static void refuseClasses(JsonFile config, String key, JsonNode value) {
        for (String name : names(config, "auto_map." + key, value)) {
            String local = withoutRepository(name);
            boolean harmless = switch (key) {
                case "AutoConfig" -> CONFIGURATION.matcher(local).matches();
                case "AutoTokenizer" -> TOKENIZER.matcher(local).matches();
                default -> Directions.isKnown(local);
            };
            if (!harmless) {
                throw new UnsupportedModelException(
                        "%s: key \"auto_map\": %s asks for the checkpoint's own code, %s, which is not run"
                                .formatted(config.path(), Quoted.of(key), Quoted.of(name)));
            }
        }
    }

    /// A class in `auto_map` without the repository that its code may come from, `OWNER/NAME--`.
    public static String withoutRepository(String name) {
        return name.substring(name.lastIndexOf("--") < 0 ? 0 : name.lastIndexOf("--") + 2);
    }

    /// The classes that `auto_map` names, by their keys.
    static Map<String, List<String>> mapped(JsonFile config) {
        Map<String, List<String>> classes = new LinkedHashMap<>();
        config.node("auto_map")
                .ifPresent(map -> map.properties()
                        .forEach(entry -> classes.put(
                                entry.getKey(), names(config, "auto_map." + entry.getKey(), entry.getValue()))));
        return classes;
    }

    /// The classes that `architectures` names.
    public static List<String> architectures(JsonFile config) {
        return config.node("architectures")
                .map(node -> names(config, "architectures", node))
                .orElse(List.of());
    }

    private static List<String> names(JsonFile config, String key, JsonNode value) {
        List<String> names = new ArrayList<>();
        for (JsonNode name : value.isArray() ? value : List.of(value)) {
            if (name.isTextual()) {
                names.add(name.textValue());
            } else if (!name.isNull()) {
                throw config.wrong(key, "names of classes", name);
            }
        }
        return names;
    }
}
