package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.testing.CheckpointFolder;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Refusal;
import io.github.sgpt4j.weights.Weights;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Values of config.json that are missing, of the wrong type, out of range, unknown, or at odds with the tensors.
class BrokenConfigTest {
    private static final String CONFIG = "config.json";

    /// More memory than opening a small checkpoint takes, and less than a huge size in a configuration
    /// would allocate.
    private static final long MAX_BYTES = 96L << 20;

    /// A golden of each family, and the integers that its config.json must state.
    private static final Map<String, List<String>> REQUIRED = new TreeMap<>(Map.of(
            "gpt2-be", List.of("n_embd", "n_layer", "n_head", "n_positions", "vocab_size"),
            "gptneo-be", List.of("hidden_size", "num_layers", "num_heads", "max_position_embeddings", "vocab_size"),
            "gptj-be", List.of("n_embd", "n_layer", "n_head", "n_positions", "vocab_size"),
            "bloom-be", List.of("hidden_size", "n_layer", "n_head", "vocab_size"),
            "gptneox-be", rotaryKeys("intermediate_size"),
            "opt-ce", rotaryKeys("ffn_dim"),
            "llama-be", rotaryKeys("intermediate_size"),
            "mistral-be", rotaryKeys("intermediate_size"),
            "qwen2-be", rotaryKeys("intermediate_size"),
            "qwen3-be", rotaryKeys("intermediate_size")));

    /// Integers that may be missing or null, but nothing else.
    private static final Map<String, List<String>> OPTIONAL = new TreeMap<>(Map.of(
            "gpt2-be", List.of("n_inner"),
            "gptneo-be", List.of("intermediate_size", "window_size"),
            "gptj-be", List.of("n_inner", "rotary_dim"),
            "bloom-be", List.of("seq_length"),
            "opt-ce", List.of("word_embed_proj_dim"),
            "llama-be", List.of("num_key_value_heads", "head_dim"),
            "mistral-be", List.of("num_key_value_heads", "head_dim", "sliding_window"),
            "qwen2-be", List.of("num_key_value_heads"),
            "qwen3-be", List.of("num_key_value_heads", "head_dim")));

    /// Keys whose null means something else than their absence.
    private static final Set<String> NULL_IS_A_VALUE = Set.of("sliding_window", "num_key_value_heads", "rotary_dim");

    private static final List<String> NO_POSITIVE_INTEGERS = List.of(
            "\"12\"",
            "\"a\\nb\\u2028\\ud800\"",
            "12.5",
            "64.0",
            "-1",
            "0",
            "2147483648",
            "99999999999999999999",
            "1e300",
            "true",
            "[64]",
            "{\"a\": 64}");

    @TempDir
    Path folder;

    private static List<String> rotaryKeys(String feedForward) {
        return List.of(
                "hidden_size",
                "num_hidden_layers",
                "num_attention_heads",
                "max_position_embeddings",
                "vocab_size",
                feedForward);
    }

    static List<String> families() {
        return List.copyOf(REQUIRED.keySet());
    }

    static Stream<String> optionalFamilies() {
        return OPTIONAL.keySet().stream();
    }

    private static void refused(CheckpointFolder model, String... parts) {
        Refusal.check(FormatException.class, () -> Model.open(model.directory()).close(), parts);
    }

    private static void unsupported(CheckpointFolder model, String... parts) {
        Refusal.check(
                UnsupportedModelException.class,
                () -> Model.open(model.directory()).close(),
                parts);
    }

    private CheckpointFolder copy(String golden) {
        return CheckpointFolder.copy(golden, folder);
    }

    @ParameterizedTest
    @MethodSource("families")
    void aRequiredKeyThatIsMissing(String golden) {
        CheckpointFolder model = copy(golden);
        for (String key : REQUIRED.get(golden)) {
            refused(model.remove(CONFIG, key), CONFIG, "expected key", "found none");
            refused(model.set(CONFIG, key, "null"), CONFIG, "expected key", "found none");
        }
        refused(model.remove(CONFIG, "model_type"), CONFIG, "\"model_type\"", "found none");
    }

