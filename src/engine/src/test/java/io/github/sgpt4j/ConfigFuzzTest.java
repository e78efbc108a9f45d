package io.github.sgpt4j;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ContainerNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.testing.CheckpointFolder;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Refusal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Randomly damaged configurations either work or are refused with one of the library's exceptions.
/// `-Dsgpt4j.fuzz.seed=N` sets another seed, `-Dsgpt4j.fuzz.iterations=N` makes the test longer.
class ConfigFuzzTest {
    /// Number of damaged variants of each family's checkpoint.
    private static final int ITERATIONS = Integer.getInteger("sgpt4j.fuzz.iterations", 100);

    private static final List<String> FILES = List.of(
            "config.json",
            "config.json",
            "config.json",
            "modules.json",
            "1_Pooling/config.json",
            "sentence_bert_config.json",
            "config_sentence_transformers.json",
            "tokenizer_config.json");

    private static final List<String> VALUES = List.of(
            "0",
            "1",
            "-1",
            "2",
            "3",
            "7",
            "64",
            "65536",
            "16777216",
            "2147483647",
            "2147483648",
            "-2147483648",
            "9223372036854775807",
            "99999999999999999999999999",
            "0.5",
            "-0.0",
            "1e-320",
            "1e300",
            "1e400",
            "NaN",
            "null",
            "true",
            "false",
            "\"\"",
            "\"a\\nb\\u2028\"",
            "\"\\ud800\"",
            "\"..\"",
            "\"/\"",
            "\"default\"",
            "\"yarn\"",
            "\"llama3\"",
            "\"linear\"",
            "\"gpt2\"",
            "\"gelu\"",
            "\"64\"",
            "[]",
            "{}",
            "[[]]",
            "[null]",
            "{\"a\": [1]}",
            "[[[\"global\"], 2147483647]]",
            "[\"full_attention\", \"sliding_attention\"]",
            "\"mean\"",
            "[\"cls\", \"max\"]",
            "{\"rope_type\": \"yarn\", \"factor\": 1e300, \"rope_theta\": 1e-300}",
            "{\"rope_type\": \"llama3\", \"factor\": 1e-300}",
            "{\"content\": \"[\", \"special\": true}",
            "[".repeat(900) + "]".repeat(900),
            "[".repeat(1100) + "]".repeat(1100));

    private static final List<String> KEYS = List.of(
            "rope_scaling",
            "rope_parameters",
            "layer_types",
            "attention_types",
            "sliding_window",
            "use_sliding_window",
            "max_window_layers",
            "head_dim",
            "n_inner",
            "tie_word_embeddings",
            "word_embed_proj_dim",
            "partial_rotary_factor",
            "_name_or_path",
            "scale_attn_by_inverse_layer_idx",
            "do_layer_norm_before",
            "_remove_final_layer_norm",
            "apply_residual_connection_post_layernorm",
            "use_parallel_residual",
            "pooling_mode",
            "include_prompt",
            "prompts",
            "default_prompt_name",
            "max_seq_length",
            "do_lower_case",
            "model_max_length",
            "add_bos_token",
            "add_eos_token",
            "add_prefix_space",
            "truncation_side",
            "added_tokens_decoder",
            "bos_token",
            "eos_token",
            "unk_token",
            "additional_special_tokens",
            "extra_special_tokens",
            "path",
            "type",
            "tokenizer_class",
            "mlp_bias",
            "attention_bias",
            "model_type",
            "layer_norm_epsilon",
            "rms_norm_eps");

    private final long seed = Long.getLong("sgpt4j.fuzz.seed", 20220217L);
    private final Random random = new Random(seed);

    @TempDir
    Path folder;

    @BeforeEach
    void reportSeed(TestReporter reporter) {
        reporter.publishEntry("sgpt4j.fuzz.seed", Long.toString(seed));
    }

    /// A golden of each family, with both tokenizer layouts, with and without module files.
    static List<String> families() {
        return List.of(
                "gpt2-be",
                "gptneo-be",
                "gptj-be",
                "bloom-be",
                "gptneox-be",
                "opt-ce",
                "llama-be",
                "mistral-be",
                "qwen2-be",
                "qwen3-be");
    }

