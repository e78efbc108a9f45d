package io.github.sgpt4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.checkpoint.Tables.Row;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.testing.CheckpointFolder;
import io.github.sgpt4j.testing.DecoderGoldens;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Variants;
import io.github.sgpt4j.tokenizer.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Tables and readers agree: exactly the keys marked as used are read.
class KeysAskedForTest {
    /// Keys read by other code than the reader of the decoder's configuration.
    private static final Set<String> READ_ELSEWHERE = Set.of(
            "_name_or_path",
            "architectures",
            "auto_map",
            "tokenizer_class",
            // Classifiers and re-rankers
            "_num_labels",
            "num_labels",
            "id2label",
            "pad_token_id",
            "sbert_ce_default_activation_function",
            "sentence_transformers",
            "temperature",
            // Published kinds of models
            "pooling",
            "add_eos",
            "is_mask_instruction",
            "padding_side",
            "latent_attention_config.output_normalize");

    /// Keys of other files that only re-rankers, or the choice of a tokenizer, need.
    private static final Set<String> READ_FOR_PAIRS = Set.of("tokenizer_class", "chat_template", "activation_fn");

    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path parent;

    /// A JSON object that records which of its members are read.
    @SuppressWarnings("unchecked") // its deepCopy() has a narrower result than that of its class
    private static final class Noting extends ObjectNode {
        private static final long serialVersionUID = 1L;

        private final String prefix;
        private final TreeSet<String> asked;

        Noting(ObjectNode original, String prefix, TreeSet<String> asked) {
            super(JsonNodeFactory.instance);
            this.prefix = prefix;
            this.asked = asked;
            original.properties()
                    .forEach(member -> set(
                            member.getKey(),
                            member.getValue() instanceof ObjectNode object
                                    ? new Noting(object, prefix + member.getKey() + ".", asked)
                                    : member.getValue()));
        }

        @Override
        public JsonNode get(String key) {
            asked.add(prefix + key);
            return super.get(key);
        }
    }

    /// Configurations of a family that cover all branches of its readers.
    private static List<ObjectNode> configurations(String family) throws Exception {
        List<ObjectNode> configurations = new ArrayList<>();
        for (Path directory : Stream.concat(
                        Goldens.models().stream().map(Goldens::model),
                        Stream.concat(
                                Stream.concat(Variants.decoders().stream(), Variants.embeddings().stream())
                                        .map(Variants::model),
                                DecoderGoldens.models().stream().map(DecoderGoldens::model)))
                .toList()) {
            Path file = directory.resolve("config.json");
            JsonNode config = Files.exists(file) ? Goldens.json(file) : JSON.createObjectNode();
            if (config.path("model_type").asText().equals(family)) {
                configurations.add((ObjectNode) config);
            }
        }
        ObjectNode first = configurations.getFirst();
        for (String key : (Iterable<String>) first::fieldNames) {
            configurations.add(first.deepCopy().without(List.of(key)));
        }
        for (String type : List.of("default", "linear", "dynamic", "llama3", "yarn", "longrope")) {
            configurations.add(first.deepCopy().set("rope_scaling", JSON.readTree("""
                    {"rope_type": "%s", "factor": 2.0, "mscale": 1.0, "mscale_all_dim": 1.0,
                     "short_factor": [1, 1, 1, 1, 1, 1, 1, 1]}""".formatted(type))));
            configurations.add(
                    configurations.getLast().deepCopy().without(List.of("original_max_position_embeddings")));
            ObjectNode parameters = first.deepCopy();
            parameters.remove("original_max_position_embeddings");
            parameters.remove("rope_scaling");
            configurations.add(parameters.set("rope_parameters", JSON.readTree("""
                    {"rope_type": "%s", "factor": 2.0, "mscale": 1.0, "mscale_all_dim": 1.0,
                     "short_factor": [1, 1, 1, 1, 1, 1, 1, 1]}""".formatted(type))));
        }
        for (String type : List.of("linear", "llama3", "yarn")) {
            String rotation = """
                    {"rope_type": "%s", "factor": 2.0, "mscale": 1.0, "mscale_all_dim": 1.0}""".formatted(type);
            configurations.add(
                    first.deepCopy().set("rope_parameters", JSON.readTree("""
                    {"full_attention": %s, "sliding_attention": %s}""".formatted(rotation, rotation))));
        }
        for (String windows : List.of("use_sliding_window", "sliding_window")) {
            configurations.add(first.deepCopy().put(windows, true));
        }
        return configurations;
    }

    @ParameterizedTest
    @FieldSource("io.github.sgpt4j.checkpoint.Tables#FAMILIES")
    void usedKeysOfAFamilyAreThoseThatItsReaderAsksFor(String family) throws Exception {
        TreeSet<String> asked = new TreeSet<>();
        for (ObjectNode configuration : configurations(family)) {
            try {
                Decoder.readConfig(JsonFile.of(Path.of("config.json"), new Noting(configuration, "", asked)));
            } catch (SgptException e) {
                // Keys read before a failure count as well.
            }
        }
        Set<String> used = Tables.keys("config", family, rule -> rule instanceof KeyRule.Used);
        used.removeAll(READ_ELSEWHERE);
        asked.removeAll(READ_ELSEWHERE);
        Set<String> both = new TreeSet<>(used);
        both.retainAll(asked);
        used.removeAll(both);
        asked.removeAll(both);
        assertEquals(used, asked, "used, but not read; read, but not used");
    }

