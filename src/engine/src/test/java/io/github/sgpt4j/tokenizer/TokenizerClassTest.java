package io.github.sgpt4j.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.error.UnsupportedModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Statements of a directory's files about the tokenizer besides vocabulary and steps: its class, and
/// flags of `tokenizer_config.json`. `tokenizer/README.md` in the test resources says where expected
/// ids come from.
class TokenizerClassTest {
    @TempDir
    Path directory;

    @TestFactory
    List<DynamicTest> directoriesAreReadAsTransformersDoes() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode variant : TokenizerFiles.json(TokenizerFiles.resource("tokenizer/classes.json"))) {
            String name = variant.get("name").textValue();
            tests.add(DynamicTest.dynamicTest(name, () -> check(variant, directory.resolve(name))));
        }
        assertTrue(tests.size() >= 29);
        return tests;
    }

    private static void check(JsonNode variant, Path folder) throws IOException {
        ObjectNode base = (ObjectNode) TokenizerFiles.json(
                TokenizerFiles.golden(variant.get("base").textValue()).resolve("tokenizer.json"));
        if (variant.get("from_json").booleanValue()) {
            TokenizerFiles.write(folder, TokenizerFiles.patched(base, variant.get("patch")));
        } else {
            writeVocabulary(folder, base.get("model"));
        }
        for (Map.Entry<String, JsonNode> file : variant.get("files").properties()) {
            writeFile(folder, file.getKey(), file.getValue());
        }
        Tokenizer tokenizer = Tokenizer.load(folder);
        for (JsonNode expected : variant.get("cases")) {
            String text = expected.get("text").textValue();
            int[] plain = TokenizerFiles.ids(expected.get("ids"));
            assertArrayEquals(plain, tokenizer.encode(text, false), () -> "without special tokens: " + text);
            int[] special =
                    expected.has("ids_with_special") ? TokenizerFiles.ids(expected.get("ids_with_special")) : plain;
            assertArrayEquals(special, tokenizer.encode(text, true), () -> "with special tokens: " + text);
        }
        List<String> notices = tokenizer.notices();
        if (variant.has("notice")) {
            assertEquals(1, notices.size(), notices::toString);
            assertContains(notices.getFirst(), variant.get("notice").textValue());
            assertContains(notices.getFirst(), folder.toString());
        } else {
            assertEquals(List.of(), notices);
        }
    }

    private static void writeVocabulary(Path folder, JsonNode model) throws IOException {
        Files.createDirectories(folder);
        writeFile(folder, "vocab.json", model.get("vocab"));
        StringBuilder merges = new StringBuilder("#version: 0.2\n");
        for (JsonNode merge : model.get("merges")) {
            merges.append(
                            merge.isTextual()
                                    ? merge.textValue()
                                    : merge.get(0).textValue() + " "
                                            + merge.get(1).textValue())
                    .append('\n');
        }
        Files.writeString(folder.resolve("merges.txt"), merges);
    }

    private static void writeFile(Path folder, String name, JsonNode content) throws IOException {
        TokenizerFiles.JSON.writeValue(folder.resolve(name).toFile(), content);
    }

    private void writeFile(String name, String content) throws IOException {
        Files.writeString(directory.resolve(name), content);
    }

    private static void assertContains(String text, String part) {
        assertTrue(text.contains(part), () -> "expected \"" + part + "\" in: " + text);
    }

    @Test
    void withoutAnyClassVocabularyAndMergesAreThoseOfGpt2AndANoticeSaysSo() throws IOException {
        writeVocabulary(directory, TokenizerFiles.gpt2().get("model"));
        List<String> notices = Tokenizer.load(directory).notices();
        assertEquals(1, notices.size());
        assertContains(notices.getFirst(), "no file names the tokenizer's class");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"tokenizer_class": "RobertaTokenizer"}        | {"model_type": "gpt2"}    | tokenizer_class: tokenizer class "RobertaTokenizer"
            {"tokenizer_class": "PreTrainedTokenizerFast"} | {"model_type": "gpt2"}    | "PreTrainedTokenizerFast"
            {"tokenizer_class": "BloomTokenizerFast"}      | {"model_type": "bloom"}   | "BloomTokenizer"
            {"tokenizer_class": "LlamaTokenizer"}          | {"model_type": "llama"}   | "LlamaTokenizer"
            {"tokenizer_class": "MyTokenizer"}             | {"model_type": "gpt_neo"} | "MyTokenizer"
            {}                                             | {"model_type": "bloom"}   | "TokenizersBackend"
            {}                                             | {"model_type": "llama"}   | "TokenizersBackend"
            {"auto_map": {"AutoTokenizer": ["a.B", null]}} | {"model_type": "qwen2"}   | auto_map: a checkpoint's own tokenizer code ("a.B")
            """)
    void vocabularyAndMergesOfOtherClassesAreRefused(String config, String model, String message) throws IOException {
        writeVocabulary(directory, TokenizerFiles.gpt2().get("model"));
        writeFile("tokenizer_config.json", config);
        writeFile("config.json", model);
        Exception e = assertThrows(UnsupportedModelException.class, () -> Tokenizer.load(directory));
        assertContains(String.valueOf(e.getMessage()), message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"fast_tokenizer_files": ["tokenizer.4.0.json"]} | fast_tokenizer_files
            {"init_inputs": ["x"]}                           | init_inputs
            {"model_max_length": "many"}                     | model_max_length: expected a number
            {"model_max_length": 0}                          | model_max_length: expected a number
            {"truncation_side": "middle"}                    | truncation_side: expected left or right
            {"split_special_tokens": "yes"}                  | split_special_tokens: expected true or false
            {"add_bos_token": 1}                             | add_bos_token: expected true or false
            {"add_prefix_space": "no"}                       | add_prefix_space: expected true or false
            {"tokenizer_class": 3}                           | tokenizer_class: expected a string
            {"additional_special_tokens": "<x>"}             | additional_special_tokens: expected a list
            {"extra_special_tokens": {"a": 1}}               | extra_special_tokens.a: expected a string
            {"image_token": {"lstrip": true}}                | content is missing
            """)
    void brokenKeysAreRefusedByName(String config, String message) throws IOException {
        TokenizerFiles.write(directory, TokenizerFiles.gpt2());
        writeFile("tokenizer_config.json", config);
        Exception e = assertThrows(SgptException.class, () -> Tokenizer.load(directory));
        assertContains(String.valueOf(e.getMessage()), "tokenizer_config.json: ");
        assertContains(String.valueOf(e.getMessage()), message);
    }

    /// Characters with byte fallback, like converted SentencePiece models: `<s>` before texts, nothing
    /// after them.
    private ObjectNode sentencePiece() throws IOException {
        ObjectNode tokenizer = TokenizerFiles.small();
        tokenizer.remove(List.of("truncation", "decoder"));
        tokenizer.set("added_tokens", TokenizerFiles.JSON.readTree("""
                [{"id": 0, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false,
                  "normalized": false, "special": true}]"""));
        tokenizer.set("normalizer", TokenizerFiles.JSON.readTree("""
                {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
                  {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}"""));
        tokenizer.set("pre_tokenizer", TokenizerFiles.JSON.nullNode());
        ObjectNode model = (ObjectNode) tokenizer.get("model");
        model.set("vocab", TokenizerFiles.JSON.readTree("{\"<s>\": 0, \"</s>\": 1, \"▁\": 2, \"a\": 3, \"▁a\": 4}"));
        ArrayNode merges = model.putArray("merges");
        merges.add("▁ a");
        return tokenizer;
    }

    /// Embedding models from Mistral state this, and transformers 4 applied it.
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            mistral | {"tokenizer_class": "LlamaTokenizer", "add_eos_token": true}        | 0 4 1
            mistral | {"tokenizer_class": "LlamaTokenizerFast", "add_eos_token": true, "add_bos_token": false} | 4 1
            mistral | {"add_eos_token": true, "eos_token": "</s>"}                        | 0 4 1
            qwen2   | {"tokenizer_class": "PreTrainedTokenizerFast", "add_eos_token": true, "eos_token": "</s>", "auto_map": {"AutoTokenizer": ["x.Y", "x.Z"]}} | 0 4 1
            mistral | {"tokenizer_class": "LlamaTokenizer", "add_bos_token": false}       | 4
            """)
    void anEndTokenThatOnlyTheConfigurationAsksForIsAddedWithANotice(String modelType, String config, String ids)
            throws IOException {
        TokenizerFiles.write(directory, sentencePiece());
        writeFile("config.json", "{\"model_type\": \"%s\"}".formatted(modelType));
        writeFile("tokenizer_config.json", config);
        Tokenizer tokenizer = Tokenizer.load(directory);
        int[] expected =
                List.of(ids.split(" ")).stream().mapToInt(Integer::parseInt).toArray();
        assertArrayEquals(expected, tokenizer.encode("a", true));
        assertArrayEquals(new int[] {4}, tokenizer.encode("a", false));
        // The end token stays when texts are cut.
        int[] cut = tokenizer.encode("a a a a", true, expected.length);
        assertEquals(expected[expected.length - 1] == 1, cut[cut.length - 1] == 1);
        assertTrue(
                tokenizer.notices().stream().anyMatch(notice -> notice.contains("is applied as in transformers 4")),
                tokenizer.notices()::toString);
    }

    /// gte-Qwen2 and stella: nothing else says that a token follows texts.
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            ["tokenization_qwen.Qwen2Tokenizer", "tokenization_qwen.Qwen2TokenizerFast"] | "add_eos_token": true,  | 1 | 0
            "Alibaba-NLP/gte--tokenization_qwen.Qwen2TokenizerFast"                      | "add_eos_token": true,  | 1 | 0
            ["tokenization_qwen.Qwen2Tokenizer", null]                                   | "add_eos_token": false, | 0 | 0
            ["tokenization_qwen.Qwen2Tokenizer", null]                                   | ``                      | 0 | 1
            ["tokenization_own.Qwen2Tokenizer", null]                                    | "add_eos_token": true,  | 1 | 2
            """)
    void codeThatAddsTheEndTokenAsTheConfigurationSaysIsKnown(String code, String flag, int ends, int notices)
            throws IOException {
        ObjectNode json =
                (ObjectNode) TokenizerFiles.json(TokenizerFiles.golden("qwen2").resolve("tokenizer.json"));
        json.putNull("post_processor");
        TokenizerFiles.write(directory, json);
        writeFile("config.json", "{\"model_type\": \"qwen2\"}");
        writeFile("tokenizer_config.json", """
                {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|endoftext|>", %s "auto_map": {"AutoTokenizer": %s}}""".formatted(flag, code));
        Tokenizer tokenizer = Tokenizer.load(directory);
        int[] plain = tokenizer.encode("solar eclipse", false);
        int[] ids = tokenizer.encode("solar eclipse", true);
        assertArrayEquals(plain, Arrays.copyOf(ids, ids.length - ends));
        assertEquals(ends, ids.length - plain.length);
        assertTrue(ends == 0 || ids[plain.length] == 0);
        assertEquals(notices, tokenizer.notices().size(), tokenizer.notices()::toString);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            mistral | {"tokenizer_class": "LlamaTokenizer", "add_bos_token": true, "add_eos_token": false, "add_prefix_space": true} |
            llama   | {"tokenizer_class": "PreTrainedTokenizerFast", "add_bos_token": true}     |
            llama   | {"tokenizer_class": "LlamaTokenizer"}                                     | replaces these steps by those of LlamaTokenizer
            llama   | {"tokenizer_class": "PreTrainedTokenizerFast", "add_eos_token": true}     | add_eos_token: true is ignored
            mistral | {"tokenizer_class": "LlamaTokenizer", "add_prefix_space": false}          | add_prefix_space: false is ignored
            llama   | {"tokenizer_class": "PreTrainedTokenizerFast", "from_slow": true}         | from_slow: true is ignored
            """)
    void noticesAreGivenWhereTransformersDiffers(String modelType, String config, String notice) throws IOException {
        TokenizerFiles.write(directory, sentencePiece());
        writeFile("config.json", "{\"model_type\": \"%s\"}".formatted(modelType));
        writeFile("tokenizer_config.json", config);
        Tokenizer tokenizer = Tokenizer.load(directory);
        assertArrayEquals(new int[] {0, 4}, tokenizer.encode("a", true));
        if (notice == null) {
            assertEquals(List.of(), tokenizer.notices());
        } else {
            assertEquals(1, tokenizer.notices().size(), tokenizer.notices()::toString);
            assertContains(tokenizer.notices().getFirst(), notice);
        }
    }

    /// The format that transformers 5 writes.
    @Test
    void stepsThatAreThoseOfTheClassNeedNoNotice() throws IOException {
        ObjectNode tokenizer = sentencePiece();
        tokenizer.remove("normalizer");
        tokenizer.set("pre_tokenizer", TokenizerFiles.JSON.readTree("""
                {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false}"""));
        TokenizerFiles.write(directory, tokenizer);
        writeFile("tokenizer_config.json", "{\"tokenizer_class\": \"LlamaTokenizer\", \"add_prefix_space\": true}");
        Tokenizer loaded = Tokenizer.load(directory);
        assertArrayEquals(new int[] {0, 4}, loaded.encode("a", true));
        assertEquals(List.of(), loaded.notices());
    }

    @Test
    void aVocabularyOfAnotherKindOfModelIsRefusedByItsName() throws IOException {
        ObjectNode tokenizer = TokenizerFiles.small();
        ObjectNode model = (ObjectNode) tokenizer.get("model");
        model.put("type", "WordPiece");
        model.remove("merges");
        TokenizerFiles.write(directory, tokenizer);
        Exception e = assertThrows(UnsupportedModelException.class, () -> Tokenizer.load(directory));
        assertContains(String.valueOf(e.getMessage()), "model.type: model \"WordPiece\" is not supported");
    }

    @Test
    void aPrefixSpaceThatContradictsTheStepsOfLlamaIsRefused() throws IOException {
        TokenizerFiles.write(directory, sentencePiece());
        writeFile("tokenizer_config.json", "{\"tokenizer_class\": \"LlamaTokenizer\", \"add_prefix_space\": false}");
        Exception e = assertThrows(UnsupportedModelException.class, () -> Tokenizer.load(directory));
        assertContains(String.valueOf(e.getMessage()), "tokenizer_config.json: add_prefix_space: false");
    }

    @Test
    void anEndTokenWithoutANameIsRefused() throws IOException {
        TokenizerFiles.write(directory, sentencePiece());
        writeFile(
                "tokenizer_config.json",
                "{\"tokenizer_class\": \"LlamaTokenizer\", \"add_eos_token\": true, \"eos_token\": null}");
        Exception e = assertThrows(SgptException.class, () -> Tokenizer.load(directory));
        assertContains(String.valueOf(e.getMessage()), "eos_token: expected a token, as add_eos_token is true");
    }

    @Test
    void theOlderNameOfModelMaxLengthCounts() throws IOException {
        TokenizerFiles.write(directory, TokenizerFiles.gpt2());
        writeFile("tokenizer_config.json", "{\"max_len\": 1024}");
        assertEquals(1024, Tokenizer.load(directory).modelMaxLength().orElseThrow());
    }
}