    @ParameterizedTest
    @MethodSource("families")
    void anIntegerThatIsNone(String golden) {
        CheckpointFolder model = copy(golden);
        List<String> keys = new ArrayList<>(REQUIRED.get(golden));
        keys.addAll(OPTIONAL.getOrDefault(golden, List.of()));
        for (String key : keys) {
            for (String value : NO_POSITIVE_INTEGERS) {
                refused(model.set(CONFIG, key, value), CONFIG, "key \"" + key + "\"", "expected an integer", "got ");
            }
            refused(model.set(CONFIG, key, "NaN"), CONFIG, "not valid JSON");
        }
    }

    @ParameterizedTest
    @MethodSource("optionalFamilies")
    void anOptionalKeyThatIsNullCountsAsAbsent(String golden) {
        CheckpointFolder model = copy(golden);
        for (String key : OPTIONAL.get(golden)) {
            assertSameOutcome(model.set(CONFIG, key, "null").directory(), model, key);
        }
    }

    private static void assertSameOutcome(Path withNull, CheckpointFolder model, String key) {
        String first = outcome(withNull);
        if (!NULL_IS_A_VALUE.contains(key)) {
            assertTrue(first.equals(outcome(model.remove(CONFIG, key).directory())), key + ": " + first);
        }
    }

    private static String outcome(Path directory) {
        try (Model model = Model.open(directory)) {
            return model.info().toString();
        } catch (SgptException e) {
            return Refusal.message(e);
        }
    }

    /// Sizes far beyond the file's tensors are refused before memory of that size is allocated.
    @ParameterizedTest
    @MethodSource("families")
    void anyHugeSizeIsRefusedCheaply(String golden) {
        CheckpointFolder model = copy(golden);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        List<String> keys = new ArrayList<>(REQUIRED.get(golden));
        keys.addAll(OPTIONAL.getOrDefault(golden, List.of()));
        keys.removeIf(k -> k.contains("position") || k.contains("window") || k.equals("seq_length"));
        for (String key : keys) {
            for (int value : new int[] {10_000, 65_536, 1 << 20, 1 << 24, 1 << 30, Integer.MAX_VALUE}) {
                model.set(CONFIG, key, Integer.toString(value));
                long before = threads.getCurrentThreadAllocatedBytes();
                refused(model, "expected", "got ");
                long used = threads.getCurrentThreadAllocatedBytes() - before;
                assertTrue(used < MAX_BYTES, () -> "%s = %d: %d bytes".formatted(key, value, used));
            }
        }
    }

