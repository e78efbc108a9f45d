package io.github.sgpt4j.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;

/// Files and texts shared by the tokenizer's tests.
final class TokenizerFiles {
    static final JsonMapper JSON = JsonMapper.builder().build();

    private TokenizerFiles() {}

    static Path resource(String name) {
        URL url = Objects.requireNonNull(TokenizerFiles.class.getResource("/" + name), name);
        try {
            return Path.of(url.toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    static Path golden(String name) {
        return resource("goldens/tokenizers/" + name);
    }

    static List<Path> directories(Path parent) throws IOException {
        try (Stream<Path> children = Files.list(parent)) {
            return children.filter(Files::isDirectory).sorted().toList();
        }
    }

    static JsonNode json(Path path) throws IOException {
        return JSON.readTree(path.toFile());
    }

    static int[] ids(JsonNode array) {
        int[] ids = new int[array.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = array.get(i).intValue();
        }
        return ids;
    }

    /// The `tokenizer.json` of the GPT-2 golden as a modifiable tree.
    static ObjectNode gpt2() throws IOException {
        return (ObjectNode) json(golden("gpt2").resolve("tokenizer.json"));
    }

    /// A small valid `tokenizer.json` that uses many features.
    static ObjectNode small() throws IOException {
        return (ObjectNode) JSON.readTree("""
                {"version": "1.0",
                 "truncation": {"direction": "Right", "max_length": 9, "strategy": "LongestFirst", "stride": 0},
                 "padding": null,
                 "added_tokens": [
                   {"id": 0, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": true,
                    "normalized": false, "special": true},
                   {"id": 9, "content": "Tok", "single_word": true, "lstrip": true, "rstrip": false,
                    "normalized": true, "special": false}],
                 "normalizer": {"type": "Sequence", "normalizers": [
                   {"type": "NFKC"}, {"type": "Lowercase"}, {"type": "Strip", "strip_left": true, "strip_right": false},
                   {"type": "Replace", "pattern": {"Regex": "x{2,3}"}, "content": "x"}]},
                 "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                   {"type": "Split", "pattern": {"Regex": "(?i:'s)|\\\\p{L}+|[^\\\\s\\\\p{L}]+|\\\\s+(?!\\\\S)"},
                    "behavior": "MergedWithNext", "invert": false},
                   {"type": "Digits", "individual_digits": true},
                   {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}]},
                 "post_processor": {"type": "TemplateProcessing",
                   "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                   "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}},
                 "decoder": {"type": "Sequence", "decoders": [{"type": "ByteLevel"}, {"type": "Fuse"},
                   {"type": "Replace", "pattern": {"String": "a"}, "content": "b"},
                   {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
                 "model": {"type": "BPE", "dropout": null, "unk_token": "<s>", "continuing_subword_prefix": null,
                   "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
                   "vocab": {"<s>": 0, "a": 1, "b": 2, "c": 3, "Ġ": 4, "ab": 5, "abc": 6, "Ġabc": 7, "bc": 8},
                   "merges": [["a", "b"], ["b", "c"], ["ab", "c"], ["Ġ", "abc"], ["a", "bc"]]}}
                """);
    }

    static Path write(Path directory, JsonNode tokenizer) throws IOException {
        Files.createDirectories(directory);
        JSON.writeValue(directory.resolve("tokenizer.json").toFile(), tokenizer);
        return directory;
    }

    /// Applies an RFC 7396 merge patch, except that null sets null, and only `model` is merged member by member.
    static ObjectNode patched(ObjectNode base, JsonNode patch) {
        ObjectNode result = base.deepCopy();
        patch.properties().forEach(member -> {
            if (member.getKey().equals("model")) {
                ((ObjectNode) result.get("model")).setAll((ObjectNode) member.getValue());
            } else {
                result.set(member.getKey(), member.getValue());
            }
        });
        return result;
    }

    /// The seed of random tests: printed, and settable with `-Dsgpt4j.seed=…`.
    static long seed(String test) {
        long seed = Long.getLong("sgpt4j.seed", 20220217L);
        System.out.println(test + ": -Dsgpt4j.seed=" + seed);
        return seed;
    }

    private static final List<String> WORDS = List.of(
            " the",
            "don't",
            "I'LL",
            "'S",
            "'ſ",
            "'RE",
            "Hello",
            "4567",
            "  ",
            "\n",
            "\r\n",
            "\t",
            "\u00a0",
            "\u3000",
            "\u2028",
            "…",
            "،",
            "(a|b)",
            "é",
            "e\u0301",
            "½",
            "１２",
            "ⅷ",
            "İ",
            "日本語",
            "한국어",
            "हिन्दी",
            "العربية",
            "😀",
            "👩‍👧",
            "\ufeff",
            "\u0000",
            "\u0085",
            "<|endoftext|>",
            "\u0327\u0301",
            "\udbff\udfff");

    /// Random well-formed text: words, white space and any code points.
    static String text(Random random) {
        StringBuilder text = new StringBuilder();
        int length = random.nextInt(24);
        for (int i = 0; i < length; i++) {
            switch (random.nextInt(4)) {
                case 0 -> text.append(WORDS.get(random.nextInt(WORDS.size())));
                case 1 -> text.append((char) (' ' + random.nextInt(95)));
                case 2 -> text.appendCodePoint(random.nextInt(0xD800));
                default -> text.appendCodePoint(0xE000 + random.nextInt(0x110000 - 0xE000));
            }
        }
        return text.toString();
    }

    static List<String> texts(Random random, int count) {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            texts.add(text(random));
        }
        return texts;
    }
}
