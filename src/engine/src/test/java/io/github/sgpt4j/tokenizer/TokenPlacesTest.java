package io.github.sgpt4j.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Places of tokens: those of the reference implementation, and what holds for every text.
/// `tokenizer/README.md` in the test resources says how the expected places were made.
class TokenPlacesTest {
    @TempDir
    Path temporary;

    static List<Path> goldens() throws IOException {
        return TokenizerFiles.directories(TokenizerFiles.resource("goldens/tokenizers"));
    }

    @TestFactory
    List<DynamicTest> placesAreThoseOfTheReference() throws IOException {
        JsonNode crosscheck = TokenizerFiles.json(TokenizerFiles.resource("tokenizer/crosscheck.json"));
        Map<String, JsonNode> patches = new HashMap<>();
        crosscheck
                .get("tokenizers")
                .forEach(variant -> patches.put(variant.get("name").textValue(), variant.get("patch")));
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode variant : TokenizerFiles.json(TokenizerFiles.resource("tokenizer/places.json"))) {
            String name = variant.get("name").textValue();
            String base = variant.get("base").textValue();
            JsonNode patch = variant.has("patch") ? variant.get("patch") : patches.get(name);
            tests.add(DynamicTest.dynamicTest(name, () -> {
                JsonNode whole = base.equals("characters")
                        ? crosscheck.get("characters")
                        : TokenizerFiles.json(TokenizerFiles.golden(base).resolve("tokenizer.json"));
                ObjectNode patched = TokenizerFiles.patched((ObjectNode) whole, patch);
                Path directory = TokenizerFiles.write(temporary.resolve(name), patched);
                assertPlaces(Tokenizer.load(directory), variant.get("cases"));
            }));
        }
        assertTrue(tests.size() > 100);
        return tests;
    }

    private static void assertPlaces(Tokenizer tokenizer, JsonNode cases) {
        assertTrue(cases.size() >= 4);
        for (JsonNode expected : cases) {
            String text = expected.get("text").textValue();
            TokenPlaces places = tokenizer.encodePlaced(text, true);
            assertArrayEquals(TokenizerFiles.ids(expected.get("ids")), places.ids(), () -> "ids: " + text);
            assertArrayEquals(TokenizerFiles.ids(expected.get("starts")), places.starts(), () -> "starts: " + text);
            assertArrayEquals(TokenizerFiles.ids(expected.get("ends")), places.ends(), () -> "ends: " + text);
        }
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void idsAreTheSameAndPlacesNeverGoBack(Path directory) {
        Tokenizer tokenizer = Tokenizer.load(directory);
        for (String text : texts()) {
            for (boolean special : new boolean[] {false, true}) {
                TokenPlaces places = tokenizer.encodePlaced(text, special);
                assertArrayEquals(tokenizer.encode(text, special), places.ids(), text);
                int length = text.codePointCount(0, text.length());
                int before = 0;
                int without = 0;
                for (int i = 0; i < places.ids().length; i++) {
                    int start = places.starts()[i];
                    int end = places.ends()[i];
                    if (start == TokenPlaces.NONE) {
                        assertEquals(TokenPlaces.NONE, end, text);
                        without++;
                    } else {
                        assertTrue(before <= start && start <= end && end <= length, text);
                        before = start;
                    }
                }
                assertEquals(special ? tokenizer.specialTokensAdded() : 0, without, text);
            }
        }
    }

    /// Without a normalizer and trimming, every code point belongs to a token, and a token begins where
    /// the previous one ends, or within the same code point.
    @ParameterizedTest
    @MethodSource("goldens")
    void placesCoverTheText(Path directory) throws IOException {
        ObjectNode json = (ObjectNode) TokenizerFiles.json(directory.resolve("tokenizer.json"));
        json.putNull("normalizer");
        json.putNull("post_processor");
        // Tokens that take white space from their neighbours may overlap.
        json.get("added_tokens")
                .forEach(token -> ((ObjectNode) token).put("lstrip", false).put("rstrip", false));
        Tokenizer tokenizer =
                Tokenizer.load(TokenizerFiles.write(temporary.resolve(String.valueOf(directory.getFileName())), json));
        for (String text : texts()) {
            TokenPlaces places = tokenizer.encodePlaced(text, false);
            int covered = 0;
            for (int i = 0; i < places.ids().length; i++) {
                int start = places.starts()[i];
                assertTrue(start == covered || start == covered - 1, text);
                assertTrue(places.ends()[i] >= covered && places.ends()[i] > start, text);
                covered = places.ends()[i];
            }
            assertEquals(text.codePointCount(0, text.length()), covered, text);
        }
    }

    @Test
    void longWordsHavePlaces() {
        Tokenizer tokenizer = Tokenizer.load(TokenizerFiles.golden("gpt2"));
        String text = "x\uD83D\uDE00".repeat(40_000);
        TokenPlaces places = tokenizer.encodePlaced(text, false);
        assertArrayEquals(tokenizer.encode(text, false), places.ids());
        assertEquals(80_000, places.ends()[places.ids().length - 1]);
    }

    private static List<String> texts() {
        List<String> texts = TokenizerFiles.texts(new Random(TokenizerFiles.seed("TokenPlacesTest")), 300);
        texts.add("");
        texts.add("\uD83D");
        texts.add("a\uDE00\uD83Db e\u0301 \uD83D\uDE00");
        return texts;
    }
}
