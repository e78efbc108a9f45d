package io.github.sgpt4j.model.family;

import com.fasterxml.jackson.databind.node.NullNode;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.DecoderConfig.Visibility;
import io.github.sgpt4j.text.Quoted;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// In which directions config.json lets tokens attend. Published models declare bidirectional
/// attention by a key, by
/// their `model_type`, or only by the name of their own code; without any of these, attention is
/// causal.
///
/// @param visibility which tokens a token attends to
/// @param wholeTexts whether windows do not apply to attention in both directions
/// @param source the key that says so, or `default`
public record Directions(Visibility visibility, boolean wholeTexts, String source) {
    /// Code of models by their class, without a repository's name, and what it computes. All of it is
    /// the family's own
    /// computation, but for the directions of attention.
    private static final Map<String, Visibility> CLASSES = Map.ofEntries(
            // Together Computer: other attention kernels
            Map.entry("modeling_flash_llama.LlamaForCausalLM", Visibility.CAUSAL),
            // Alibaba-NLP/gte-Qwen2, NovaSearch/stella
            Map.entry("modeling_qwen.Qwen2Model", Visibility.BIDIRECTIONAL),
            Map.entry("modeling_qwen.Qwen2ForCausalLM", Visibility.BIDIRECTIONAL),
            Map.entry("modeling_qwen.Qwen2ForSequenceClassification", Visibility.BIDIRECTIONAL),
            // LLM2Vec (arXiv 2404.05961)
            Map.entry("modeling_llama_encoder.LlamaEncoderModel", Visibility.BIDIRECTIONAL),
            Map.entry("modelling_llama_encoder.LlamaEncoderModel", Visibility.BIDIRECTIONAL),
            // GritLM (arXiv 2402.09906)
            Map.entry("modeling_gritlm7b.MistralModel", Visibility.BIDIRECTIONAL_STATES),
            Map.entry("modeling_gritlm7b.MistralForCausalLM", Visibility.BIDIRECTIONAL_STATES),
            Map.entry("modeling_gritlm7b.MistralForSequenceClassification", Visibility.BIDIRECTIONAL_STATES),
            // NVIDIA
            Map.entry("llama_bidirectional_model.LlamaBidirectionalModel", Visibility.BIDIRECTIONAL),
            Map.entry(
                    "llama_bidirectional_model.LlamaBidirectionalForSequenceClassification", Visibility.BIDIRECTIONAL),
            Map.entry("modeling_nvembed.NVEmbedModel", Visibility.BIDIRECTIONAL),
            // Perplexity
            Map.entry("modeling.PPLXQwen3Model", Visibility.BIDIRECTIONAL));

    /// Classes whose names alone, in `architectures`, say it.
    private static final Map<String, Visibility> ARCHITECTURES = Map.of(
            "LlamaBidirectionalModel", Visibility.BIDIRECTIONAL,
            "LlamaBidirectionalForSequenceClassification", Visibility.BIDIRECTIONAL,
            "LlamaEncoderModel", Visibility.BIDIRECTIONAL,
            "PPLXQwen3Model", Visibility.BIDIRECTIONAL,
            "NVEmbedModel", Visibility.BIDIRECTIONAL,
            "GritLM", Visibility.BIDIRECTIONAL_STATES);

    /// Model types that exist for it.
    private static final Set<String> TYPES =
            Set.of("llama_bidirec", "bidirectional_pplx_qwen3", "nvembed", "bidir_mistral");

    /// Model types whose own class in transformers follows `use_bidirectional_attention`.
    private static final Set<String> FOLLOWING =
            Set.of("gemma2", "gemma3_text", "bidirectional_pplx_qwen3", "llama_bidirec");

    private static final String IS_CAUSAL = "is_causal";
    private static final String BIDIRECTIONAL_KEY = "use_bidirectional_attention";
    private static final String AUTO_MAP = "auto_map";

    private static final Directions CAUSAL = new Directions(Visibility.CAUSAL, false, "default");

