package io.github.sgpt4j.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.model.family.CustomCode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/// What a checkpoint's files say about scoring pairs of a query and a document: the module LogitScore of
/// sentence-transformers, its settings of a cross-encoder, and those of a classifier with one label.
///
/// @param logits tokens whose logits are the score, if there is a module LogitScore
/// @param activation what becomes of the raw score, if stated
/// @param chat the chat template of prompts, if there is one
/// @param instruction the instruction that prompts get unless another one is given
/// @param pooling which state of a prompt a classifier's head reads
/// @param temperature a classifier's output is divided by it
/// @param padding id that a classifier passes over at the end of a prompt
public record PairSettings(
        Optional<LogitTokens> logits,
        Optional<ScoreActivation> activation,
        Optional<ChatSettings> chat,
        Optional<String> instruction,
        PoolMode pooling,
        double temperature,
        OptionalInt padding) {
    private static final String ACTIVATION = "activation_fn";

    /// NVIDIA's classes, which pool all states.
    private static final String POOLING_CLASS = "BidirectionalForSequenceClassification";

    /// The tokens of a module LogitScore.
    ///
    /// @param trueToken id whose logit is the score
    /// @param falseToken id whose logit is subtracted, if any
    /// @param file states them
    public record LogitTokens(int trueToken, OptionalInt falseToken, Path file) {}

    /// What scores depend on, as text: independent of where the files are.
    public String identity() {
        return "%s %s %s %s".formatted(chat.map(ChatSettings::identity).orElse(""), pooling, temperature, padding);
    }

    /// Reads the files.
    ///
    /// @param config config.json
    /// @throws FormatException if one is broken
    /// @throws UnsupportedModelException if one asks for something unsupported
    static PairSettings read(Path directory, SentenceModules modules, JsonFile config, JsonFiles json) {
        boolean pooled = CustomCode.architectures(config).stream().anyMatch(name -> name.endsWith(POOLING_CLASS));
        Optional<ChatSettings> chat =
                modules.scorePairs() ? ChatSettings.read(modules.transformer(), json) : Optional.empty();
        Optional<String> instruction = modules.scorePairs()
                ? modules.defaultPrompt().map(name -> modules.prompts().get(name))
                : Optional.empty();
        if (chat.isEmpty() && instruction.isPresent()) {
            throw new UnsupportedModelException(
                    "%s: key \"default_prompt_name\": an instruction without a chat template is not supported"
                            .formatted(directory.resolve(EmbeddingSettings.FILE)));
        }
        return new PairSettings(
                logits(directory, json),
                activation(directory, config, json),
                chat,
                instruction,
                pooled ? KnownLayout.pooling(config) : PoolMode.LAST,
                pooled ? config.positiveNumber(1, "temperature") : 1,
                !pooled && config.has("pad_token_id")
                        ? OptionalInt.of(config.positiveIntOrZero(0, "pad_token_id"))
                        : OptionalInt.empty());
    }

    private static Optional<ScoreActivation> activation(Path directory, JsonFile config, JsonFiles json) {
        return json.objectIfPresent(directory.resolve(EmbeddingSettings.FILE))
                .flatMap(file -> ScoreActivation.read(file, ACTIVATION))
                .or(() -> config.object("sentence_transformers").flatMap(own -> ScoreActivation.read(own, ACTIVATION)))
                .or(() -> ScoreActivation.read(config, "sbert_ce_default_activation_function"));
    }

    private static Optional<LogitTokens> logits(Path directory, JsonFiles json) {
        Path list = directory.resolve("modules.json");
        if (!Files.exists(list)) {
            return Optional.empty();
        }
        for (JsonNode module : json.tree(list)) {
            String type = module.path("type").asText();
            if (type.startsWith("sentence_transformers.") && type.endsWith(".LogitScore")) {
                Path folder = SentenceModules.folder(
                        directory, list, module.path("path").asText());
                JsonFile config = json.object(folder.resolve("config.json"));
                if (!config.has("true_token_id")) {
                    throw new FormatException(
                            "%s: expected key \"true_token_id\", found none".formatted(config.path()));
                }
                return Optional.of(new LogitTokens(
                        config.positiveIntOrZero(0, "true_token_id"),
                        config.has("false_token_id")
                                ? OptionalInt.of(config.positiveIntOrZero(0, "false_token_id"))
                                : OptionalInt.empty(),
                        config.path()));
            }
        }
        return Optional.empty();
    }
}