    @ParameterizedTest
    @MethodSource("families")
    void damagedConfigurationsWorkOrAreRefused(String golden) {
        CheckpointFolder model = CheckpointFolder.copy(golden, folder);
        List<String> files =
                FILES.stream().filter(f -> Files.exists(model.file(f))).toList();
        for (int i = 0; i < ITERATIONS; i++) {
            Map<String, String> damage = new TreeMap<>();
            for (int n = random.nextInt(4) == 0 ? 2 : 1; n > 0; n--) {
                String file = files.get(random.nextInt(files.size()));
                byte[] damaged = random.nextInt(3) == 0 ? damagedBytes(golden, file) : damagedJson(golden, file);
                damage.put(file, new String(damaged, StandardCharsets.ISO_8859_1));
                model.write(file, damaged);
            }
            useOrRefuse(model, damage);
            damage.keySet().forEach(file -> model.write(file, original(golden, file)));
        }
    }

    private static byte[] original(String golden, String file) {
        return new CheckpointFolder(golden, Goldens.model(golden)).bytes(file);
    }

    private void useOrRefuse(CheckpointFolder model, Map<String, String> damage) {
        try (Model opened = Model.open(model.directory(), ModelOptions.DEFAULT.withThreads(1))) {
            opened.info();
            try (BiEncoder encoder = BiEncoder.of(opened, BiEncoderOptions.DEFAULT)) {
                encoder.embed(List.of("not far", ""), TextKind.QUERY);
            }
            try (CrossEncoder scorer = CrossEncoder.of(opened, CrossEncoderOptions.DEFAULT.withPrompt("a {} b"))) {
                scorer.score("far", List.of("not", "far"));
            }
        } catch (SgptException expected) {
            Refusal.message(expected);
        } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
            throw new AssertionError("seed %d, %s: %s".formatted(seed, model.golden(), damage), e);
        }
    }

    private byte[] damagedBytes(String golden, String file) {
        byte[] bytes = original(golden, file);
        for (int n = random.nextInt(3); n >= 0 && bytes.length > 0; n--) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(5)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = (byte) "{}[]\":,\\ 019-.e".charAt(random.nextInt(15));
                case 2 -> bytes = Arrays.copyOf(bytes, at);
                case 3 -> bytes[at] = (byte) random.nextInt();
                default -> {
                    byte[] more = Arrays.copyOf(bytes, bytes.length + random.nextInt(20));
                    System.arraycopy(bytes, 0, more, more.length - bytes.length, bytes.length);
                    bytes = more;
                }
            }
        }
        return bytes;
    }

    /// Values replaced, removed or added anywhere in the tree, or a key written twice.
    private byte[] damagedJson(String golden, String file) {
        JsonNode tree = Goldens.json(Goldens.model(golden).resolve(file)).deepCopy();
        for (int n = random.nextInt(3); n >= 0; n--) {
            List<ContainerNode<?>> places = new ArrayList<>();
            collect(tree, places);
            if (!places.isEmpty()) {
                damage(places.get(random.nextInt(places.size())));
            }
        }
        String text = tree.toString();
        if (random.nextInt(10) == 0 && text.startsWith("{\"")) {
            text = text.substring(0, text.length() - 1) + "," + text.substring(1);
        }
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static void collect(JsonNode node, List<ContainerNode<?>> places) {
        if (node instanceof ContainerNode<?> container) {
            places.add(container);
        }
        node.forEach(child -> collect(child, places));
    }

    private void damage(ContainerNode<?> place) {
        JsonNode value = JsonNodeFactory.instance.rawValueNode(new RawValue(VALUES.get(random.nextInt(VALUES.size()))));
        switch (place) {
            case ObjectNode object -> {
                List<String> keys = new ArrayList<>(
                        object.properties().stream().map(Map.Entry::getKey).toList());
                boolean known = !keys.isEmpty() && random.nextInt(3) > 0;
                String key = known ? keys.get(random.nextInt(keys.size())) : KEYS.get(random.nextInt(KEYS.size()));
                if (random.nextInt(5) == 0) {
                    object.remove(key);
                } else {
                    object.set(key, value);
                }
            }
            case ArrayNode array -> {
                int at = random.nextInt(array.size() + 1);
                if (at == array.size()) {
                    array.add(value);
                } else if (random.nextBoolean()) {
                    array.set(at, value);
                } else {
                    array.remove(at);
                }
            }
            default -> throw new IllegalStateException("neither object nor array: " + place.getNodeType());
        }
    }
}
