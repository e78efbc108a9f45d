package io.github.sgpt4j.checkpoint;

import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.text.Quoted;

/// What a sentence-transformers module transforms: `module_input_name` and `module_output_name` in its
/// config.json, or `key_name` in SGPT's own version of the library.
public enum ModuleInput {
    /// The pooled vector.
    SENTENCE("sentence_embedding"),
    /// The hidden state of every token, before pooling.
    TOKENS("token_embeddings");

    private final String key;

    ModuleInput(String key) {
        this.key = key;
    }

    /// Reads the keys of a module.
    ///
    /// @throws UnsupportedModelException if the module reads something else, or writes elsewhere than it reads
    static ModuleInput read(JsonFile config) {
        String input = config.has("module_input_name") ? "module_input_name" : "key_name";
        String name = config.text(input, SENTENCE.key);
        String written = config.text("module_output_name", name);
        if (!written.equals(name)) {
            throw new UnsupportedModelException("%s: key \"module_output_name\": expected %s as the input, got %s"
                    .formatted(config.path(), Quoted.of(name), Quoted.of(written)));
        }
        for (ModuleInput known : values()) {
            if (known.key.equals(name)) {
                return known;
            }
        }
        throw new UnsupportedModelException("%s: key \"%s\": expected \"%s\" or \"%s\", got %s"
                .formatted(config.path(), input, SENTENCE.key, TOKENS.key, Quoted.of(name)));
    }

    /// Refuses a module that transforms something else.
    ///
    /// @throws UnsupportedModelException if it does
    static void require(ModuleInput expected, JsonFile config) {
        ModuleInput got = read(config);
        if (got != expected) {
            throw new UnsupportedModelException("%s: key \"%s\": expected \"%s\" %s pooling, got \"%s\""
                    .formatted(
                            config.path(),
                            config.has("module_input_name") ? "module_input_name" : "key_name",
                            expected.key,
                            expected == SENTENCE ? "after" : "before",
                            got.key));
        }
    }
}
