package io.github.sgpt4j.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.tokenizer.bpe.BpeMerger;
import io.github.sgpt4j.tokenizer.collection.Growth;
import io.github.sgpt4j.tokenizer.files.ModelReader;
import io.github.sgpt4j.tokenizer.pattern.CharacterClasses;
import io.github.sgpt4j.tokenizer.pattern.KnownSplitters;
import io.github.sgpt4j.tokenizer.pattern.OnigurumaPattern;
import io.github.sgpt4j.tokenizer.pattern.Splitter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerPropertyTest {
    @TempDir
    Path temporary;

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "bloom", "llama3", "opt"})
    void decodingGivesBackAnyText(String name) {
        Tokenizer tokenizer = Tokenizer.load(TokenizerFiles.golden(name));
        for (String text : TokenizerFiles.texts(new Random(TokenizerFiles.seed("decodingGivesBackAnyText")), 500)) {
            assertEquals(text, tokenizer.decode(tokenizer.encode(text, false), false));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "ab", "é", " ", "1", "\n", "😀", "'", "the "})
    void aMegabyteOfOnePatternIsEncodedAndDecoded(String unit) {
        for (String name : List.of("gpt2", "llama3", "bloom")) {
            Tokenizer tokenizer = Tokenizer.load(TokenizerFiles.golden(name));
            String text = unit.repeat((1 << 20) / unit.length());
            assertEquals(text, tokenizer.decode(tokenizer.encode(text, false), false));
        }
    }

    @Test
    void aMegabyteWithoutSpacesPassesAGeneralPattern() throws IOException {
        ObjectNode spec = TokenizerFiles.gpt2();
        spec.set("pre_tokenizer", TokenizerFiles.JSON.readTree("""
                {"type": "Sequence", "pretokenizers": [
                  {"type": "Split", "pattern": {"Regex": "(?:\\\\p{L}|[0-9])+| ?[^\\\\s\\\\p{L}]+|\\\\s+"},
                   "behavior": "Isolated", "invert": false},
                  {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}]}"""));
        Tokenizer tokenizer = Tokenizer.load(TokenizerFiles.write(temporary, spec));
        String text = "!?".repeat(1 << 19);
        assertEquals(text, tokenizer.decode(tokenizer.encode(text, false), false));
    }

    @Test
    void scanAndHeapMergeAlike() throws IOException {
        ModelReader.Content content =
                ModelReader.tokenizerJson(TokenizerFiles.golden("gpt2").resolve("tokenizer.json"));
        Random random = new Random(TokenizerFiles.seed("scanAndHeapMergeAlike"));
        BpeMerger merger = new BpeMerger(content.merges());
        for (int n = 0; n < 300; n++) {
            int[] symbols = new int[random.nextInt(120)];
            for (int i = 0; i < symbols.length; i++) {
                char c = random.nextInt(5) == 0 ? 'Ġ' : "etaoinshr".charAt(random.nextInt(9));
                symbols[i] = content.vocabulary().id(String.valueOf(c));
            }
            int from = random.nextInt(symbols.length + 1);
            int[] other = symbols.clone();
            int end = merger.mergeByScan(symbols, from, symbols.length);
            assertEquals(end, merger.mergeByHeap(other, from, symbols.length, Cancellation.NEVER));
            assertArrayEquals(Arrays.copyOf(symbols, end), Arrays.copyOf(other, end));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {KnownSplitters.GPT2_PATTERN, KnownSplitters.LLAMA3_PATTERN, KnownSplitters.BLOOM_PATTERN, "qwen"
            })
    void handWrittenScannersDoWhatTheirPatternsDo(String name) {
        String pattern = name.equals("qwen") ? KnownSplitters.QWEN_PATTERN : name;
        Splitter scanner = KnownSplitters.find(pattern);
        Splitter regex = OnigurumaPattern.regex(pattern, "test");
        Random random = new Random(TokenizerFiles.seed("handWrittenScannersDoWhatTheirPatternsDo"));
        String alphabet = " \n\r\t\u00a0\u3000'sSſtTrReEvVmMlLdD1２½ab.,(|)é\u0301";
        for (int n = 0; n < 3000; n++) {
            String text = n % 2 == 0
                    ? TokenizerFiles.text(random)
                    : random.ints(random.nextInt(30), 0, alphabet.length())
                            .collect(StringBuilder::new, (b, i) -> b.append(alphabet.charAt(i)), StringBuilder::append)
                            .toString();
            assertEquals(matches(regex, text), matches(scanner, text), text);
        }
    }

    @Test
    void wordCharactersAreThoseOfThePattern() {
        Matcher word = Pattern.compile("\\w", Pattern.UNICODE_CHARACTER_CLASS).matcher("");
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            assertEquals(word.reset(Character.toString(c)).matches(), CharacterClasses.isWord(c), "code point " + c);
        }
    }

    @Test
    void aRangeIsSearchedAsIfNothingWereAroundIt() {
        List<Splitter> splitters = new ArrayList<>(List.of(
                Splitter.literal("the"), Splitter.literal("😀"), Splitter.codePoint(CharacterClasses::isPunctuation)));
        for (String pattern : List.of(
                KnownSplitters.GPT2_PATTERN,
                KnownSplitters.LLAMA3_PATTERN,
                KnownSplitters.QWEN_PATTERN,
                KnownSplitters.BLOOM_PATTERN)) {
            splitters.add(OnigurumaPattern.splitter(pattern, "test"));
            splitters.add(OnigurumaPattern.regex(pattern, "test"));
        }
        for (String pattern : List.of("^.|.$", "(?<=\\p{L})[^a]*", "(?<!t)h|a(?!\\S)", "(?=\\w)", "")) {
            splitters.add(OnigurumaPattern.regex(pattern, "test"));
        }
        Random random = new Random(TokenizerFiles.seed("aRangeIsSearchedAsIfNothingWereAroundIt"));
        for (Splitter splitter : splitters) {
            Splitter.Scan again = splitter.scan();
            for (int n = 0; n < 300; n++) {
                String text = TokenizerFiles.text(random);
                String before = TokenizerFiles.text(random);
                again.begin(
                        before + text + TokenizerFiles.text(random), before.length(), before.length() + text.length());
                assertEquals(matches(splitter.scan(text), 0), matches(again, before.length()), text);
            }
        }
    }

    private static List<List<Integer>> matches(Splitter splitter, String text) {
        return matches(splitter.scan(text), 0);
    }

    private static List<List<Integer>> matches(Splitter.Scan scan, int origin) {
        List<List<Integer>> matches = new ArrayList<>();
        while (scan.next()) {
            matches.add(List.of(scan.start() - origin, scan.end() - origin));
        }
        return matches;
    }

    @Test
    void threadsShareATokenizer() throws Exception {
        Tokenizer tokenizer = Tokenizer.load(TokenizerFiles.golden("gptneox"));
        List<String> texts = TokenizerFiles.texts(new Random(TokenizerFiles.seed("threadsShareATokenizer")), 400);
        Tokenizer fresh = Tokenizer.load(TokenizerFiles.golden("gptneox"));
        Callable<List<String>> work = () ->
                texts.stream().map(t -> Arrays.toString(fresh.encode(t, true))).toList();
        List<String> expected = texts.stream()
                .map(t -> Arrays.toString(tokenizer.encode(t, true)))
                .toList();
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            for (Future<List<String>> result : threads.invokeAll(Collections.nCopies(8, work))) {
                assertEquals(expected, result.get());
            }
        }
    }

    @Test
    void halfSurrogatePairsCountAsReplacementCharacters() {
        Tokenizer tokenizer = Tokenizer.load(TokenizerFiles.golden("gpt2"));
        assertArrayEquals(tokenizer.encode("a\uFFFDb", false), tokenizer.encode("a\uD83Db", false));
        assertArrayEquals(tokenizer.encode("\uFFFD😀\uFFFD", false), tokenizer.encode("\uDE00😀\uD83D", false));
    }

    @Test
    void truncationKeepsSpecialTokensAndTheStartOfTheText() {
        Tokenizer llama = Tokenizer.load(TokenizerFiles.golden("llama3"));
        int[] all = llama.encode("deep learning is not deep diving", true);
        assertArrayEquals(Arrays.copyOf(all, 4), llama.encode("deep learning is not deep diving", true, 4));
        assertArrayEquals(all, llama.encode("deep learning is not deep diving", true, all.length));
        assertArrayEquals(new int[] {all[0]}, llama.encode("deep", true, 1));
        assertArrayEquals(new int[0], llama.encode("deep", false, 0));
        assertThrows(IllegalArgumentException.class, () -> llama.encode("deep", true, 0));

        Tokenizer qwen = Tokenizer.load(TokenizerFiles.golden("qwen3"));
        int[] ids = qwen.encode("deep learning is not deep diving", true);
        int[] cut = qwen.encode("deep learning is not deep diving", true, 4);
        assertArrayEquals(new int[] {ids[0], ids[1], ids[2], ids[ids.length - 1]}, cut);
    }

    @Test
    void directionOfTheFileDecidesWhereTheTextIsCut() throws IOException {
        ObjectNode spec = TokenizerFiles.gpt2();
        spec.set(
                "truncation",
                TokenizerFiles.JSON.readTree(
                        "{\"direction\": \"Left\", \"max_length\": 7, \"strategy\": \"LongestFirst\", \"stride\": 0}"));
        Tokenizer tokenizer = Tokenizer.load(TokenizerFiles.write(temporary, spec));
        int[] all = tokenizer.encode("deep learning is not deep diving", false);
        assertTrue(all.length > 7, "the file's truncation is not applied unasked");
        assertEquals(OptionalInt.of(7), tokenizer.truncationLength());
        assertArrayEquals(
                Arrays.copyOfRange(all, all.length - 3, all.length),
                tokenizer.encode("deep learning is not deep diving", false, 3));
    }

    @Test
    void factsAboutTheTokenizerAreToldAsTheFilesHaveThem() throws IOException {
        Files.writeString(
                TokenizerFiles.write(temporary, TokenizerFiles.small()).resolve("tokenizer_config.json"),
                "{\"model_max_length\": 512}");
        Tokenizer tokenizer = Tokenizer.load(temporary);
        assertEquals(10, tokenizer.vocabularySize());
        assertEquals(OptionalInt.of(512), tokenizer.modelMaxLength());
        assertEquals(OptionalInt.of(9), tokenizer.truncationLength());
        assertEquals(OptionalInt.of(7), tokenizer.tokenId("Ġabc"));
        assertEquals(OptionalInt.of(9), tokenizer.tokenId("Tok"));
        assertEquals(OptionalInt.empty(), tokenizer.tokenId("nothing"));
        assertTrue(tokenizer.isSpecial(0));
        assertFalse(tokenizer.isSpecial(9));
        assertFalse(tokenizer.isSpecial(1 << 30));
        assertEquals(1, tokenizer.specialTokensAdded());
        assertEquals("byte-level BPE, 10 tokens (2 added), 5 merges", tokenizer.describe());
    }

    @Test
    void decodingPassesOverIdsWithoutTokenAndRefusesNegativeOnes() {
        Tokenizer tokenizer = Tokenizer.load(TokenizerFiles.golden("gpt2"));
        assertEquals("a", tokenizer.decode(new int[] {65, 1 << 24}, false));
        assertThrows(IllegalArgumentException.class, () -> tokenizer.decode(new int[] {-1}, false));
    }

    @Test
    void modelMaxLengthSentinelMeansNone() throws IOException {
        TokenizerFiles.write(temporary, TokenizerFiles.small());
        Files.writeString(
                temporary.resolve("tokenizer_config.json"), "{\"model_max_length\": 1000000000000000019884624838656}");
        assertEquals(OptionalInt.empty(), Tokenizer.load(temporary).modelMaxLength());
    }

    /// The result of Hugging Face's `Replace`, with `|` for every match.
    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {
                "[a] ab-😀c |b-😀c",
                "[-] ab-😀c ab|😀c",
                "[a-] ab-😀c |b|😀c",
                "[\\s-] ab-😀c ab|😀c",
                "[^-] ab-😀c ||-||",
                "[a-c-] ab-😀c |||😀|",
                "[^😀]* ab😀😀c |😀|😀|",
                "[^😀a]?+ ab😀 |a|😀|",
                "x* ab |a|b|",
                "a|x* axb ||b|",
                "x* '' ''"
            })
    void classesAndEmptyMatches(String pattern, String text, String expected) {
        assertEquals(expected, OnigurumaPattern.splitter(pattern, "test").replace(text, "|", new Growth("test")));
    }
}
