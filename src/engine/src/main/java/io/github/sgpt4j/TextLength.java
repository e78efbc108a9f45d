package io.github.sgpt4j;

import io.github.sgpt4j.checkpoint.PositionWeights;
import io.github.sgpt4j.checkpoint.SentenceModules;
import io.github.sgpt4j.model.family.DecoderConfig;
import io.github.sgpt4j.model.family.Positions;
import io.github.sgpt4j.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/// The maximum length of a text to embed, by the rules of sentence-transformers: `max_seq_length` if
/// stated; otherwise the tokenizer's `model_max_length`, but no more than `max_position_embeddings`,
/// which families without positions (ALiBi) do not have. Learned positions (rows of a table) are a
/// limit in any case, and so are learned weights of positions.
///
/// @param tokens maximum tokens of a text
/// @param source where the number comes from, in a few words
/// @param notice what users should know about it
record TextLength(int tokens, String source, Optional<String> notice) {
    static TextLength of(DecoderConfig config, SentenceModules modules, Tokenizer tokenizer) {
        TextLength ofTransformer = ofTransformer(config, modules, tokenizer);
        return modules.positionWeights()
                .filter(weights -> weights.positions() < ofTransformer.tokens)
                .map(weights -> of(weights, modules))
                .orElse(ofTransformer);
    }

    /// Longer texts are an error in the reference implementation.
    private static TextLength of(PositionWeights weights, SentenceModules modules) {
        Path file = weights.directory().resolve("config.json");
        OptionalInt stated = modules.maxLength();
        return new TextLength(
                weights.positions(),
                "the learnt weights of positions in " + weights.directory().getFileName(),
                stated.isEmpty()
                        ? Optional.empty()
                        : Optional.of(
                                "%s: key \"num_positions\": expected a weight for each of the %d tokens of %s in %s, got %d; texts are cut there"
                                        .formatted(
                                                file,
                                                stated.getAsInt(),
                                                modules.input().lengthKey(),
                                                modules.input().file().getFileName(),
                                                weights.positions())));
    }

    private static TextLength ofTransformer(DecoderConfig config, SentenceModules modules, Tokenizer tokenizer) {
        OptionalInt stated = modules.maxLength();
        if (stated.isPresent()) {
            int tokens = limited(stated.getAsInt(), config);
            return new TextLength(
                    tokens,
                    tokens < stated.getAsInt()
                            ? "the positions in config.json"
                            : "%s of %s"
                                    .formatted(
                                            modules.input().lengthKey(),
                                            modules.input().file().getFileName()),
                    notice(stated.getAsInt(), tokens, config, modules));
        }
        boolean alibi = config.positions() instanceof Positions.Alibi;
        int positions = alibi ? config.longest() : config.maxPositions();
        OptionalInt ofTokenizer = tokenizer.modelMaxLength();
        if (ofTokenizer.isPresent() && ofTokenizer.getAsInt() <= positions) {
            return new TextLength(
                    ofTokenizer.getAsInt(), "model_max_length of tokenizer_config.json", Optional.empty());
        }
        return new TextLength(
                positions,
                alibi ? "none is stated, and the model has no positions" : "the positions in config.json",
                Optional.empty());
    }

    /// A stated length, reduced to what the model allows.
    static int limited(int stated, DecoderConfig config, SentenceModules modules) {
        int limited = limited(stated, config);
        return Math.min(
                limited,
                modules.positionWeights().map(PositionWeights::positions).orElse(limited));
    }

    private static int limited(int stated, DecoderConfig config) {
        return Math.min(stated, config.longest());
    }

    /// For an ALiBi model, exceeding its training length is not worth a notice.
    private static Optional<String> notice(int stated, int tokens, DecoderConfig config, SentenceModules modules) {
        boolean alibi = config.positions() instanceof Positions.Alibi;
        if (stated <= (alibi ? config.longest() : config.maxPositions())) {
            return Optional.empty();
        }
        return Optional.of(
                "%s: key \"%s\": %d tokens are more than the %d that the model was made for (config.json); texts are cut at %d"
                        .formatted(
                                modules.input().file(),
                                modules.input().lengthKey(),
                                stated,
                                alibi ? config.longest() : config.maxPositions(),
                                tokens));
    }
}
