package io.github.sgpt4j.model.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Variants;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Options of config.json that are accepted or refused.
class FamilyOptionsTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path directory;

    /// The configuration of a variant with `key` set to a JSON value.
    private DecoderConfig read(String variant, String key, String json) throws IOException {
        ObjectNode config = (ObjectNode) Goldens.json(Variants.model(variant).resolve("config.json"));
        config.set(key, JSON.readTree(json));
        return write(config);
    }

    private DecoderConfig without(String variant, String... keys) throws IOException {
        ObjectNode config = (ObjectNode) Goldens.json(Variants.model(variant).resolve("config.json"));
        config.remove(List.of(keys));
        return write(config);
    }

    private DecoderConfig write(ObjectNode config) throws IOException {
        Files.writeString(directory.resolve("config.json"), config.toString());
        return Decoder.readConfig(directory);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "gpt2-unscaled; add_cross_attention; true",
                "gpt2-unscaled; activation_function; \"laplace\"",
                "llama-linear; quantization_config; {\"quant_method\": \"gptq\", \"bits\": 4}",
                "llama-linear; hidden_act; \"relu2\"",
                "gptj-n-inner; rotary_dim; null",
                "qwen3-layer-types; layer_types; [\"full_attention\", \"chunked_attention\", \"full_attention\"]",
                "qwen3-biases; rope_parameters; {\"full_attention\": {\"rope_theta\": 10.0}}",
            })
    void unsupportedOptionsAreRefusedByName(String variant, String key, String json) {
        UnsupportedModelException e =
                assertThrows(UnsupportedModelException.class, () -> read(variant, key, json), "accepted " + key);
        assertTrue(e.getMessage().contains("\"" + key + "\""), e.getMessage());
        assertTrue(e.getMessage().contains("config.json"), e.getMessage());
    }

    @ParameterizedTest
    @CsvSource({"longrope", "proportional", "su"})
    void unknownRotaryScalingsAreRefused(String type) {
        UnsupportedModelException e = assertThrows(
                UnsupportedModelException.class,
                () -> read("llama-linear", "rope_scaling", "{\"type\": \"%s\", \"factor\": 2.0}".formatted(type)));
        assertTrue(e.getMessage().contains("rope_type") && e.getMessage().contains(type), e.getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "llama-linear; rope_scaling; {\"type\": \"linear\"}",
                "llama-linear; rope_scaling; {\"rope_type\": \"llama3\"}",
                "llama-linear; rope_scaling; {\"type\": \"linear\", \"factor\": 0}",
                "llama-linear; num_key_value_heads; 3",
                "llama-linear; num_key_value_heads; 4",
                "gpt2-unscaled; n_head; 3",
                "gpt2-unscaled; n_positions; 0",
                "gpt2-unscaled; scale_attn_weights; 1",
                "gptj-n-inner; rotary_dim; 3",
                "gptj-n-inner; rotary_dim; 10",
                "neox-relu; rotary_pct; 0.375",
                "neox-relu; rotary_pct; 1.25",
                "gptneo-untied; attention_types; [[[\"global\"], 1]]",
                "gptneo-untied; attention_types; [[[\"global\"], 3]]",
                "gptneo-untied; attention_types; [[[\"sparse\"], 2]]",
                "gptneo-untied; attention_types; [[[], 2]]",
                "gptneo-untied; attention_types; [[\"global\", 2]]",
                "gptneo-untied; attention_types; 7",
                "qwen3-layer-types; layer_types; [\"full_attention\"]",
                "qwen2-sliding; sliding_window; 0",
                "mistral-window; sliding_window; \"all\"",
            })
    void wrongValuesAreFormatErrors(String variant, String key, String json) {
        SgptException e = assertThrows(SgptException.class, () -> read(variant, key, json));
        assertInstanceOf(FormatException.class, e);
    }

    @Test
    void missingKeysHaveTheDefaultsOfTransformers() throws IOException {
        assertEquals(4096, window(without("mistral-window", "sliding_window"), 0));
        assertEquals(0, window(read("mistral-window", "sliding_window", "null"), 0));
        assertEquals(4, read("mistral-window", "num_key_value_heads", "null").kvHeads());
        assertEquals(10, read("llama-head-dim", "num_key_value_heads", "1").headDim());
        assertEquals(8, read("llama-linear", "head_dim", "null").headDim());
        assertEquals(6, without("llama-mqa", "num_key_value_heads").kvHeads());
        assertEquals(256, window(without("gptneo-untied", "window_size"), 1));
        assertEquals(2048, without("bloom-postln", "seq_length").maxPositions());
        assertEquals(4096, window(without("qwen2-sliding", "sliding_window"), 2));
        assertEquals(0, window(without("qwen2-sliding", "max_window_layers"), 2));
        assertEquals(0, window(without("qwen2-sliding", "use_sliding_window"), 2));
        assertEquals(0, window(read("qwen2-sliding", "sliding_window", "null"), 2));
        assertEquals(1e-6f, without("llama-mqa", "rms_norm_eps").epsilon());
    }

    @Test
    void mistralAndQwenHaveAFixedNumberOfKeyHeadsByDefault() throws IOException {
        for (String family : List.of("mistral-window", "qwen2-sliding")) {
            ObjectNode config = (ObjectNode) Goldens.json(Variants.model(family).resolve("config.json"));
            config.remove("num_key_value_heads");
            config.put("num_attention_heads", 64).put("hidden_size", 128);
            assertEquals(family.startsWith("mistral") ? 8 : 32, write(config).kvHeads());
        }
    }

    @Test
    void aFilledOriginalLengthBesideTheScalingCounts() throws IOException {
        DecoderConfig inside = Decoder.readConfig(Variants.model("llama-llama3"));
        ObjectNode config =
                (ObjectNode) Goldens.json(Variants.model("llama-llama3").resolve("config.json"));
        ((ObjectNode) config.get("rope_scaling")).remove("original_max_position_embeddings");
        config.put("original_max_position_embeddings", 32);
        Positions.Rotary expected = assertInstanceOf(Positions.Rotary.class, inside.positions());
        Positions.Rotary actual =
                assertInstanceOf(Positions.Rotary.class, write(config).positions());
        assertEquals(expected.inverseFrequencies()[1], actual.inverseFrequencies()[1]);
    }

    private static int window(DecoderConfig config, int layer) {
        return config.attention().get(layer).window();
    }
}
