package io.github.sgpt4j.tokenizer.files;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.tokenizer.vocabulary.Vocabulary;
import java.util.List;

/// Refuses keys of `tokenizer_config.json` that would change ids and are not supported.
public final class RefusedKeys {
    /// transformers applies the fix only to vocabularies of more tokens than this.
    private static final int MISTRAL_FIX_VOCABULARY = 100_000;

    private RefusedKeys() {}

    /// @param config `tokenizer_config.json`
    /// @param notices receives what users should know
    /// @throws UnsupportedModelException if a key asks for something that is not implemented
    public static void check(JsonFields config, Vocabulary vocabulary, List<String> notices) {
        if (config.flag("fix_mistral_regex", false) && vocabulary.size() > MISTRAL_FIX_VOCABULARY) {
            throw new UnsupportedModelException(
                    "%s: true is not supported: expected a tokenizer.json with the right pattern"
                            .formatted(config.where("fix_mistral_regex")));
        }
        for (JsonNode file : config.node().path("fast_tokenizer_files")) {
            if (!file.asText().equals("tokenizer.json")) {
                throw new UnsupportedModelException(
                        "%s: only \"tokenizer.json\" is supported".formatted(config.where("fast_tokenizer_files")));
            }
        }
        if (!config.node().path("init_inputs").isEmpty()) {
            throw new UnsupportedModelException(
                    "%s: only an empty list is supported".formatted(config.where("init_inputs")));
        }
        for (String key : List.of("do_lower_case", "from_slow")) {
            if (config.node().path(key).asBoolean(false)) {
                notices.add("%s: true is ignored, as in transformers 5".formatted(config.where(key)));
            }
        }
    }
}
