package io.github.sgpt4j.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/// Hundreds of hand-made `tokenizer.json` variants and tokenizer directories, with the results of the reference
/// implementation on random text. `tokenizer/README.md` in the test resources says how they were made.
class TokenizerCrosscheckTest {
    @TempDir
    Path temporary;

    @TestFactory
    List<DynamicTest> everyStepAndOptionAgrees() throws IOException {
        JsonNode file = TokenizerFiles.json(TokenizerFiles.resource("tokenizer/crosscheck.json"));
        Map<String, ObjectNode> bases =
                Map.of("gpt2", TokenizerFiles.gpt2(), "characters", (ObjectNode) file.get("characters"));
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode variant : file.get("tokenizers")) {
            String name = variant.get("name").textValue();
            tests.add(DynamicTest.dynamicTest(name, () -> {
                ObjectNode base = bases.get(variant.get("base").textValue());
                Path directory = TokenizerFiles.write(
                        temporary.resolve(name), TokenizerFiles.patched(base, variant.get("patch")));
                assertCases(Tokenizer.load(directory), variant.get("cases"));
            }));
        }
        assertTrue(tests.size() > 250);
        return tests;
    }

    @TestFactory
    List<DynamicTest> filesBesideTheModelCount() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode variant : TokenizerFiles.json(TokenizerFiles.resource("tokenizer/directories.json"))) {
            String name = variant.get("name").textValue();
            tests.add(DynamicTest.dynamicTest(name, () -> {
                Path directory = Files.createDirectories(temporary.resolve("directory-" + name));
                if (variant.get("from_json").booleanValue()) {
                    TokenizerFiles.write(
                            directory, TokenizerFiles.patched(TokenizerFiles.gpt2(), variant.get("patch")));
                } else {
                    for (String file : List.of("vocab.json", "merges.txt")) {
                        Files.copy(TokenizerFiles.golden("gpt2").resolve(file), directory.resolve(file));
                    }
                }
                for (Map.Entry<String, JsonNode> file : variant.get("files").properties()) {
                    TokenizerFiles.JSON.writeValue(
                            directory.resolve(file.getKey()).toFile(), file.getValue());
                }
                assertCases(Tokenizer.load(directory), variant.get("cases"));
            }));
        }
        assertTrue(tests.size() >= 9);
        return tests;
    }

    private static void assertCases(Tokenizer tokenizer, JsonNode cases) {
        assertTrue(cases.size() >= 4);
        for (JsonNode expected : cases) {
            String text = expected.get("text").textValue();
            int[] plain = TokenizerFiles.ids(expected.get("ids"));
            assertArrayEquals(plain, tokenizer.encode(text, false), () -> "without special tokens: " + text);
            int[] special =
                    expected.has("ids_with_special") ? TokenizerFiles.ids(expected.get("ids_with_special")) : plain;
            assertArrayEquals(special, tokenizer.encode(text, true), () -> "with special tokens: " + text);
            if (expected.has("truncated_to_3")) {
                int[] truncated = TokenizerFiles.ids(expected.get("truncated_to_3"));
                assertArrayEquals(truncated, tokenizer.encode(text, true, 3), () -> "truncated: " + text);
            }
            String decoded = expected.get("decoded").textValue();
            assertEquals(decoded, tokenizer.decode(plain, false));
            String skipping = expected.path("decoded_without_special").asText(decoded);
            assertEquals(skipping, tokenizer.decode(special, true));
        }
    }
}
