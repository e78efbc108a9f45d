package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.backend.Backend;
import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.checkpoint.CheckpointFiles;
import io.github.sgpt4j.checkpoint.SentenceModules;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.model.AdaptedModel;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.testing.CheckpointFolder;
import io.github.sgpt4j.testing.Closeness;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Refusal;
import io.github.sgpt4j.testing.Variants;
import io.github.sgpt4j.weights.SafetensorsWriter;
import io.github.sgpt4j.weights.Weights;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// LoRA adapters against peft in 64-bit arithmetic, which does not merge them.
class AdapterTest {
    private static final Path ADAPTERS = Goldens.root().resolveSibling("adapters");
    private static final String CONFIG = "adapter_config.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    static List<Path> adapters() throws IOException {
        try (Stream<Path> folders = Files.list(ADAPTERS)) {
            return folders.filter(Files::isDirectory).sorted().toList();
        }
    }

    private static Path base(Path adapter) {
        return Variants.model(
                Goldens.json(adapter.resolve("expected.json")).get("base").textValue());
    }

    private static void check(AdaptedModel files, JsonNode expected) {
        try (Weights weights = files.openWeights();
                Backend backend = Devices.open(ModelOptions.DEFAULT)) {
            Decoder decoder = Decoder.load(files.configuration(), weights, backend);
            for (int s = 0; s < expected.get("ids").size(); s++) {
                int[] ids = Closeness.ints(expected.get("ids").get(s));
                float[][] states = decoder.hiddenStates(PackedBatch.of(List.of(ids)));
                for (int i = 0; i < ids.length; i++) {
                    Closeness.FP32.check(
                            "state " + i, expected.get("hidden_states").get(s).get(i), states[i]);
                }
                if (!expected.get("log_probs").isEmpty()) {
                    float[] scored = decoder.logProbabilities(
                            PackedBatch.of(List.of(Arrays.copyOf(ids, ids.length - 1))),
                            Optional.empty(),
                            IntStream.range(0, ids.length - 1).toArray(),
                            Arrays.copyOfRange(ids, 1, ids.length));
                    Closeness.FP32.check("scores", expected.get("log_probs").get(s), scored);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("adapters")
    void aMergedAdapterAgrees(Path adapter) {
        check(AdaptedModel.of(adapter, Optional.of(base(adapter))), Goldens.json(adapter.resolve("expected.json")));
    }

    @ParameterizedTest
    @MethodSource("adapters")
    void theBaseModelMayBeInTheSameFolder(Path adapter) throws IOException {
        copy(base(adapter), folder);
        copy(adapter, folder);
        check(AdaptedModel.of(folder, Optional.empty()), Goldens.json(adapter.resolve("expected.json")));
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Path target = to.resolve(file.getFileName());
                Files.deleteIfExists(target);
                Files.copy(file, target);
            }
        }
    }

    /// A copy of an adapter with a key of its configuration set.
    private void set(String name, String key, String json) {
        try {
            copy(ADAPTERS.resolve(name), folder);
            ObjectNode config = (ObjectNode) Goldens.json(folder.resolve(CONFIG));
            config.set(key, JSON.readTree(json));
            Files.writeString(folder.resolve(CONFIG), config.toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void open(String base) {
        AdaptedModel.of(folder, Optional.of(Variants.model(base))).openWeights().close();
    }

    /// A tensor that nobody can read is not left out: the numbers would be those of another model.
    @Test
    void aTensorOfAnUnknownTypeIsRefused() throws IOException {
        set("llama-rslora-patterns", "peft_type", "\"LORA\"");
        Path file = folder.resolve("adapter_model.safetensors");
        byte[] bytes = Files.readAllBytes(file);
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        int at = text.indexOf("\"F32\"");
        assertTrue(at > 0, text.substring(0, 200));
        bytes[at + 1] = 'Q';
        Files.write(file, bytes);
        refused(UnsupportedModelException.class, file.toString(), "expected F32, F16 or BF16", "unknown type", "Q32");
    }

    private void refused(Class<? extends SgptException> type, String... parts) {
        Refusal.check(type, () -> open("llama-mqa"), parts);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "peft_type; \"IA3\"",
                "peft_type; null",
                "use_dora; true",
                "lora_bias; true",
                "trainable_token_indices; [1, 2]",
                "target_parameters; [\"mlp.experts.down_proj\"]",
                "layer_replication; [[0, 1], [0, 2]]",
                "use_qalora; true",
                "alora_invocation_tokens; [5]",
                "ensure_weight_tying; true",
                "init_lora_weights; \"pissa\"",
                "init_lora_weights; \"loftq\"",
                "auto_mapping; {\"base_model_class\": \"MistralBiModel\", \"parent_library\": \"modeling_bidir\"}"
            })
    void whatIsNotImplementedIsRefused(String key, String json) {
        set("llama-rslora-patterns", key, json);
        refused(UnsupportedModelException.class, CONFIG, "\"" + key + "\"");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "target_modules; \"(\"",
                "target_modules; 1",
                "rank_pattern; []",
                "rank_pattern; {\"q_proj\": 1.5}",
                "rank_pattern; {\"q_proj\": 0}",
                "alpha_pattern; {\"q_proj\": \"2\"}",
                "layers_to_transform; [\"0\"]",
                "lora_alpha; \"16\"",
                "r; 0"
            })
    void whatIsBrokenIsRefused(String key, String json) {
        set("llama-rslora-patterns", key, json);
        refused(FormatException.class, CONFIG, key);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "target_modules; [\"q_proj\"]",
                "target_modules; \"q_proj\"",
                "exclude_modules; [\"v_proj\"]",
                "layers_to_transform; [1]",
                "r; 5",
                "rank_pattern; {}"
            })
    void tensorsMustBeThoseThatTheConfigurationNames(String key, String json) {
        set("llama-rslora-patterns", key, json);
        refused(FormatException.class, "adapter_model.safetensors", "tensor", "expected");
    }

    @Test
    void aPatternWithoutEndIsGivenUp() {
        set("llama-rslora-patterns", "target_modules", "\"((.*)*)*x\"");
        refused(UnsupportedModelException.class, CONFIG, "target_modules", "too long");
    }

    @Test
    void anotherBaseModelIsRefused() {
        set("llama-rslora-patterns", "revision", "null");
        Refusal.check(FormatException.class, () -> open("llama-biases"), "tensor", "expected shape");
        Refusal.check(FormatException.class, () -> open("gpt2-unscaled"), "adapter_model.safetensors", "base model");
    }

    @Test
    void anAdapterAloneNeedsItsBaseModel() {
        set("llama-rslora-patterns", "base_model_name_or_path", "\"/etc\"");
        Refusal.check(FormatException.class, () -> Model.open(folder), CONFIG, "base_model_name_or_path", "/etc");
        assertEquals(Optional.of("/etc"), Model.neededBaseModel(folder));
        assertEquals(Optional.empty(), Model.neededBaseModel(Goldens.model("gpt2-ce")));
    }

    @Test
    void aBaseModelWithoutAdapterIsRefused() {
        Path plain = Goldens.model("gpt2-ce");
        Refusal.check(
                FormatException.class,
                () -> Model.open(plain, ModelOptions.DEFAULT.withBaseModel(plain)),
                "gpt2-ce",
                CONFIG);
    }

    @Test
    void pickledAdaptersAreConvertedFirst() throws IOException {
        set("llama-rslora-patterns", "revision", "null");
        Files.move(folder.resolve("adapter_model.safetensors"), folder.resolve("adapter_model.bin"));
        refused(FormatException.class, "adapter_model.bin", "Converter.convert");
    }

    @ParameterizedTest
    @ValueSource(strings = {"lora_A", "lora_B"})
    void halfAProductIsRefused(String half) throws IOException {
        set("llama-rslora-patterns", "revision", "null");
        SafetensorsWriter writer = new SafetensorsWriter();
        try (Weights all = Weights.openFile(ADAPTERS.resolve("llama-rslora-patterns/adapter_model.safetensors"))) {
            all.names().stream()
                    .filter(name -> !name.contains("0.mlp.up_proj." + half))
                    .forEach(name -> writer.add(all.get(name)));
            Files.delete(folder.resolve("adapter_model.safetensors"));
            writer.write(folder.resolve("adapter_model.safetensors"));
        }
        refused(FormatException.class, "adapter_model.safetensors", half);
    }

    @Test
    void unknownKeysAreTold() {
        set("llama-rslora-patterns", "quantum_rank", "3");
        List<String> notices = CheckpointFiles.check(
                folder, SentenceModules.read(folder), Variants.model("llama-mqa"), "llama", new JsonFiles());
        assertEquals(1, notices.size());
        assertTrue(notices.getFirst().contains(CONFIG) && notices.getFirst().contains("quantum_rank"));
    }

    @Test
    void aModelWithAnAdapterEmbedsAsItsMergedTwin() throws IOException {
        CheckpointFolder model = CheckpointFolder.copy("qwen3-ce", folder);
        Path adapter = Files.createDirectory(folder.resolve("adapter"));
        float[] a = new float[160];
        Arrays.fill(a, 0.01f);
        float[] b = new float[64];
        Arrays.fill(b, 0.5f);
        new SafetensorsWriter()
                .add("base_model.model.model.layers.0.mlp.down_proj.lora_A.weight", Shape.of(1, a.length), a)
                .add("base_model.model.model.layers.0.mlp.down_proj.lora_B.weight", Shape.of(b.length, 1), b)
                .write(adapter.resolve("adapter_model.safetensors"));
        Files.writeString(
                adapter.resolve(CONFIG),
                "{\"peft_type\": \"LORA\", \"r\": 1, \"lora_alpha\": 3, \"target_modules\": [\"down_proj\"], \"base_model_name_or_path\": \"x\"}");
        try (Model adapted = Model.open(adapter, ModelOptions.DEFAULT.withBaseModel(model.directory()));
                BiEncoder encoder = BiEncoder.of(adapted, BiEncoderOptions.DEFAULT);
                BiEncoder plain = BiEncoder.open(model.directory())) {
            assertEquals(List.of(), adapted.notices());
            assertTrue(!Arrays.equals(plain.embed("a planet"), encoder.embed("a planet")));
            assertTrue(!plain.model().fingerprint().equals(adapted.fingerprint()));
            assertEquals(plain.model().tensors().size(), adapted.tensors().size());
        }
    }
}
