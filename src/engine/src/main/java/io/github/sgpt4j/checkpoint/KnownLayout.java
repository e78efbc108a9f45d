package io.github.sgpt4j.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.model.family.CustomCode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A published kind of model whose own code, not a file of sentence-transformers, says how texts become embeddings.
/// `config.json` tells which: by its type, the names of its classes, or its code (`auto_map`).
///
/// All but [#end] count only in a checkpoint without `modules.json`.
///
/// @param name the kind, for people
/// @param mode how states are pooled
/// @param normalized whether embeddings have length 1
/// @param includePrompt whether a prompt's tokens take part in pooling
/// @param leftOut which tokens do not, otherwise
/// @param prompts prompts by name, unless a file states some
/// @param end text that follows every text and is cut with it, such as the end token; empty for none
/// @param notice what users should know, if anything
public record KnownLayout(
        String name,
        PoolMode mode,
        boolean normalized,
        boolean includePrompt,
        LeftOut leftOut,
        Map<String, String> prompts,
        String end,
        Optional<String> notice) {
    /// GritLM's prompt without an instruction, which its published usage puts before documents; queries have
    /// `<|user|>`, a line break, an instruction and a line break in front of it.
    private static final String EMBED = "<|embed|>\n";

    /// Pooling of NVIDIA's bidirectional models, by the key `pooling`.
    private static final Map<String, PoolMode> POOLING =
            Map.of("avg", PoolMode.MEAN, "cls", PoolMode.FIRST, "last", PoolMode.LAST);

    private static final Set<String> LLM2VEC =
            Set.of("LlamaEncoderModel", "MistralEncoderModel", "GemmaEncoderModel", "Qwen2EncoderModel");

    public KnownLayout {
        prompts = Map.copyOf(prompts);
    }

    /// The kind of the model in a folder; empty if it is none of these, or the folder has no `config.json`.
    ///
    /// @param transformer folder of `config.json` and the tokenizer
    /// @param json reads the files
    /// @throws FormatException if `config.json` is broken, or a file lacks what the kind needs
    /// @throws io.github.sgpt4j.error.UnsupportedModelException if it asks for unsupported pooling
    static Optional<KnownLayout> find(Path transformer, JsonFiles json) {
        return json.objectIfPresent(transformer.resolve("config.json"))
                .flatMap(config -> of(config, transformer, json));
    }

    private static Optional<KnownLayout> of(JsonFile config, Path transformer, JsonFiles json) {
        String code = code(config);
        List<String> architectures = texts(config.node("architectures").orElse(null));
        if (code.startsWith("modeling_gritlm") || architectures.contains("GritLM")) {
            return Optional.of(new KnownLayout(
                    "GritLM",
                    PoolMode.MEAN,
                    true,
                    false,
                    LeftOut.PROMPT,
                    Map.of("query", EMBED, "document", EMBED),
                    "",
                    Optional.empty()));
        }
        if (LLM2VEC.contains(code.substring(code.lastIndexOf('.') + 1))
                || architectures.stream().anyMatch(LLM2VEC::contains)) {
            return Optional.of(plain("LLM2Vec", PoolMode.MEAN, false)
                    .noted(
                            "%s: LLM2Vec without modules.json: the mean of all tokens is taken, while LLM2Vec's code leaves out the begin token and puts texts of some models into a chat frame"
                                    .formatted(config.path())));
        }
        JsonNode type = config.node("model_type").orElse(null);
        return switch (type == null ? "" : type.asText()) {
            case "nvembed" -> Optional.of(nvEmbed(config, transformer, json));
            case "llama_bidirec", "ministral3_bidirec" ->
                Optional.of(plain("NVIDIA's bidirectional models", pooling(config), true));
            case "bidirectional_pplx_qwen3" -> Optional.of(plain("pplx-embed", PoolMode.MEAN, false));
            default -> Optional.empty();
        };
    }

    private static KnownLayout plain(String name, PoolMode mode, boolean normalized) {
        return new KnownLayout(name, mode, normalized, true, LeftOut.PROMPT, Map.of(), "", Optional.empty());
    }

    private KnownLayout noted(String text) {
        return new KnownLayout(name, mode, normalized, includePrompt, leftOut, prompts, end, Optional.of(text));
    }

    private static KnownLayout nvEmbed(JsonFile config, Path transformer, JsonFiles json) {
        boolean normalized = config.object("latent_attention_config")
                .map(latent -> latent.bool("output_normalize", true))
                .orElse(true);
        boolean masksInstruction = config.bool("is_mask_instruction", true)
                && config.text("padding_side", "right").equals("right");
        String end = config.bool("add_eos", true) ? endToken(transformer, json) : "";
        return new KnownLayout(
                "NV-Embed",
                PoolMode.MEAN,
                normalized,
                !masksInstruction,
                LeftOut.PROMPT_WITHOUT_SPECIAL_TOKENS,
                Map.of(),
                end,
                Optional.empty());
    }

    /// The end token as text.
    private static String endToken(Path transformer, JsonFiles json) {
        for (String name : List.of("tokenizer_config.json", "special_tokens_map.json")) {
            Optional<JsonNode> token =
                    json.objectIfPresent(transformer.resolve(name)).flatMap(file -> file.node("eos_token"));
            if (token.isPresent()) {
                JsonNode content = token.get().isObject() ? token.get().path("content") : token.get();
                if (content.isTextual()) {
                    return content.textValue();
                }
            }
        }
        throw new FormatException(
                "%s: key \"eos_token\": expected the token that follows every text (\"add_eos\" of config.json), got none"
                        .formatted(transformer.resolve("tokenizer_config.json")));
    }

    /// Pooling of NVIDIA's models.
    static PoolMode pooling(JsonFile config) {
        String name = config.text("pooling", "avg");
        PoolMode mode = POOLING.get(name);
        if (mode == null) {
            throw config.unsupported("pooling", "avg, cls and last are");
        }
        return mode;
    }

    /// The class in the checkpoint's own code that computes states, without a repository's name; empty for none.
    private static String code(JsonFile config) {
        List<String> names =
                texts(config.node("auto_map").map(map -> map.get("AutoModel")).orElse(null));
        return names.isEmpty() ? "" : CustomCode.withoutRepository(names.getFirst());
    }

    /// A text, or the texts of a list. What else a broken file may hold is refused by the reader of the decoder's
    /// configuration.
    private static List<String> texts(@Nullable JsonNode node) {
        List<String> texts = new ArrayList<>();
        if (node != null) {
            for (JsonNode element : node.isArray() ? node : List.of(node)) {
                if (element.isTextual()) {
                    texts.add(element.textValue());
                }
            }
        }
        return texts;
    }
}
