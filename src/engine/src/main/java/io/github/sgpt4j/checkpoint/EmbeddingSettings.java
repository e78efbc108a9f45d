package io.github.sgpt4j.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.text.Quoted;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// The settings in `config_sentence_transformers.json` and `sgpt4j.json`: how a model's embeddings are
/// meant to be used.
///
/// @param prompts prompts by name, in the order of the file
/// @param defaultPrompt name of the prompt used by default
/// @param similarity how embeddings are compared, one of [#SIMILARITIES], if stated
/// @param truncateDim number of components of an embedding to keep, if stated
/// @param specb whether queries and documents are put in brackets, if stated
public record EmbeddingSettings(
        Map<String, String> prompts,
        Optional<String> defaultPrompt,
        Optional<String> similarity,
        OptionalInt truncateDim,
        Optional<SpecialBrackets> specb) {
    /// The names of similarities of dense embeddings in sentence-transformers.
    public static final List<String> SIMILARITIES = List.of("cosine", "dot", "euclidean", "manhattan");

    /// Name of the file with settings that only this library reads.
    public static final String OWN_FILE = "sgpt4j.json";

    /// Name of the file with the other settings.
    public static final String FILE = "config_sentence_transformers.json";
    private static final String SPECB = "specb";
    private static final String MODEL_TYPE = "SentenceTransformer";
    private static final String SIMILARITY = "similarity_fn_name";
    private static final String TRUNCATE_DIM = "truncate_dim";

    public EmbeddingSettings {
        prompts = Collections.unmodifiableMap(new LinkedHashMap<>(prompts));
    }

    /// Reads the files in a checkpoint's folder; without a file nothing is stated.
    ///
    /// @throws FormatException if one is broken
    /// @throws io.github.sgpt4j.error.UnsupportedModelException if one belongs to another kind of model
    static EmbeddingSettings read(Path directory, JsonFiles json) {
        Optional<SpecialBrackets> specb = json.objectIfPresent(directory.resolve(OWN_FILE))
                .filter(file -> file.has(SPECB))
                .map(file -> new SpecialBrackets(file.bool(SPECB, false), "\"specb\" of " + OWN_FILE));
        return json.objectIfPresent(directory.resolve(FILE))
                .map(file -> of(file, specb))
                .orElse(new EmbeddingSettings(
                        Map.of(), Optional.empty(), Optional.empty(), OptionalInt.empty(), specb));
    }

    /// With brackets, or without them.
    EmbeddingSettings withSpecb(SpecialBrackets value) {
        return new EmbeddingSettings(prompts, defaultPrompt, similarity, truncateDim, Optional.of(value));
    }

    /// With other prompts if none are stated.
    EmbeddingSettings orPrompts(Map<String, String> others) {
        return prompts.isEmpty() ? new EmbeddingSettings(others, defaultPrompt, similarity, truncateDim, specb) : this;
    }

    private static EmbeddingSettings of(JsonFile file, Optional<SpecialBrackets> specb) {
        String type = file.text("model_type", MODEL_TYPE);
        if (!type.equals(MODEL_TYPE)) {
            throw file.unsupported("model_type", file.node("model_type").orElseThrow(), MODEL_TYPE + " is");
        }
        Map<String, String> prompts = readPrompts(file);
        return new EmbeddingSettings(
                prompts,
                readDefaultPrompt(file, prompts),
                readSimilarity(file),
                file.has(TRUNCATE_DIM) ? OptionalInt.of(file.positiveInt(TRUNCATE_DIM)) : OptionalInt.empty(),
                specb);
    }

    private static Optional<String> readSimilarity(JsonFile file) {
        Optional<String> name = Optional.of(file.text(SIMILARITY, "")).filter(n -> file.has(SIMILARITY));
        if (name.isPresent() && !SIMILARITIES.contains(name.get())) {
            throw file.unsupported(
                    SIMILARITY, file.node(SIMILARITY).orElseThrow(), String.join(", ", SIMILARITIES) + " are");
        }
        return name;
    }

    private static Optional<String> readDefaultPrompt(JsonFile file, Map<String, String> prompts) {
        String name = file.text("default_prompt_name", "");
        if (!name.isEmpty() && !prompts.containsKey(name)) {
            throw new FormatException("%s: key \"default_prompt_name\": expected the name of one of %d prompts, got %s"
                    .formatted(file.path(), prompts.size(), Quoted.of(name)));
        }
        return Optional.of(name).filter(n -> !n.isEmpty());
    }

    private static Map<String, String> readPrompts(JsonFile file) {
        Map<String, String> prompts = new LinkedHashMap<>();
        file.node("prompts").ifPresent(node -> {
            if (!node.isObject()) {
                throw file.wrong("prompts", "an object of strings", node);
            }
            for (Map.Entry<String, JsonNode> entry : node.properties()) {
                if (entry.getValue().isTextual()) {
                    prompts.put(entry.getKey(), entry.getValue().textValue());
                } else if (!entry.getValue().isNull()) {
                    throw file.wrong("prompts." + entry.getKey(), "a string", entry.getValue());
                }
            }
        });
        return prompts;
    }
}
