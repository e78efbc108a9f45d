package io.github.sgpt4j.tokenizer;

import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.tokenizer.collection.Growth;
import io.github.sgpt4j.tokenizer.pattern.OnigurumaPattern;
import io.github.sgpt4j.tokenizer.pattern.Splitter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Random changes of a small valid file: it loads and encodes, or fails with one of the library's
/// exceptions.
class TokenizerFuzzTest {
    private static final int ROUNDS = Integer.getInteger("sgpt4j.fuzz.rounds", 1500);
    private static final List<String> TEXTS =
            List.of("", "abc Tok <s> xxx's 12 ", "ﬁ\u00a0é😀\n\n  TOK", " ".repeat(300), "ab".repeat(200));

    @TempDir
    Path directory;

    @Test
    void changedBytesNeverEscape() throws IOException {
        Random random = new Random(TokenizerFiles.seed("changedBytesNeverEscape"));
        byte[] valid = TokenizerFiles.JSON.writeValueAsBytes(TokenizerFiles.small());
        for (int round = 0; round < ROUNDS; round++) {
            byte[] bytes = valid.clone();
            int changes = 1 + random.nextInt(4);
            for (int i = 0; i < changes; i++) {
                int at = random.nextInt(bytes.length);
                bytes[at] = random.nextBoolean()
                        ? (byte) random.nextInt(256)
                        : (byte) "{}[]\",:0123456789ntf\\ ".charAt(random.nextInt(22));
            }
            int length = random.nextInt(8) == 0 ? random.nextInt(bytes.length) : bytes.length;
            tryFile("tokenizer.json", Arrays.copyOf(bytes, length));
        }
    }

    @Test
    void changedMembersNeverEscape() throws IOException {
        Random random = new Random(TokenizerFiles.seed("changedMembersNeverEscape"));
        for (int round = 0; round < ROUNDS; round++) {
            ObjectNode root = TokenizerFiles.small();
            int changes = 1 + random.nextInt(3);
            for (int i = 0; i < changes; i++) {
                change(root, random);
            }
            tryFile("tokenizer.json", TokenizerFiles.JSON.writeValueAsBytes(root));
        }
    }

    @Test
    void randomPatternsNeverEscape() throws IOException {
        Random random = new Random(TokenizerFiles.seed("randomPatternsNeverEscape"));
        List<String> parts = List.of(
                "\\s", "\\S", "\\p{L}", "\\p{N}", "\\w", "(", "(?:", "(?i:", "(?=", "(?!", "(?<=", "(?>", ")", "[",
                "[^", "]", "+", "*", "?", "{1,3}", "{2}", "|", "-", "a", "b", "é", "😀", " ", ".", "^", "$", "\\n",
                "\\x{41}", "&&", "\\");
        for (int round = 0; round < ROUNDS; round++) {
            StringBuilder pattern = new StringBuilder();
            int length = 1 + random.nextInt(10);
            for (int i = 0; i < length; i++) {
                pattern.append(parts.get(random.nextInt(parts.size())));
            }
            try {
                Splitter splitter = OnigurumaPattern.splitter(pattern.toString(), "test");
                for (String text : TEXTS) {
                    splitter.replace(text, "-", new Growth("test"));
                }
            } catch (SgptException expected) {
                // Refused by name.
            } catch (RuntimeException | Error e) {
                fail("pattern " + pattern, e);
            }
        }
    }

