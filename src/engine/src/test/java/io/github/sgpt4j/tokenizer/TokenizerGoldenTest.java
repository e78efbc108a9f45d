package io.github.sgpt4j.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Ids and decoded texts of the reference implementation, for every tokenizer with recorded cases.
class TokenizerGoldenTest {
    static List<Path> goldens() throws IOException {
        List<Path> directories = TokenizerFiles.directories(TokenizerFiles.resource("goldens/tokenizers"));
        assertTrue(directories.size() >= 10, directories::toString);
        return directories;
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void goldenCasesAgree(Path directory) throws IOException {
        assertCases(Tokenizer.load(directory), directory);
    }

    @Test
    void vocabularyAndMergesGiveTheSameAsTokenizerJson(@TempDir Path directory) throws IOException {
        Path golden = TokenizerFiles.golden("gpt2");
        for (String file : List.of("vocab.json", "merges.txt")) {
            Files.copy(golden.resolve(file), directory.resolve(file));
        }
        assertCases(Tokenizer.load(directory), golden);
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "neox-20b", "qwen3"})
    void realTokenizersAgree(String name) throws IOException {
        Path directory = shared().resolve("real/tokenizers").resolve(name);
        assumeTrue(Files.exists(directory), () -> directory + " is missing: real tokenizers are not checked");
        assertCases(Tokenizer.load(directory), directory);
    }

    private static Path shared() {
        String property = System.getProperty("sgpt4j.shared");
        if (property != null) {
            return Path.of(property);
        }
        Path root = Path.of("").toAbsolutePath();
        while (root.getParent() != null && !Files.exists(root.resolve("mvnw"))) {
            root = root.getParent();
        }
        return root.resolveSibling("shared");
    }

    private static void assertCases(Tokenizer tokenizer, Path directory) throws IOException {
        JsonNode cases = TokenizerFiles.json(directory.resolve("cases.json"));
        assertTrue(cases.size() > 40);
        for (JsonNode expected : cases) {
            String text = expected.get("text").textValue();
            int[] plain = TokenizerFiles.ids(expected.get("ids_without_special"));
            assertArrayEquals(plain, tokenizer.encode(text, false), () -> "without special tokens: " + text);
            int[] ids = TokenizerFiles.ids(expected.get("ids"));
            assertArrayEquals(ids, tokenizer.encode(text, true), () -> "with special tokens: " + text);
            if (expected.has("decoded")) {
                assertEquals(expected.get("decoded").textValue(), tokenizer.decode(plain, false));
            }
        }
    }
}
