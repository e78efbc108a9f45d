package io.github.sgpt4j.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.json.JsonFiles;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// The settings in `sentence_bert_config.json` about texts and the transformer. Its arguments for the
/// construction of model and tokenizer are applied or refused, by the rules of the class Transformer of
/// sentence-transformers 6.
///
/// @param file the file that states the lengths, if any are stated
/// @param maxLength maximum tokens of a text, if stated
/// @param lengthKey the key that states it
/// @param queryLength maximum tokens of a query, if stated separately
/// @param documentLength maximum tokens of a document, if stated separately
/// @param lowerCase whether texts are lower-cased first
public record TransformerSettings(
        Path file,
        OptionalInt maxLength,
        String lengthKey,
        OptionalInt queryLength,
        OptionalInt documentLength,
        boolean lowerCase) {
    static final String FILE = "sentence_bert_config.json";
    static final String TASK = "transformer_task";

    /// The task of a model whose states are pooled.
    static final String EMBEDDING_TASK = "feature-extraction";

    /// The task of a model whose logits are read.
    static final String LOGIT_TASK = "text-generation";

    /// The task of a model with a classification head.
    static final String SCORE_TASK = "sequence-classification";

    /// What each task puts out, and the name of that output of the model.
    private static final Map<String, List<String>> OUTPUTS = Map.of(
            EMBEDDING_TASK, List.of("token_embeddings", "last_hidden_state"),
            LOGIT_TASK, List.of("causal_logits", "logits"),
            SCORE_TASK, List.of("scores", "logits"));

    private static final String MAX_SEQ_LENGTH = "max_seq_length";
    private static final String PROCESSING = "processing_kwargs";
    private static final String MAX_LENGTH = "max_length";
    private static final String MODEL_MAX_LENGTH = "model_max_length";

    /// Where files come from and whether their code may run: results do not depend on it.
    private static final Set<String> LOADING = Set.of(
            "subfolder",
            "token",
            "use_auth_token",
            "cache_dir",
            "revision",
            "code_revision",
            "local_files_only",
            "trust_remote_code",
            "force_download",
            "resume_download",
            "proxies");

    /// How other software computes: results are the same up to rounding.
    private static final Set<String> COMPUTING = Set.of(
            "dtype",
            "torch_dtype",
            "attn_implementation",
            "_attn_implementation",
            "device_map",
            "max_memory",
            "offload_folder",
            "low_cpu_mem_usage",
            "use_safetensors",
            "use_cache",
            "output_attentions",
            "output_hidden_states",
            "return_dict",
            "provider",
            "provider_options",
            "session_options",
            "export",
            "ov_config");

    /// How texts are padded and decoded: packed batches have no padding.
    private static final Set<String> PADDING = Set.of(
            "padding",
            "padding_side",
            "pad_to_multiple_of",
            "return_tensors",
            "return_attention_mask",
            "return_token_type_ids",
            "use_fast",
            "clean_up_tokenization_spaces");

    /// Reads the file in the transformer's folder; without the file nothing is stated.
    ///
    /// @throws io.github.sgpt4j.error.FormatException if it is broken
    /// @throws io.github.sgpt4j.error.UnsupportedModelException if it asks for something unsupported
    static TransformerSettings read(Path transformer, JsonFiles json) {
        return json.objectIfPresent(transformer.resolve(FILE))
                .map(file -> of(file, transformer, json))
                .orElse(new TransformerSettings(
                        transformer.resolve(FILE),
                        OptionalInt.empty(),
                        MAX_SEQ_LENGTH,
                        OptionalInt.empty(),
                        OptionalInt.empty(),
                        false));
    }

    private static TransformerSettings of(JsonFile file, Path transformer, JsonFiles json) {
        OptionalInt stated = length(file, MAX_SEQ_LENGTH);
        String statedBy = MAX_SEQ_LENGTH;
        for (String key : List.of("model_args", "model_kwargs")) {
            requireHarmless(file, key, List.of(LOADING, COMPUTING));
        }
        for (String key : List.of("tokenizer_args", "tokenizer_kwargs", "processor_kwargs")) {
            OptionalInt own = tokenizer(file, key, transformer, json);
            if (own.isPresent()) {
                stated = own;
                statedBy = key;
            }
        }
        for (String key : List.of("config_args", "config_kwargs")) {
            config(file, key, transformer, json);
        }
        output(file);
        for (String key : List.of("query_expansion", "tokenizer_name_or_path")) {
            file.node(key).ifPresent(value -> {
                throw file.unsupported(key, value, "null is");
            });
        }
        OptionalInt called = processing(file);
        // As in sentence-transformers: the arguments of tokenizer calls take precedence, then the
        // lengths per kind of text.
        return called.isPresent()
                ? new TransformerSettings(
                        file.path(), called, PROCESSING, OptionalInt.empty(), OptionalInt.empty(), lowerCase(file))
                : new TransformerSettings(
                        file.path(),
                        stated,
                        statedBy,
                        length(file, "query_length"),
                        length(file, "document_length"),
                        lowerCase(file));
    }

    private static boolean lowerCase(JsonFile file) {
        return file.bool("do_lower_case", false);
    }

    private static OptionalInt length(JsonFile file, String key) {
        return file.has(key) ? OptionalInt.of(file.positiveInt(key)) : OptionalInt.empty();
    }

    /// Refuses any output other than that of the task, and any input other than plain text, or for pairs to be
    /// scored, a chat.
    private static void output(JsonFile file) {
        String task = file.text(TASK, EMBEDDING_TASK);
        List<String> output = OUTPUTS.getOrDefault(task, List.of());
        if (output.isEmpty()) {
            throw file.unsupported(
                    TASK,
                    file.node(TASK).orElseThrow(),
                    "%s, %s and %s are".formatted(EMBEDDING_TASK, LOGIT_TASK, SCORE_TASK));
        }
        require(file, "module_output_name", output.getFirst());
        Optional<JsonFile> modalities = file.object("modality_config");
        if (modalities.isEmpty()) {
            return;
        }
        boolean chat = !task.equals(EMBEDDING_TASK);
        entries(file, "modality_config").forEach((modality, value) -> {
            if (!modality.equals("text") && !(chat && modality.equals("message"))) {
                throw modalities.get().unsupported(modality, value, chat ? "text and message are" : "text alone is");
            }
        });
        JsonFile text = modalities
                .get()
                .object("text")
                .orElseThrow(() -> file.unsupported(
                        "modality_config", file.node("modality_config").orElseThrow(), "text is"));
        for (JsonFile each :
                modalities.get().object("message").map(m -> List.of(text, m)).orElse(List.of(text))) {
            require(each, "method", "forward");
            require(each, "method_output_name", output.getLast());
        }
    }

    private static void require(JsonFile file, String key, String expected) {
        file.node(key).ifPresent(value -> {
            if (!value.isTextual() || !value.textValue().equals(expected)) {
                throw file.unsupported(key, value, expected + " is");
            }
        });
    }

    /// Arguments of the tokenizer's construction; a value equal to that in `tokenizer_config.json`
    /// changes nothing.
    ///
    /// @return the stated length, if any
    private static OptionalInt tokenizer(JsonFile file, String key, Path transformer, JsonFiles json) {
        OptionalInt length = OptionalInt.empty();
        Map<String, JsonNode> entries = entries(file, key);
        if (entries.isEmpty()) {
            return length;
        }
        Optional<JsonFile> config = json.objectIfPresent(transformer.resolve("tokenizer_config.json"));
        for (Map.Entry<String, JsonNode> entry : entries.entrySet()) {
            String name = entry.getKey();
            JsonNode value = entry.getValue();
            boolean neutral = switch (name) {
                case "do_lower_case" -> value.isBoolean() && !value.booleanValue();
                case "truncation" -> isTruncation(value);
                default -> false;
            };
            boolean same = isSame(value, config.flatMap(c -> c.node(name)));
            if (name.equals(MODEL_MAX_LENGTH) && !value.isNull()) {
                length = OptionalInt.of(file.object(key).orElseThrow().positiveInt(MODEL_MAX_LENGTH));
            } else if (!neutral && !same && !LOADING.contains(name) && !PADDING.contains(name)) {
                throw file.unsupported(
                        key + "." + name, value, "only tokenizer_config.json is followed, which does not say so");
            }
        }
        return length;
    }

    /// Changes to the configuration; a value equal to that in `config.json` changes nothing.
    private static void config(JsonFile file, String key, Path transformer, JsonFiles json) {
        Map<String, JsonNode> entries = entries(file, key);
        if (entries.isEmpty()) {
            return;
        }
        JsonFile config = json.object(transformer.resolve("config.json"));
        entries.forEach((name, value) -> {
            if (!isSame(value, config.node(name)) && !LOADING.contains(name) && !COMPUTING.contains(name)) {
                throw file.unsupported(
                        key + "." + name,
                        value,
                        "only config.json is followed, which %s"
                                .formatted(config.has(name) ? "says otherwise" : "does not say so"));
            }
        });
    }

    private static boolean isSame(JsonNode value, Optional<JsonNode> stated) {
        return stated.map(value::equals).orElse(value.isNull());
    }

    /// Arguments of tokenizer calls: those for texts and those for all inputs. Images, sounds and chats
    /// do not occur.
    ///
    /// @return the length that texts are cut to, if stated
    private static OptionalInt processing(JsonFile file) {
        OptionalInt length = OptionalInt.empty();
        Optional<JsonFile> processing = file.object(PROCESSING);
        for (Map.Entry<String, JsonNode> entry : entries(file, PROCESSING).entrySet()) {
            switch (entry.getKey()) {
                case "text", "common" -> {
                    // The arguments for all inputs are applied last, so they take precedence.
                    OptionalInt own = called(processing.orElseThrow(), entry.getKey());
                    boolean last = entry.getKey().equals("common") || length.isEmpty();
                    length = own.isPresent() && last ? own : length;
                }
                case "audio", "image", "video", "chat_template" -> {}
                default ->
                    throw processing
                            .orElseThrow()
                            .unsupported(
                                    entry.getKey(),
                                    entry.getValue(),
                                    "expected common, text, audio, image, video or chat_template");
            }
        }
        return length;
    }

    private static OptionalInt called(JsonFile processing, String key) {
        OptionalInt length = OptionalInt.empty();
        for (Map.Entry<String, JsonNode> entry : entries(processing, key).entrySet()) {
            String name = entry.getKey();
            JsonNode value = entry.getValue();
            boolean neutral = value.isNull()
                    || switch (name) {
                        case "add_special_tokens" -> value.isBoolean() && value.booleanValue();
                        case "truncation" -> isTruncation(value);
                        default -> PADDING.contains(name);
                    };
            if (name.equals(MAX_LENGTH) && !neutral) {
                length = OptionalInt.of(processing.object(key).orElseThrow().positiveInt(MAX_LENGTH));
            } else if (!neutral) {
                throw processing.unsupported(
                        key + "." + name, value, "max_length, and special tokens and truncation as usual, are");
            }
        }
        return length;
    }

    /// Whether a value asks to cut single texts as usual.
    private static boolean isTruncation(JsonNode value) {
        return value.isBoolean() && value.booleanValue()
                || value.isTextual() && Set.of("longest_first", "only_first").contains(value.textValue());
    }

    private static void requireHarmless(JsonFile file, String key, List<Set<String>> harmless) {
        entries(file, key).forEach((name, value) -> {
            if (!value.isNull() && harmless.stream().noneMatch(names -> names.contains(name))) {
                throw file.unsupported(
                        key + "." + name, value, "only arguments that say how and from where to load it are");
            }
        });
    }

    private static Map<String, JsonNode> entries(JsonFile file, String key) {
        Map<String, JsonNode> entries = new LinkedHashMap<>();
        if (file.object(key).isPresent()) {
            file.node(key)
                    .ifPresent(
                            node -> node.properties().forEach(entry -> entries.put(entry.getKey(), entry.getValue())));
        }
        return entries;
    }
}
