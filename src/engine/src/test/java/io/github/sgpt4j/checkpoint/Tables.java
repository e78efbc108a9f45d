package io.github.sgpt4j.checkpoint;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// All tables, for tests over their rows.
final class Tables {
    static final List<String> FAMILIES = List.of(
            "gpt2",
            "gpt_neo",
            "gptj",
            "bloom",
            "gpt_neox",
            "opt",
            "llama",
            "mistral",
            "qwen2",
            "qwen3",
            "gemma",
            "gemma2",
            "gemma3_text",
            "phi3",
            "olmo2",
            "llama_bidirec",
            "bidirectional_pplx_qwen3",
            "nvembed");

    static final List<String> OTHERS = List.of(
            "tokenizer_config",
            "special_tokens_map",
            "sentence_bert_config",
            "config_sentence_transformers",
            "sgpt4j",
            "adapter_config",
            "modules",
            "modules/Pooling",
            "modules/WeightedMeanPooling",
            "modules/Dense",
            "modules/Normalize",
            "modules/Dropout");

    private Tables() {}

    /// One row.
    record Row(String table, String kind, String key, KeyRule rule) {
        @Override
        public String toString() {
            return table + (kind.isEmpty() ? "" : " " + kind) + ": " + key;
        }
    }

    /// The rows of a table, without patterns.
    static Stream<Row> rows(String table, String kind) {
        KeyTable t = KeyTable.read(table, kind);
        return t.keys().stream()
                .filter(key -> !key.contains("*"))
                .sorted()
                .map(key -> new Row(table, kind, key, t.rule(key).orElseThrow()));
    }

    static Set<String> keys(String table, String kind, Predicate<KeyRule> rule) {
        Set<String> keys = new TreeSet<>();
        rows(table, kind).filter(row -> rule.test(row.rule())).forEach(row -> keys.add(row.key()));
        return keys;
    }

    static Stream<Row> all() {
        return Stream.concat(
                FAMILIES.stream().flatMap(family -> rows("config", family)),
                OTHERS.stream().flatMap(table -> rows(table, "")));
    }
}