    /// What users should know about the directions that the file declares, if anything.
    public static Optional<String> notice(JsonFile config) {
        return config.text("model_type", "").equals("gemma2") && config.bool(BIDIRECTIONAL_KEY, false)
                ? Optional.of(
                        "%s: key \"use_bidirectional_attention\": tokens attend to all others of a text, with the bound of scores; no attention of transformers 5.17 does both: eager stays causal, sdpa has no bound"
                                .formatted(config.path()))
                : Optional.empty();
    }

    /// Whether the code behind a class name, without a repository's name, is known.
    static boolean isKnown(String codedClass) {
        return CLASSES.containsKey(codedClass);
    }

    /// @throws UnsupportedModelException if the file contradicts itself, or asks for directions in a
    ///     way that the
    ///     model's class does not follow
    public static Directions of(JsonFile config) {
        if (config.isNull(IS_CAUSAL)) {
            throw config.wrong(IS_CAUSAL, "true or false", NullNode.getInstance());
        }
        Directions declared = byCode(config)
                .or(() -> byArchitecture(config))
                .or(() -> byType(config))
                .or(() -> byKey(config))
                .orElse(CAUSAL);
        if (config.has(IS_CAUSAL) && config.bool(IS_CAUSAL, true) && declared.visibility == Visibility.BIDIRECTIONAL) {
            throw config.unsupported(
                    IS_CAUSAL, "%s says that tokens attend to later ones, too".formatted(Quoted.of(declared.source)));
        }
        return declared;
    }

    private static Optional<Directions> byKey(JsonFile config) {
        if (!config.bool(IS_CAUSAL, true)) {
            return Optional.of(new Directions(Visibility.BIDIRECTIONAL, false, IS_CAUSAL));
        }
        if (!config.bool(BIDIRECTIONAL_KEY, false)) {
            return Optional.empty();
        }
        if (!FOLLOWING.contains(config.text("model_type", ""))) {
            throw config.unsupported(
                    BIDIRECTIONAL_KEY,
                    "transformers' class of this family passes over it: expected \"is_causal\": false");
        }
        return Optional.of(new Directions(Visibility.BIDIRECTIONAL, false, BIDIRECTIONAL_KEY));
    }

    private static Optional<Directions> byType(JsonFile config) {
        return TYPES.contains(config.text("model_type", ""))
                ? Optional.of(new Directions(Visibility.BIDIRECTIONAL, true, "model_type"))
                : Optional.empty();
    }

    private static Optional<Directions> byArchitecture(JsonFile config) {
        for (String name : CustomCode.architectures(config)) {
            Visibility visibility = ARCHITECTURES.get(name);
            if (visibility != null) {
                return Optional.of(new Directions(visibility, true, "architectures"));
            }
        }
        return Optional.empty();
    }

    /// The directions of the class that computes states: that of `AutoModel`, or of the classifier
    /// that the file is
    /// for.
    private static Optional<Directions> byCode(JsonFile config) {
        Map<String, List<String>> classes = CustomCode.mapped(config);
        boolean classifies =
                CustomCode.architectures(config).stream().anyMatch(name -> name.endsWith("ForSequenceClassification"));
        String key = classifies && classes.containsKey("AutoModelForSequenceClassification")
                ? "AutoModelForSequenceClassification"
                : "AutoModel";
        for (String name : classes.getOrDefault(key, List.of())) {
            Visibility visibility = CLASSES.get(CustomCode.withoutRepository(name));
            if (visibility != null) {
                return visibility == Visibility.CAUSAL
                        ? Optional.empty()
                        : Optional.of(new Directions(visibility, true, AUTO_MAP));
            }
        }
        for (List<String> names : classes.values()) {
            for (String name : names) {
                Visibility visibility = CLASSES.get(CustomCode.withoutRepository(name));
                if (visibility != null && visibility != Visibility.CAUSAL) {
                    throw new UnsupportedModelException(
                            "%s: key \"auto_map\": expected \"AutoModel\", which says in which directions tokens attend for embeddings, got %s only"
                                    .formatted(config.path(), Quoted.of(name)));
                }
            }
        }
        return Optional.empty();
    }
}
