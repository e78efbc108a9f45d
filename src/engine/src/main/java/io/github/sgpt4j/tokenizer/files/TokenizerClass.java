package io.github.sgpt4j.tokenizer.files;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.text.Quoted;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The transformers class of a directory's tokenizer, as `AutoTokenizer` of transformers 5 derives it
/// from `tokenizer_class` and `auto_map` in `tokenizer_config.json`, and from `tokenizer_class` and
/// `model_type` in `config.json`. Names are without the suffix "Fast", which has no meaning any more.
///
/// @param stated the class that the files name, if any
/// @param modelType the model's type, if stated
/// @param taken the class that transformers 5 uses; [#GENERIC] if that class uses `tokenizer.json` as
///     it is; null if no file states anything
/// @param code the name of the checkpoint's own tokenizer code, if any
public record TokenizerClass(
        @Nullable String stated,
        @Nullable String modelType,
        @Nullable String taken,
        @Nullable String code) {
    /// The class without steps of its own.
    static final String GENERIC = "TokenizersBackend";

    private static final Set<String> GENERIC_NAMES =
            Set.of(GENERIC, "PreTrainedTokenizer", "PreTrainedTokenizerFast", "PythonBackend", "BloomTokenizer");

    /// The class of each model type (`TOKENIZER_MAPPING_NAMES`); other types have none.
    private static final Map<String, String> BY_MODEL_TYPE = byModelType();

    /// Types whose published files often name a wrong class, so that any other stated class is ignored
    /// (`MODELS_WITH_INCORRECT_HUB_TOKENIZER_CLASS`).
    private static final Set<String> NAMED_WRONGLY = Set.of("qwen2", "phi3");

    private static Map<String, String> byModelType() {
        Map<String, String> classes = new HashMap<>();
        List.of("gpt2", "gpt_neo", "gptj", "opt", "phi", "codegen", "starcoder2")
                .forEach(type -> classes.put(type, CodedClass.GPT2.className()));
        List.of("gpt_neox", "mpt", "olmo").forEach(type -> classes.put(type, CodedClass.GPT_NEOX.className()));
        List.of("qwen2", "qwen3").forEach(type -> classes.put(type, CodedClass.QWEN2.className()));
        List.of("gemma", "gemma2", "gemma3", "gemma3_text").forEach(type -> classes.put(type, "GemmaTokenizer"));
        List.of("mistral", "mixtral", "phi3", "olmo2", "gpt_bigcode", "stablelm", "granite")
                .forEach(type -> classes.put(type, GENERIC));
        return Map.copyOf(classes);
    }

    /// @param config `tokenizer_config.json`
    /// @param json reads `config.json`
    public static TokenizerClass of(Path directory, JsonFields config, JsonFiles json) {
        JsonFields model = ModelReader.tree(directory.resolve("config.json"), json);
        String named = config.stringOrNull("tokenizer_class");
        if (named == null && model != null) {
            named = model.stringOrNull("tokenizer_class");
        }
        String stated = named == null ? null : plain(named);
        String modelType = model == null ? null : model.stringOrNull("model_type");
        return new TokenizerClass(stated, modelType, taken(stated, modelType), code(config));
    }

    private static @Nullable String taken(@Nullable String stated, @Nullable String modelType) {
        String registered = modelType == null ? null : BY_MODEL_TYPE.get(modelType);
        if (stated == null) {
            return registered != null || modelType == null ? registered : GENERIC;
        }
        if (registered == null || registered.equals(stated)) {
            return generic(stated);
        }
        if (registered.equals(GENERIC)) {
            return GENERIC;
        }
        return NAMED_WRONGLY.contains(modelType) ? registered : generic(stated);
    }

    private static String generic(String name) {
        return GENERIC_NAMES.contains(name) ? GENERIC : name;
    }

    private static String plain(String name) {
        return name.endsWith("Fast") && !name.equals("PreTrainedTokenizerFast")
                ? name.substring(0, name.length() - "Fast".length())
                : name;
    }

    private static @Nullable String code(JsonFields config) {
        JsonNode map = config.node().path("auto_map");
        JsonNode names = map.isObject() ? map.path("AutoTokenizer") : map;
        for (JsonNode name : names.isArray() ? names : List.of(names)) {
            if (name.isTextual()) {
                return name.textValue();
            }
        }
        return null;
    }

    /// The class that transformers 5 uses, if it builds its steps in code.
    @Nullable
    CodedClass coded() {
        return CodedClass.find(taken);
    }

    /// The class that transformers 4 used: the stated one, or that of the model type.
    @Nullable
    String before5() {
        if (stated != null) {
            return stated;
        }
        return "llama".equals(modelType) || "mistral".equals(modelType) || "mixtral".equals(modelType)
                ? CodedClass.LLAMA.className()
                : taken;
    }

    /// The special tokens of the class, for a `tokenizer.json` without files that name them.
    public Map<String, String> specialTokens() {
        CodedClass coded = CodedClass.find(stated != null ? stated : taken);
        return coded == null ? Map.of() : coded.specialTokens();
    }

    /// The class that builds a tokenizer from `vocab.json` and `merges.txt`.
    ///
    /// @param config `tokenizer_config.json`
    /// @param vocabulary the file, for messages
    /// @param notices receives what users should know
    /// @throws UnsupportedModelException if there is no such class
    public CodedClass fromVocabulary(JsonFields config, Path vocabulary, List<String> notices) {
        if (code != null) {
            throw new UnsupportedModelException(
                    "%s: a checkpoint's own tokenizer code (%s) is not run; expected a tokenizer.json"
                            .formatted(config.where("auto_map"), Quoted.of(code)));
        }
        if (taken == null) {
            notices.add(
                    "%s: no file names the tokenizer's class (key tokenizer_class of tokenizer_config.json, model_type of config.json): assumed %s"
                            .formatted(vocabulary, CodedClass.GPT2.className()));
            return CodedClass.GPT2;
        }
        CodedClass named = CodedClass.find(stated);
        CodedClass coded = coded();
        if (coded == null && named != null) {
            // transformers 5 cannot open such a directory, transformers 4 could.
            coded = named;
        }
        if (coded == null || !coded.readsVocabulary()) {
            throw new UnsupportedModelException(
                    "%s: tokenizer class %s is not built from vocab.json and merges.txt (%s are); expected a tokenizer.json"
                            .formatted(
                                    stated != null ? config.where("tokenizer_class") : vocabulary,
                                    Quoted.of(stated != null ? stated : taken),
                                    String.join(", ", CodedClass.vocabularyReaders())));
        }
        if (stated != null && !stated.equals(coded.className())) {
            notices.add("%s: %s is ignored: for model type %s the class is %s, as in transformers 5"
                    .formatted(
                            config.where("tokenizer_class"),
                            Quoted.of(stated),
                            Quoted.of(String.valueOf(modelType)),
                            coded.className()));
        }
        return coded;
    }
}