    /// Huge sizes that are consistent with each other, so that only the tensors contradict them.
    @ParameterizedTest
    @CsvSource({"16777216,1", "16777216,16777216", "16777216,65536", "8388608,8388608"})
    void consistentHugeSizesAreRefusedCheaply(int hidden, int heads) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (String golden :
                List.of("gpt2-be", "gptneo-be", "gptj-be", "bloom-be", "gptneox-be", "opt-ce", "qwen2-be")) {
            CheckpointFolder model = copy(golden);
            String text = new String(model.bytes(CONFIG), java.nio.charset.StandardCharsets.UTF_8);
            model.write(
                    CONFIG,
                    text.replaceAll("\"(hidden_size|n_embd)\": *\\d+", "\"$1\":" + hidden)
                            .replaceAll(
                                    "\"(num_heads|n_head|num_attention_heads|num_key_value_heads)\": *\\d+",
                                    "\"$1\":" + heads)
                            .replaceAll("\"rotary_dim\": *\\d+", "\"rotary_dim\":" + Math.max(2, hidden / heads)));
            long before = threads.getCurrentThreadAllocatedBytes();
            refused(model, "expected", "got ");
            long used = threads.getCurrentThreadAllocatedBytes() - before;
            assertTrue(used < MAX_BYTES, () -> "%s: %d bytes".formatted(golden, used));
        }
    }

    @Test
    void hiddenSizeThatHeadsDoNotDivide() {
        refused(copy("gptneo-be").set(CONFIG, "num_heads", "5"), CONFIG, "multiple of 5 heads", "got 64");
        refused(copy("gpt2-be").set(CONFIG, "n_head", "73"), CONFIG, "multiple of 73 heads", "got 72");
    }

    @Test
    void headsThatKeyHeadsDoNotDivide() {
        refused(copy("llama-be").set(CONFIG, "num_key_value_heads", "3"), CONFIG, "key heads", "4", "3");
        refused(copy("llama-be").set(CONFIG, "num_key_value_heads", "8"), CONFIG, "key heads", "4", "8");
    }

    @Test
    void aModelTypeThatIsNotKnown() {
        unsupported(copy("gptneo-be").set(CONFIG, "model_type", "\"bert\""), CONFIG, "\"bert\"", "gpt_neo", "qwen3");
        unsupported(copy("gptneo-be").set(CONFIG, "model_type", "\"a\\nb\""), CONFIG, "model type");
        refused(copy("gptneo-be").set(CONFIG, "model_type", "7"), CONFIG, "\"model_type\"", "a string", "got 7");
    }

    @ParameterizedTest
    @CsvSource({
        "gpt2-be,activation_function",
        "gptneo-be,activation_function",
        "gptj-be,activation_function",
        "gptneox-be,hidden_act",
        "opt-ce,activation_function",
        "llama-be,hidden_act",
        "qwen3-be,hidden_act"
    })
    void anActivationThatIsNotKnown(String golden, String key) {
        unsupported(copy(golden).set(CONFIG, key, "\"relu6\""), CONFIG, key, "\"relu6\"");
        unsupported(copy(golden).set(CONFIG, key, "\"a\\r\\nb\""), CONFIG, key);
        refused(copy(golden).set(CONFIG, key, "1"), CONFIG, key, "a string", "got 1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[[[\"global\", \"local\"], 2147483647]]",
                "[[[\"global\", \"local\"], 2147483648]]",
                "[[[], 2147483647]]",
                "[[[], 4]]",
                "[]",
                "[[[\"global\", \"local\"], -2]]",
                "[[[\"global\", \"local\"], 2.5]]",
                "[[[\"global\", \"local\"], \"2\"]]",
                "[[[\"global\", \"locale\"], 2]]",
                "[[[\"a\\nb\"], 4]]",
                "[[[1], 4]]",
                "[[[null], 4]]",
                "[[[[\"global\"]], 4]]",
                "[[\"global\", 4]]",
                "[[[\"global\"]]]",
                "[[[\"global\"], 4, 5]]",
                "[[\"global\", \"local\"], 2]",
                "[\"global\", 4]",
                "{\"a\": [[\"global\"], 4]}",
                "\"global\"",
                "4"
            })
    void attentionTypesThatAreMalformed(String value) {
        refused(copy("gptneo-be").set(CONFIG, "attention_types", value), CONFIG, "attention_types", "expected", "got ");
    }

    @Test
    void attentionTypesForMoreLayersThanAnyModelHas() {
        CheckpointFolder model = copy("gptneo-be");
        String text = new String(model.bytes(CONFIG), java.nio.charset.StandardCharsets.UTF_8);
        model.write(
                CONFIG,
                text.replaceAll("(\"num_layers\": *)\\d+", "$12147483646")
                        .replaceAll("\\],\\s*2\\s*\\]", "],1073741823]"));
        refused(model, CONFIG, "layers", "got 2147483646");
    }

    @Test
    void layerTypesThatDoNotFit() {
        CheckpointFolder model = copy("qwen3-be");
        refused(model.set(CONFIG, "layer_types", "[\"full_attention\"]"), CONFIG, "layer_types", "2 kinds");
        refused(model.set(CONFIG, "layer_types", "\"full_attention\""), CONFIG, "layer_types", "2 kinds");
        unsupported(
                model.set(CONFIG, "layer_types", "[\"full_attention\", \"linear_attention\"]"),
                CONFIG,
                "layer_types",
                "\"linear_attention\"");
        unsupported(model.set(CONFIG, "layer_types", "[1, null]"), CONFIG, "layer_types");
    }

    @Test
    void ropeParametersThatAreNotKnownOrMalformed() {
        CheckpointFolder model = copy("llama-be");
        unsupported(ropes(model, "{\"rope_type\": \"longrope\"}"), CONFIG, "\"longrope\"", "yarn");
        unsupported(ropes(model, "{\"rope_type\": \"a\\nb\"}"), CONFIG, "rope_type");
        refused(ropes(model, "[]"), CONFIG, "\"rope_parameters\"", "an object");
        refused(ropes(model, "{\"rope_type\": 1}"), CONFIG, "\"rope_parameters.rope_type\"", "a string");
        for (String value : List.of("0", "-1", "\"10000\"", "1e400", "{}")) {
            refused(ropes(model, "{\"rope_theta\": " + value + "}"), CONFIG, "rope_theta", "a positive number", "got ");
        }
        CheckpointFolder partial = copy("gptneox-be");
        for (String value : List.of("2", "1e300", "0.01", "0.2")) {
            refused(ropes(partial, "{\"partial_rotary_factor\": " + value + "}"), CONFIG, "rotary dimensions", "got ");
            unsupported(ropes(model, "{\"partial_rotary_factor\": " + value + "}"), CONFIG, "partial_rotary_factor");
        }
        refused(ropes(model, "{\"rope_type\": \"linear\", \"factor\": 1e-320}"), CONFIG, "rotary");
        refused(ropes(model, "{\"rope_type\": \"yarn\", \"attention_factor\": 1e300}"), CONFIG, "rotary");
        refused(ropes(model, "{\"rope_type\": \"llama3\", \"factor\": 1e-320}"), CONFIG, "rotary");
    }

    private static CheckpointFolder ropes(CheckpointFolder model, String json) {
        return model.set(CONFIG, "rope_parameters", json);
    }

    @Test
    void rotaryDimensionsBeyondTheHead() {
        refused(copy("gptj-be").set(CONFIG, "rotary_dim", "18"), CONFIG, "rotary_dim", "16", "got 18");
        refused(copy("gptj-be").set(CONFIG, "rotary_dim", "7"), CONFIG, "rotary_dim", "even", "got 7");
    }

    @ParameterizedTest
    @ValueSource(strings = {"scale_attn_weights", "tie_word_embeddings", "add_cross_attention"})
    void aSwitchThatIsNeitherTrueNorFalse(String key) {
        for (String value : List.of("1", "\"true\"", "[]")) {
            refused(copy("gpt2-be").set(CONFIG, key, value), CONFIG, key, "true or false", "got ");
        }
    }

    @ParameterizedTest
    @MethodSource("families")
    void everyTensorThatIsMissingOrOfAnotherShape(String golden) {
        CheckpointFolder model = copy(golden);
        Map<String, long[]> shapes = firstLayerAndOutside(golden);
        shapes.forEach((name, shape) -> {
            refused(model.dropTensor(name), "model.safetensors", name, "expected");
            long[] longer = shape.clone();
            longer[0]++;
            refused(model.reshape(name, longer), "model.safetensors", name, "expected shape", "got " + shown(longer));
            long[] flat = {Arrays.stream(shape).reduce(1, (a, b) -> a * b), 1};
            refused(model.reshape(name, flat), "model.safetensors", name, "expected shape", "got " + shown(flat));
        });
        assertTrue(shapes.size() > 8, shapes.keySet().toString());
    }

    /// Tensors of the first layer and outside of layers, without the buffers of old files.
    private static Map<String, long[]> firstLayerAndOutside(String golden) {
        Map<String, long[]> shapes = new TreeMap<>();
        try (Weights weights = Weights.open(Goldens.model(golden))) {
            for (String name : weights.names()) {
                if (!name.matches(".*\\.[1-9]\\..*|.*attn\\.(masked_)?bias")) {
                    shapes.put(name, weights.get(name).shape().toArray());
                }
            }
        }
        return shapes;
    }

    private static String shown(long[] shape) {
        return io.github.sgpt4j.tensor.Shape.of(shape).toString();
    }

    @Test
    void anOutputHeadOfAnotherShape() {
        CheckpointFolder model = copy("gptj-ce");
        long[] wrong = {1499, 64};
        model.reshape("lm_head.weight", wrong);
        assertDoesNotThrow(() -> BiEncoder.open(model.directory()).close());
        Refusal.check(
                FormatException.class,
                () -> CrossEncoder.open(model.directory()),
                "lm_head.weight",
                "got " + shown(wrong));
        model.dropTensor("lm_head.bias");
        Refusal.check(FormatException.class, () -> CrossEncoder.open(model.directory()), "lm_head.bias", "expected");
    }

    @ParameterizedTest
    @ValueSource(strings = {"1e-60", "1e300"})
    void anEpsilonThatIsNoFloat(String epsilon) {
        refused(copy("gptneo-be").set(CONFIG, "layer_norm_epsilon", epsilon), CONFIG, "epsilon");
    }
}