    @Test
    void changedConfigurationNeverEscapes() throws IOException {
        Random random = new Random(TokenizerFiles.seed("changedConfigurationNeverEscapes"));
        TokenizerFiles.write(directory, TokenizerFiles.small());
        for (int round = 0; round < ROUNDS; round++) {
            ObjectNode root = (ObjectNode) TokenizerFiles.JSON.readTree("""
                    {"model_max_length": 10, "bos_token": "<s>", "eos_token": {"content": "</s>", "lstrip": true},
                     "added_tokens_decoder": {"11": {"content": "<x>", "special": true}}, "truncation_side": "left",
                     "additional_special_tokens": ["<y>"], "add_bos_token": true, "add_prefix_space": false,
                     "tokenizer_class": "GPTNeoXTokenizer", "add_eos_token": false, "split_special_tokens": true,
                     "extra_special_tokens": {"a": "<z>"}, "image_token": "<i>", "legacy": true,
                     "auto_map": {"AutoTokenizer": ["a.B", null]}, "init_inputs": [],
                     "fast_tokenizer_files": ["tokenizer.json"]}""");
            change(root, random);
            change(root, random);
            Files.write(directory.resolve("tokenizer_config.json"), TokenizerFiles.JSON.writeValueAsBytes(root));
            tryLoad(root.toString());
        }
    }

    /// Replaces, removes or copies a random node of the tree.
    private static void change(JsonNode root, Random random) {
        List<JsonNode> containers = new ArrayList<>();
        collect(root, containers);
        JsonNode target = containers.get(random.nextInt(containers.size()));
        JsonNode donor = containers.get(random.nextInt(containers.size())).deepCopy();
        if (target instanceof ObjectNode object && !object.isEmpty()) {
            List<String> keys = new ArrayList<>();
            object.fieldNames().forEachRemaining(keys::add);
            String key = keys.get(random.nextInt(keys.size()));
            if (random.nextInt(5) == 0) {
                object.remove(key);
            } else {
                object.set(random.nextInt(6) == 0 ? "type" : key, value(random, donor));
            }
        } else if (target instanceof ArrayNode array && !array.isEmpty()) {
            int index = random.nextInt(array.size());
            switch (random.nextInt(3)) {
                case 0 -> array.remove(index);
                case 1 -> array.add(array.get(index).deepCopy());
                default -> array.set(index, value(random, donor));
            }
        }
    }

    private static void collect(JsonNode node, List<JsonNode> containers) {
        if (node.isContainerNode()) {
            containers.add(node);
            node.forEach(child -> collect(child, containers));
        }
    }

    private static JsonNode value(Random random, JsonNode donor) {
        return switch (random.nextInt(9)) {
            case 0 -> TokenizerFiles.JSON.nullNode();
            case 1 -> TokenizerFiles.JSON.getNodeFactory().numberNode(random.nextInt());
            case 2 -> TokenizerFiles.JSON.getNodeFactory().numberNode(random.nextLong() * 0.5);
            case 3 -> TokenizerFiles.JSON.getNodeFactory().numberNode(random.nextInt(12));
            case 4 -> TokenizerFiles.JSON.getNodeFactory().booleanNode(random.nextBoolean());
            case 5 -> TokenizerFiles.JSON.getNodeFactory().textNode(TokenizerFiles.text(random));
            case 6 ->
                TokenizerFiles.JSON
                        .getNodeFactory()
                        .textNode(List.of(
                                        "",
                                        "a",
                                        "Metaspace",
                                        "Whitespace",
                                        "Punctuation",
                                        "ByteFallback",
                                        "(a|b)*",
                                        "\ud800")
                                .get(random.nextInt(8)));
            case 7 -> TokenizerFiles.JSON.createObjectNode();
            default -> donor;
        };
    }

    private void tryFile(String name, byte[] bytes) throws IOException {
        Files.write(directory.resolve(name), bytes);
        tryLoad(new String(bytes, StandardCharsets.UTF_8));
    }

    private void tryLoad(String shown) {
        try {
            Tokenizer tokenizer = Tokenizer.load(directory);
            for (String text : TEXTS) {
                int[] ids = tokenizer.encode(text, true);
                tokenizer.decode(ids, true);
            }
        } catch (SgptException expected) {
            // The only allowed kind of failure.
        } catch (RuntimeException | Error e) {
            fail("after " + shown, e);
        }
    }
}
