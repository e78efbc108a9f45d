package io.github.sgpt4j.weightstools;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/// The padding token that sentence-transformers needs to embed several texts, and that the tokenizers of
/// GPT models lack: the end token, as in SGPT's own checkpoints. It is a token of the vocabulary already
/// and masked, so no result depends on it.
final class PadToken {
    private static final String CONFIG = "tokenizer_config.json";
    private static final String OLDER = "special_tokens_map.json";
    private static final String PAD = "pad_token";
    private static final String END = "eos_token";

    private PadToken() {}

    /// Replaces `tokenizer_config.json` by one with a padding token, unless there is one, or no end token is
    /// named.
    ///
    /// @param files the tokenizer's files by name
    /// @param folder where to write the file
    static void add(Map<String, Path> files, Path folder) throws IOException {
        Optional<JsonNode> older = Optional.ofNullable(files.get(OLDER)).map(SourceFolder::json);
        Path config = files.get(CONFIG);
        if (config == null || !(SourceFolder.json(config) instanceof ObjectNode changed)) {
            return;
        }
        boolean padded =
                changed.hasNonNull(PAD) || older.isPresent() && older.get().hasNonNull(PAD);
        Optional<JsonNode> end = Optional.ofNullable(changed.get(END))
                .filter(token -> !token.isNull())
                .or(() -> older.map(map -> map.get(END)).filter(token -> !token.isNull()));
        if (padded || end.isEmpty()) {
            return;
        }
        changed.set(PAD, end.get());
        Path file = folder.resolve(CONFIG);
        new ObjectMapper().writerWithDefaultPrettyPrinter().writeValue(file.toFile(), changed);
        files.put(CONFIG, file);
    }
}