    /// Rows whose keys the readers of the file use, without those of kinds that are read elsewhere.
    private static Stream<Row> used() {
        return rows(KeyRule.Used.class).filter(row -> !READ_FOR_PAIRS.contains(row.key()));
    }

    private static Stream<Row> harmless() {
        return rows(KeyRule.Harmless.class);
    }

    private static Stream<Row> rows(Class<? extends KeyRule> rule) {
        return Tables.OTHERS.stream()
                .filter(table -> !table.equals("adapter_config"))
                .flatMap(table -> Tables.rows(table, ""))
                .filter(row -> rule.isInstance(row.rule()) && !row.key().contains("."));
    }

    /// Values that no key has.
    private static final List<String> ODD = List.of("{\"?\": 1}", "[[1]]", "7", "-1", "true", """
            {"AutoTokenizer": ["a.B", null]}""");

    @ParameterizedTest
    @MethodSource("used")
    void usedKeysAreAskedFor(Row row) throws Exception {
        for (String odd : ODD) {
            CheckpointFolder checkpoint = checkpoint(row, odd);
            try {
                String before = read(checkpoint(row, null));
                if (!read(checkpoint).equals(before)) {
                    return;
                }
            } catch (SgptException e) {
                assertTrue(e.getMessage().contains(row.key()), e.getMessage());
                return;
            }
        }
        fail("nothing asks for " + row);
    }

    @ParameterizedTest
    @MethodSource("harmless")
    void harmlessKeysAreNotAskedFor(Row row) throws Exception {
        String before = read(checkpoint(row, null));
        for (String odd : ODD) {
            CheckpointFolder checkpoint = checkpoint(row, odd);
            assertEquals(before, assertDoesNotThrow(() -> read(checkpoint)));
        }
    }

    /// A checkpoint with an odd value for the key of a row, or without it.
    private CheckpointFolder checkpoint(Row row, @Nullable String value) throws Exception {
        boolean slow = row.table().equals("tokenizer_config") || row.table().equals("special_tokens_map");
        CheckpointFolder checkpoint = CheckpointFolder.copy(slow ? "gpt2-be" : "qwen3-be", parent);
        checkpoint.write("2_Dense/config.json", """
                {"in_features": 64, "out_features": 64}""");
        checkpoint.write("2_Normalize/config.json", "{}").write("2_Dropout/config.json", "{}");
        checkpoint.write("2_WeightedMeanPooling/config.json", "{}");
        String folder = row.table().startsWith("modules/") ? row.table().substring("modules/".length()) : "";
        String name = switch (folder) {
            case "" -> row.table() + ".json";
            case "Pooling" -> "1_Pooling/config.json";
            default -> "2_" + folder + "/config.json";
        };
        Path file = checkpoint.file(name);
        JsonNode content = Files.exists(file) ? Goldens.json(file) : JSON.createObjectNode();
        ObjectNode object = content.isArray() ? (ObjectNode) content.get(0) : (ObjectNode) content;
        object.remove(row.key());
        if (row.key().equals("max_len")) {
            object.remove("model_max_length");
        }
        if (row.key().startsWith("pooling_mode_")) {
            object.remove("pooling_mode");
        }
        if (value != null) {
            object.set(row.key(), JSON.readTree(value));
        } else if (row.table().equals("modules")) {
            return checkpoint;
        }
        checkpoint.write(name, content.toString());
        return checkpoint.write("tokenizer_config.json", tokenizerConfig(checkpoint, row));
    }

    /// Named tokens are read from special_tokens_map.json only if the newer format does not state them.
    private static String tokenizerConfig(CheckpointFolder checkpoint, Row row) {
        Path file = checkpoint.file("tokenizer_config.json");
        ObjectNode config = (ObjectNode) (Files.exists(file) ? Goldens.json(file) : JSON.createObjectNode());
        return row.table().equals("special_tokens_map") ? "{}" : config.toString();
    }

    /// Everything read from a checkpoint except its weights.
    private static String read(CheckpointFolder checkpoint) {
        SentenceModules modules = SentenceModules.read(checkpoint.directory());
        Tokenizer tokenizer = Tokenizer.load(modules.transformer());
        return "%s %s %s %s %s %s"
                .formatted(
                        modules.toString().replace(checkpoint.directory().toString(), ""),
                        DenseConfig.read(checkpoint.file("2_Dense"), 64, new JsonFiles()),
                        PositionWeights.read(checkpoint.file("2_WeightedMeanPooling"), new JsonFiles())
                                .positions(),
                        tokenizer.describe(),
                        tokenizer.modelMaxLength(),
                        tokenizer.notices());
    }
}
