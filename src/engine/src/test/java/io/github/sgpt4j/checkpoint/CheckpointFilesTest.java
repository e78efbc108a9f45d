package io.github.sgpt4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.checkpoint.Tables.Row;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.testing.CheckpointFolder;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Variants;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Keys and files that readers do not use: harmless, refused or reported.
class CheckpointFilesTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path parent;

    private static List<String> check(Path directory) {
        SentenceModules modules = SentenceModules.read(directory);
        return CheckpointFiles.check(
                directory,
                modules,
                modules.transformer(),
                Decoder.readConfig(modules.transformer()).modelType(),
                new JsonFiles());
    }

    private static Stream<Path> checkpoints() {
        return Stream.concat(
                Goldens.models().stream().map(Goldens::model),
                Stream.concat(Variants.decoders().stream(), Variants.embeddings().stream())
                        .map(Variants::model));
    }

    @ParameterizedTest
    @MethodSource("checkpoints")
    void everyKeyOfTheReferenceCheckpointsIsKnown(Path directory) {
        assertEquals(List.of(), check(directory));
    }

    /// Published checkpoints in a folder next to this project, if present.
    @Test
    void everyKeyOfRealCheckpointsIsKnown() throws IOException {
        Path real = shared().resolve("real");
        assumeTrue(Files.isDirectory(real), () -> real + " is not there: real checkpoints are not checked");
        try (Stream<Path> files = Files.walk(real)) {
            List<Path> configurations =
                    files.filter(f -> f.endsWith("config.json")).toList();
            configurations.forEach(file -> assertEquals(List.of(), check(file.resolveSibling(""))));
        }
    }

    @Test
    void everyKeyOfTheBuiltInModelIsKnown() {
        assertEquals(List.of(), check(root().resolve("src/nano/src/main/resources/META-INF/sgpt4j/nano/model")));
    }

    private static Path root() {
        Path root = Path.of("").toAbsolutePath();
        while (root.getParent() != null && !Files.exists(root.resolve("mvnw"))) {
            root = root.getParent();
        }
        return root;
    }

    private static Path shared() {
        String property = System.getProperty("sgpt4j.shared");
        return property != null ? Path.of(property) : root().resolveSibling("shared");
    }

    private CheckpointFolder copy(String name) {
        return CheckpointFolder.copy(name, parent);
    }

    private static void put(CheckpointFolder checkpoint, String name, String key, String value) {
        try {
            Path file = checkpoint.file(name);
            ObjectNode object = Files.exists(file) ? (ObjectNode) Goldens.json(file) : JSON.createObjectNode();
            String[] path = key.split("\\.");
            ObjectNode inner = object;
            for (int i = 0; i < path.length - 1; i++) {
                inner = inner.withObjectProperty(path[i]);
            }
            inner.set(path[path.length - 1], JSON.readTree(value));
            checkpoint.write(name, object.toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void unknownKeysGiveOneNoticeForEachFile() {
        CheckpointFolder checkpoint = copy("qwen3-be");
        put(checkpoint, "config.json", "bogus_a", "1");
        put(checkpoint, "config.json", "bogus_b", "[{}]");
        put(checkpoint, "config.json", "rope_parameters.bogus_c", "true");
        put(checkpoint, "config.json", "bogus_null", "null");
        put(checkpoint, "1_Pooling/config.json", "bogus_d", "{}");
        put(checkpoint, "config_sentence_transformers.json", "bogus_e", "\"x\"");
        List<String> notices = check(checkpoint.directory());
        assertEquals(
                List.of(
                        "%s: ignored unknown keys \"rope_parameters.bogus_c\", \"bogus_a\", \"bogus_b\""
                                .formatted(checkpoint.file("config.json")),
                        "%s: ignored unknown key \"bogus_e\""
                                .formatted(checkpoint.file("config_sentence_transformers.json")),
                        "%s: ignored unknown key \"bogus_d\"".formatted(checkpoint.file("1_Pooling/config.json"))),
                notices);
    }

    @Test
    void noticesStayShortWhateverTheFileHolds() {
        CheckpointFolder checkpoint = copy("gpt2-ce");
        ObjectNode config = (ObjectNode) Goldens.json(checkpoint.file("config.json"));
        for (int i = 0; i < 5000; i++) {
            config.put("\n\u2028" + "k".repeat(300) + i, 1);
            config.put("k" + i, 1);
        }
        checkpoint.write("config.json", config.toString());
        List<String> notices = check(checkpoint.directory());
        assertEquals(1, notices.size());
        assertTrue(notices.getFirst().length() < 1500, notices.getFirst());
        assertTrue(notices.getFirst().chars().noneMatch(c -> c == '\n' || c == '\u2028'), notices.getFirst());
        assertTrue(notices.getFirst().endsWith(" more"), notices.getFirst());
    }

    private static Stream<Row> refused() {
        return Tables.all().filter(row -> row.rule() instanceof KeyRule.Refused);
    }

    /// The golden to test a row of config.json with.
    private static String golden(String family) {
        return switch (family) {
            case "gpt_neo" -> "gptneo-be";
            case "gpt_neox" -> "gptneox-be";
            case "opt" -> "opt-ce";
            case "" -> "qwen3-be";
            default -> family + "-be";
        };
    }

    @ParameterizedTest
    @MethodSource("refused")
    void valuesThatChangeNumbersAreRefusedByName(Row row) {
        String file =
                row.table().startsWith("modules/") ? row.table().substring("modules/".length()) : row.table() + ".json";
        Path path = parent.resolve(file);
        CheckpointFolder checkpoint = new CheckpointFolder(golden(row.kind()), parent);
        put(checkpoint, file, row.key(), "\"odd\"");
        KeyTable table = KeyTable.read(row.table(), row.kind());
        UnsupportedModelException e =
                assertThrows(UnsupportedModelException.class, () -> KeyCheck.check(path, table, new JsonFiles()));
        assertTrue(e.getMessage().contains(path + ": key \"" + row.key() + "\": expected"), e.getMessage());
        assertTrue(e.getMessage().contains("got \"odd\""), e.getMessage());
        put(checkpoint, file, row.key(), "null");
        assertTrue(KeyCheck.check(path, table, new JsonFiles()).isEmpty());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "llama-be; config.json; logit_scale; 0.0625",
                "llama-be; config.json; embedding_multiplier; 12.0",
                "llama-be; config.json; transformers_weights; \"other.safetensors\"",
                "llama-be; config.json; residual_multiplier; 0.22",
                "llama-be; config.json; attention_multiplier; 0.5",
                "llama-be; config.json; partial_rotary_factor; 0.5",
                "llama-be; config.json; rope_parameters.partial_rotary_factor; 0.5",
                "llama-be; config.json; sliding_window; 16",
                "gptj-be; config.json; rotary; false",
                "gptneo-be; config.json; rotary; true",
                "opt-ce; config.json; layer_norm_eps; 1e-12",
                "mistral-be; config.json; layer_types; [\"sliding_attention\", \"full_attention\"]",
                "qwen2-be; config.json; use_mrope; true",
                "qwen3-be; sentence_bert_config.json; modality_config.text.method; \"get_text_features\"",
                "qwen3-be; modules.json; kwargs; []",
                "qwen3-be; tokenizer_config.json; keep_accents; false",
            })
    void openingRefusesWhatIsNotFollowed(String golden, String file, String key, String value) {
        CheckpointFolder checkpoint = copy(golden);
        if (file.equals("modules.json")) {
            assertEquals(List.of(), check(checkpoint.directory()));
            return;
        }
        put(checkpoint, file, key, value);
        UnsupportedModelException e =
                assertThrows(UnsupportedModelException.class, () -> check(checkpoint.directory()));
        assertTrue(e.getMessage().contains(file + ": key \"" + key + "\""), e.getMessage());
    }

    @Test
    void productsWithoutBiasesAreRefused() {
        CheckpointFolder checkpoint = copy("bloom-be");
        put(checkpoint, "config.json", "slow_but_exact", "true");
        assertEquals(List.of(), check(checkpoint.directory()));
        put(checkpoint, "config.json", "pretraining_tp", "2");
        UnsupportedModelException e =
                assertThrows(UnsupportedModelException.class, () -> check(checkpoint.directory()));
        assertTrue(e.getMessage().contains("config.json: key \"slow_but_exact\""), e.getMessage());
    }

    @Test
    void anAdaptersWeightsWithoutItsConfigurationAreTold() {
        CheckpointFolder checkpoint = copy("llama-be");
        checkpoint.write("adapter_model.safetensors", "x");
        List<String> notices = check(checkpoint.directory());
        assertEquals(1, notices.size());
        assertTrue(notices.getFirst().contains("adapter_model.safetensors"), notices.getFirst());
    }

    @Test
    void aNormalizeModuleForOtherVectorsIsRefused() {
        CheckpointFolder checkpoint = copy("qwen3-be");
        put(checkpoint, "2_Normalize/config.json", "module_input_name", "\"token_embeddings\"");
        UnsupportedModelException e =
                assertThrows(UnsupportedModelException.class, () -> check(checkpoint.directory()));
        assertTrue(e.getMessage().contains("module_input_name"), e.getMessage());
    }

    @Test
    void unknownFilesAreTold() {
        CheckpointFolder checkpoint =
                copy("gpt2-be").write("bogus_config.json", "{").write("README.md", "# Model");
        checkpoint.write("onnx/model.onnx", "x").write(".gitattributes", "x").write("bogus_file", "x");
        assertEquals(
                List.of("%s: ignored unknown files \"bogus_config.json\", \"bogus_file\""
                        .formatted(checkpoint.directory())),
                check(checkpoint.directory()));
    }

    @Test
    void filesOfOtherKindsOfModelsAreRefused() {
        CheckpointFolder checkpoint = copy("gpt2-be").write("sentence_xlnet_config.json", "{\"max_seq_length\": 3}");
        UnsupportedModelException e =
                assertThrows(UnsupportedModelException.class, () -> check(checkpoint.directory()));
        assertTrue(e.getMessage().contains("sentence_xlnet_config.json"), e.getMessage());
    }

    @ParameterizedTest
    @CsvSource({"special_tokens_map.json", "tokenizer_config.json"})
    void brokenFilesAreNamed(String name) {
        CheckpointFolder checkpoint = copy("llama-be").write(name, "{\"a\": [1,");
        FormatException e = assertThrows(FormatException.class, () -> check(checkpoint.directory()));
        assertTrue(e.getMessage().contains(name), e.getMessage());
    }

    @Test
    void deepNestingIsPassedOver() {
        CheckpointFolder checkpoint = copy("llama-be");
        checkpoint.write("special_tokens_map.json", "{\"a\": " + "[".repeat(900) + "]".repeat(900) + "}");
        assertEquals(1, check(checkpoint.directory()).size());
        checkpoint.write("special_tokens_map.json", "{\"a\": " + "[".repeat(100_000) + "]".repeat(100_000) + "}");
        assertThrows(FormatException.class, () -> check(checkpoint.directory()));
    }
}
