package io.github.sgpt4j.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.error.UnsupportedModelException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Every kind of broken or unsupported file is refused with one sentence that names file and key.
class TokenizerBrokenFileTest {
    @TempDir
    Path directory;

    @Test
    void theSmallFileIsFine() throws IOException {
        Tokenizer tokenizer = Tokenizer.load(TokenizerFiles.write(directory, TokenizerFiles.small()));
        assertTrue(tokenizer.encode("abc Tok <s>", true).length > 2);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            /model                                    | null                                | model
            /model                                    | 3                                   | model: expected an object
            /model/vocab                              | null                                | model.vocab
            /model/vocab                              | {}                                  | model.vocab: expected tokens, got none
            /model/vocab/b                            | "x"                                 | expected an integer as id of token "b"
            /model/vocab/b                            | 1.5                                 | expected an integer as id of token "b"
            /model/vocab/b                            | -1                                  | expected an id of token "b" from 0 to
            /model/vocab/b                            | 16777216                            | expected an id of token "b" from 0 to
            /model/vocab/b                            | 99999999999999999999                | tokenizer.json
            /model/vocab/b                            | 1                                   | have the same id 1
            /model/merges                             | null                                | model.merges
            /model/merges                             | {}                                  | model.merges: expected an array
            /model/merges                             | ["a"]                               | merge 0: expected a pair
            /model/merges                             | ["a b", "a b c"]                    | merge 1: expected a pair
            /model/merges                             | [["a"]]                             | merge 0: expected a pair
            /model/merges                             | [["a", "b", "c"]]                   | merge 0: expected a pair
            /model/merges                             | [7]                                 | merge 0: expected a pair
            /model/merges                             | [["a", "z"]]                        | merge 0: expected token "z"
            /model/merges                             | [["b", "a"]]                        | merge 0: expected token "ba"
            /model/fuse_unk                           | "yes"                               | model.fuse_unk: expected true or false
            /model/unk_token                          | 0                                   | model.unk_token: expected a string
            /added_tokens                             | {}                                  | added_tokens: expected an array
            /added_tokens/0                           | "x"                                 | added_tokens[0]: expected an object
            /added_tokens/0/content                   | ""                                  | expected a token, got an empty string
            /added_tokens/0/id                        | 9                                   | added_tokens[1].id: 9 occurs twice
            /added_tokens/0/id                        | -4                                  | expected an integer of at least 0, got -4
            /added_tokens/0/lstrip                    | "no"                                | lstrip: expected true or false
            /added_tokens/0/content                   | "\\ud800"                           | got an unpaired surrogate
            /normalizer                               | []                                  | normalizer: expected an object
            /normalizer                               | {}                                  | normalizer.type is missing
            /normalizer/normalizers                   | {"type": "NFC"}                     | expected an array
            /normalizer/normalizers/2/strip_left      | null                                | strip_left is missing
            /normalizer/normalizers/3/pattern         | {"Regex": "a", "String": "b"}       | either String or Regex
            /normalizer/normalizers/3/pattern         | {"Regex": "(a"}                     | missing )
            /normalizer/normalizers/3/pattern         | {"Regex": "a)"}                     | unmatched )
            /normalizer/normalizers/3/pattern         | {"Regex": "[a"}                     | missing ]
            /normalizer/normalizers/3/pattern         | {"Regex": "*a"}                     | nothing to repeat
            /normalizer/normalizers/3/pattern         | {"Regex": "a\\\\"}                  | \\ at the end
            /normalizer/normalizers/3/pattern         | {"Regex": "[z-a]"}                  | empty range
            /normalizer/normalizers/3/pattern         | {"Regex": "[a-\\\\"}                | missing ]
            /pre_tokenizer/pretokenizers/0/behavior   | "Glued"                             | unknown behavior "Glued"
            /pre_tokenizer/pretokenizers/2/add_prefix_space | null                          | add_prefix_space is missing
            /post_processor/single/0                  | {"SpecialToken": {"id": "<e>", "type_id": 0}} | expected "<e>", which the template uses
            /post_processor/single/1                  | {"Sequence": {"id": "B", "type_id": 0}} | expected "A" in a template
            /post_processor/special_tokens            | null                                | special_tokens is missing
            /decoder/decoders/3/content               | "ab"                                | expected one character
            /decoder/decoders/3/start                 | -1                                  | expected an integer of at least 0
            /truncation/max_length                    | "long"                              | truncation.max_length: expected an integer
            /truncation/direction                     | "Up"                                | expected Left or Right
            """)
    void brokenMembersAreNamed(String pointer, String value, String message) throws IOException {
        assertRefused(FormatException.class, changed(pointer, value), message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            /model/type                               | "Unigram"                           | model "Unigram" is not supported
            /model/type                               | "WordPiece"                         | model "WordPiece" is not supported
            /model/dropout                            | 0.1                                 | model.dropout
            /model/continuing_subword_prefix          | "##"                                | continuing_subword_prefix: "##"
            /model/end_of_word_suffix                 | "</w>"                              | end_of_word_suffix: "</w>"
            /model/novelty                            | true                                | unknown key model.novelty
            /novelty                                  | {}                                  | unknown key novelty
            /normalizer/type                          | "Precompiled"                       | normalizer "Precompiled" is not supported
            /normalizer/novelty                       | 1                                   | unknown key normalizer.novelty
            /pre_tokenizer/type                       | "UnicodeScripts"                    | pre-tokenizer "UnicodeScripts" is not supported
            /pre_tokenizer/pretokenizers/1/novelty    | 1                                   | pretokenizers[1].novelty
            /post_processor/type                      | "Other"                             | post-processor "Other" is not supported
            /decoder/type                             | "CTC"                               | decoder "CTC" is not supported
            /added_tokens/0/novelty                   | 1                                   | added_tokens[0].novelty
            /normalizer/normalizers/3/pattern         | {"Regex": ""}                       | empty pattern
            /normalizer/normalizers/3/pattern         | {"Regex": "a\\\\h"}                 | escape \\h
            /normalizer/normalizers/3/pattern         | {"Regex": "\\\\bthe"}               | escape \\b
            /normalizer/normalizers/3/pattern         | {"Regex": "(a)\\\\1"}               | escape \\1
            /normalizer/normalizers/3/pattern         | {"Regex": "[a-z&&[^b]]"}            | && in a class
            /normalizer/normalizers/3/pattern         | {"Regex": "[[:alpha:]]"}            | [: in a class
            /normalizer/normalizers/3/pattern         | {"Regex": "a{1,2}+"}                | {…} followed by +
            /normalizer/normalizers/3/pattern         | {"Regex": "(?<n>a)"}                | group (?<n
            /normalizer/normalizers/3/pattern         | {"Regex": "a(?i)b"}                 | group (?i)
            /normalizer/normalizers/3/pattern         | {"Regex": "\\\\p{Alpha}"}           | property \\p{Alpha}
            /normalizer/normalizers/3/pattern         | {"Regex": "(?i:straße)"}            | while case is ignored
            /normalizer/normalizers/3/pattern         | {"Regex": "(?i:ss)"}                | while case is ignored
            /normalizer/normalizers/3/pattern         | {"Regex": "[^a[^b]]"}               | a negated class within a negated one
            /post_processor                           | {"type": "Unheard"}                 | post-processor "Unheard"
            """)
    void whatIsNotSupportedIsNamed(String pointer, String value, String message) throws IOException {
        assertRefused(UnsupportedModelException.class, changed(pointer, value), message);
    }

    private static String repeated(String step, int times) {
        return "[" + String.join(", ", Collections.nCopies(times, step)) + "]";
    }

    @Test
    void preTokenizersOfManyStepsAreRefused() throws IOException {
        String steps = repeated("{\"type\": \"Digits\"}", 20_000);
        assertRefused(
                UnsupportedModelException.class,
                changed("/pre_tokenizer/pretokenizers", steps),
                "pre_tokenizer: expected at most 100 steps, got 20000");
    }

    /// Forty steps that each double a text would produce a terabyte.
    @Test
    void normalizersThatMakeTextsGrowWithoutEndAreRefused() throws IOException {
        String step = "{\"type\": \"Replace\", \"pattern\": {\"String\": \"a\"}, \"content\": \"%s\"}";
        for (String steps : List.of(
                repeated(step.formatted("aa"), 40),
                repeated(step.formatted("a".repeat(1100)), 3),
                repeated("{\"type\": \"Prepend\", \"prepend\": \"%s\"}".formatted("a".repeat(2_000_000)), 1))) {
            assertRefused(UnsupportedModelException.class, changed("/normalizer/normalizers", steps), ": expected ");
        }
    }

    @Test
    void decodersThatMakeTextsGrowWithoutEndAreRefused() throws IOException {
        String step = "{\"type\": \"Replace\", \"pattern\": {\"String\": \"a\"}, \"content\": \"aa\"}";
        String decoder = "{\"type\": \"Sequence\", \"decoders\": %s}".formatted(repeated(step, 40));
        TokenizerFiles.write(directory, changed("/decoder", decoder));
        Tokenizer tokenizer = Tokenizer.load(directory);
        int[] ids = tokenizer.encode("a", false);
        SgptException e = assertThrows(UnsupportedModelException.class, () -> tokenizer.decode(ids, false));
        assertTrue(e.getMessage().contains("at most"), e.getMessage());
    }

    private static JsonNode changed(String pointer, String value) throws IOException {
        ObjectNode root = TokenizerFiles.small();
        int slash = pointer.lastIndexOf('/');
        JsonNode parent = slash == 0 ? root : root.at(pointer.substring(0, slash));
        JsonNode node = TokenizerFiles.JSON.readTree(value);
        String key = pointer.substring(slash + 1);
        if (parent instanceof ObjectNode object) {
            object.set(key, node);
        } else {
            ((ArrayNode) parent).set(Integer.parseInt(key), node);
        }
        return root;
    }

    private void assertRefused(Class<? extends SgptException> type, JsonNode tokenizer, String message)
            throws IOException {
        TokenizerFiles.write(directory, tokenizer);
        assertRefused(type, message);
    }

    private void assertRefused(Class<? extends SgptException> type, String message) {
        SgptException e = assertThrows(type, () -> Tokenizer.load(directory).encode("a", true));
        assertTrue(e.getMessage().contains(message), e.getMessage());
        assertTrue(e.getMessage().contains(directory.toString()), e.getMessage());
        assertFalse(e.getMessage().contains("\n"), e.getMessage());
    }

    @Test
    void directoryWithoutTokenizerSaysWhatIsExpected() {
        assertRefused(FormatException.class, "expected tokenizer.json, or vocab.json with merges.txt");
        directory = directory.resolve("absent");
        assertRefused(FormatException.class, "expected tokenizer.json, or vocab.json with merges.txt");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            ``                                            | expected an object, got nothing
            []                                            | expected an object
            {"model": {"vocab": {"a": 0}, "merges": []}}x | tokenizer.json
            {"model": {"vocab": {"a": 0}                  | not valid JSON
            {}                                            | model is missing
            {"model": {"vocab": {"a": 0, "a": 1}, "merges": []}} | token "a" occurs twice
            {"model": {"vocab": {"a": 0}, "vocab": {}, "merges": []}} | model.vocab occurs twice
            {"model": {"vocab": {"a": 0}, "merges": [], "type": "BPE", "type": "BPE"}} | model.type occurs twice
            {"normalizer": {"type": "NFC", "type": "NFD"}, "model": {"vocab": {"a": 0}, "merges": []}} | expected key type once, got it twice
            {"model": {"vocab": {"\\ud800": 0}, "merges": []}} | urrogate
            {"model": {"type": "Unigram", "vocab": [["a", 0]], "merges": []}} | model
            """)
    void brokenJsonIsRefused(String json, String message) throws IOException {
        Files.writeString(directory.resolve("tokenizer.json"), json);
        assertRefused(
                json.contains("Unigram") && message.equals("model") ? SgptException.class : FormatException.class,
                message);
    }

    @Test
    void deepNestingIsRefused() throws IOException {
        String deep = "{\"type\": \"Sequence\", \"normalizers\": [".repeat(5000) + "]}".repeat(5000);
        Files.writeString(
                directory.resolve("tokenizer.json"),
                "{\"normalizer\": " + deep + ", \"model\": {\"vocab\": {\"a\": 0}, \"merges\": []}}");
        assertRefused(FormatException.class, "not valid JSON");
    }

    @Test
    void invalidUtf8IsRefused() throws IOException {
        byte[] json = "{\"model\": {\"vocab\": {\"a?\": 0}, \"merges\": []}}".getBytes(StandardCharsets.UTF_8);
        json[22] = (byte) 0xFF;
        Files.write(directory.resolve("tokenizer.json"), json);
        assertRefused(FormatException.class, "tokenizer.json");

        Files.delete(directory.resolve("tokenizer.json"));
        Files.writeString(directory.resolve("vocab.json"), "{\"a\": 0}");
        Files.write(directory.resolve("merges.txt"), new byte[] {'a', ' ', (byte) 0xC0});
        assertRefused(FormatException.class, "merges.txt: not valid UTF-8");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            a b c | merge 0: expected a pair
            ab    | merge 0: expected a pair
            a c   | merge 0: expected token "c"
            """)
    void brokenMergesTextIsRefused(String line, String message) throws IOException {
        Files.writeString(directory.resolve("vocab.json"), "{\"a\": 0, \"b\": 1, \"ab\": 2}");
        Files.writeString(directory.resolve("merges.txt"), "#version: 0.2\n" + line + "\n");
        assertRefused(FormatException.class, message);
        Files.writeString(directory.resolve("merges.txt"), "#version: 0.2\r\na b\r\n");
        assertEquals(1, Tokenizer.load(directory).encode("ab", false).length);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            tokenizer_config.json | []                                          | tokenizer_config.json: expected an object
            tokenizer_config.json | {                                           | not valid JSON
            tokenizer_config.json | {"bos_token": 3}                            | bos_token: expected a string
            tokenizer_config.json | {"bos_token": {"lstrip": true}}             | content is missing
            tokenizer_config.json | {"truncation_side": "up"}                   | truncation_side: expected left or right
            tokenizer_config.json | {"added_tokens_decoder": {"x": "y"}}        | expected an id, got "x"
            tokenizer_config.json | {"added_tokens_decoder": {"1": {"content": ""}}} | expected a token, got an empty string
            added_tokens.json     | {"<a>": "b"}                                | expected an integer
            added_tokens.json     | {"<a>": 7, "<b>": 7}                        | two tokens have the id 7
            special_tokens_map.json | {"pad_token": ""}                         | expected a token, got an empty string
            """)
    void brokenFilesBesideTheModelAreRefused(String file, String json, String message) throws IOException {
        TokenizerFiles.write(directory, TokenizerFiles.small());
        Files.writeString(directory.resolve(file), json);
        assertRefused(FormatException.class, message);
    }

    @Test
    void unknownTokenOutsideTheVocabularyIsNamedWhenItIsNeeded() throws IOException {
        TokenizerFiles.write(directory, changed("/model/unk_token", "\"<nix>\""));
        Tokenizer tokenizer = Tokenizer.load(directory);
        FormatException e = assertThrows(FormatException.class, () -> tokenizer.encode("z", false));
        assertTrue(e.getMessage().contains("\"<nix>\""), e.getMessage());
    }

    @Test
    void patternsThatTakeTooLongOrNestTooDeepOnATextAreStopped() throws IOException {
        String[][] hostile = {{"(?:a+)+b", "a"}, {"(?:a|ab?)*c", "ab"}, {"(?:(?:a*)*)*b", "a"}, {"a*b", "a"}};
        for (String[] pair : hostile) {
            TokenizerFiles.write(
                    directory, changed("/normalizer/normalizers/3/pattern", "{\"Regex\": \"" + pair[0] + "\"}"));
            Tokenizer tokenizer = Tokenizer.load(directory);
            String text = pair[1].repeat(20_000);
            assertThrows(UnsupportedModelException.class, () -> tokenizer.encode(text, false), pair[0]);
        }
    }
}
