package io.github.sgpt4j.model.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.model.family.DecoderConfig.LayerAttention;
import io.github.sgpt4j.testing.DecoderGoldens;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Refusal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Defaults and options of Gemma, Phi-3, OLMo 2 and NV-Embed, as transformers' configuration classes
/// have them.
class NewerFamiliesTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path directory;

    private DecoderConfig read(String model, String changes, String... removed) throws IOException {
        ObjectNode config =
                (ObjectNode) Goldens.json(DecoderGoldens.model(model).resolve("config.json"));
        config.remove(List.of(removed));
        config.setAll((ObjectNode) JSON.readTree(changes.replace('\'', '"')));
        Files.writeString(directory.resolve("config.json"), config.toString());
        return Decoder.readConfig(directory);
    }

    @Test
    void gemma3RepeatsItsPatternOfWindows() throws IOException {
        DecoderConfig config =
                read("gemma3-be", "{'sliding_window_pattern': 3}", "layer_types", "_sliding_window_pattern");
        assertEquals(
                List.of(16, 16, 0, 16),
                config.attention().stream().map(LayerAttention::window).toList());
        assertEquals(
                List.of(9, 9, 0, 9),
                config.attention().stream().map(LayerAttention::wideWindow).toList());
        DecoderConfig six = read("gemma3-be", "{'num_hidden_layers': 7}", "layer_types", "_sliding_window_pattern");
        assertEquals(
                List.of(16, 16, 16, 16, 16, 0, 16),
                six.attention().stream().map(LayerAttention::window).toList());
    }

    /// transformers halves the window for the family's own key only, and then, with both keys, sees one token more.
    @ParameterizedTest
    @CsvSource({"true, none, 9", "true, false, 10", "false, false, 17", "false, true, 17"})
    void gemma3SeesHalfOfAWindowOnEachSideByItsOwnKeyOnly(String own, String causal, int wide) throws IOException {
        String changes = "{'use_bidirectional_attention': %s%s}"
                .formatted(own, causal.equals("none") ? "" : ", 'is_causal': " + causal);
        LayerAttention layer = read("gemma3-be", changes).attention().getFirst();
        assertEquals(16, layer.window());
        assertEquals(wide, layer.wideWindow());
    }

    @Test
    void phi3TakesOlderNamesForLongRopeAndItsOwnKeyForTheLength() throws IOException {
        String scaling = "'rope_scaling': {'type': 'yarn', 'short_factor': [2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], "
                + "'long_factor': [4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0]}";
        DecoderConfig config = read(
                "phi3-be",
                "{'max_position_embeddings': 16384, %s}".formatted(scaling),
                "original_max_position_embeddings");
        Positions.Rotary rotary = (Positions.Rotary) config.positions();
        assertEquals(0.5, rotary.inverseFrequencies()[0]);
        assertEquals((float) Math.sqrt(1 + Math.log(4) / Math.log(4096)), rotary.scale());
        assertEquals(4096, config.longest());
    }

    @Test
    void gemmaTellsThatAnActivationIsPassedOver() {
        assertEquals(List.of(), notices("gemma", "'hidden_act': 'gelu_pytorch_tanh'"));
        assertEquals(List.of(), notices("gemma", "'hidden_act': 'relu', 'hidden_activation': 'gelu_pytorch_tanh'"));
        assertEquals(List.of(), notices("llama", "'hidden_act': 'relu'"));
        String notice = notices("gemma", "'hidden_act': 'relu'").getFirst();
        assertTrue(notice.contains("\"hidden_act\": \"relu\" is passed over"), notice);
    }

    private static List<String> notices(String type, String keys) {
        return FamilyNotices.of(JsonFile.of(
                Path.of("config.json"),
                "{'model_type': '%s', %s}".formatted(type, keys).replace('\'', '"')));
    }

    @Test
    void onlyLayersWithAWindowHaveTheLocalRotation() throws IOException {
        DecoderConfig config = read("gemma3-be", "{'rope_scaling': {'rope_type': 'linear', 'factor': 8.0}}");
        double[] whole = ((Positions.Rotary) config.positions()).inverseFrequencies();
        assertEquals(1 / 8.0, whole[0]);
        assertEquals(1, config.attention().get(0).rotary().orElseThrow().inverseFrequencies()[0]);
        assertTrue(config.attention().get(2).rotary().isEmpty());
    }

    @Test
    void gemma2HasBoundsUnlessTheFileSaysNull() throws IOException {
        String gemma2 = "{'model_type': 'gemma2', 'architectures': ['Gemma2ForCausalLM'], 'sliding_window': 4096}";
        DecoderConfig usual = read("olmo2-be", gemma2, "attention_bias");
        assertEquals(30, usual.logitSoftcap());
        assertEquals(50, usual.attention().get(0).softcap());
        assertEquals(
                List.of(4096, 0),
                usual.attention().stream().map(LayerAttention::window).toList());
        assertEquals((float) (1 / 16.0), usual.attention().get(0).scale());
        DecoderConfig none = read(
                "olmo2-be",
                gemma2.replace("}", ", 'attn_logit_softcapping': null, 'final_logit_softcapping': null}"),
                "attention_bias");
        assertEquals(0, none.logitSoftcap());
        assertEquals(0, none.attention().get(0).softcap());
    }

    @Test
    void gemmaReadsTheSecondOfItsTwoActivations() throws IOException {
        String gemma = "{'model_type': 'gemma', 'architectures': ['GemmaForCausalLM'], 'hidden_act': 'gelu'%s}";
        assertEquals(Activation.GELU_TANH, read("olmo2-be", gemma.formatted("")).activation());
        assertEquals(
                Activation.GELU,
                read("olmo2-be", gemma.formatted(", 'hidden_activation': 'gelu'"))
                        .activation());
    }

    @Test
    void gemmaScalesEmbeddingsAndAddsOneToGains() throws IOException {
        DecoderConfig config = read("gemma3-be", "{}");
        assertEquals((float) Math.sqrt(72), config.embeddingScale());
        assertTrue(config.gainFromOne());
        assertFalse(read("olmo2-be", "{}").gainFromOne());
    }

    @Test
    void longRopeTakesTextsThatTheShortFactorsAreFor() throws IOException {
        String scaling =
                "{'rope_type': 'longrope', 'short_factor': [1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], 'long_factor': [4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0]}";
        DecoderConfig config = read(
                "phi3-be",
                "{'max_position_embeddings': 1024, 'original_max_position_embeddings': 256, 'rope_scaling': %s}"
                        .formatted(scaling));
        Positions.Rotary rotary = (Positions.Rotary) config.positions();
        assertEquals(Math.pow(10000, -2 / 16.0) / 2, rotary.inverseFrequencies()[1], 1e-15);
        assertEquals((float) Math.sqrt(1 + Math.log(4) / Math.log(256)), rotary.scale());
        assertEquals(256, config.longest());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "phi3-be; {'rope_scaling': {'rope_type': 'longrope', 'short_factor': [1.0]}}; short_factor",
                "phi3-be; {'rope_scaling': {'rope_type': 'longrope'}}; short_factor",
                "phi3-be; {'original_max_position_embeddings': 1, 'rope_scaling': {'rope_type': 'longrope', 'short_factor': [1, 1, 1, 1, 1, 1, 1, 1]}}; longrope",
                "gemma3-be; {'layer_types': ['full_attention']}; layer_types",
                "gemma3-be; {'sliding_window': 2147483647}; window",
                "gemma3-be; {'sliding_window': null}; sliding_window",
                "gemma2-rr; {'sliding_window': null}; sliding_window",
                "gemma2-rr; {'query_pre_attn_scalar': null}; query_pre_attn_scalar",
                "gemma2-rr; {'attn_logit_softcapping': 1e-300}; attn_logit_softcapping",
                "gemma2-rr; {'final_logit_softcapping': 1e-39}; final_logit_softcapping",
                "gemma-rr; {'is_causal': null}; is_causal",
                "mistral-nvembed-be; {'text_config': null}; text_config",
                "mistral-nvembed-be; {'hidden_size': 65}; hidden_size",
                "mistral-nvembed-be; {'latent_attention_config': {}}; latent_attention_config",
                "mistral-iscausal-be; {'sliding_window': 2147483647}; window"
            })
    void brokenFilesAreRefused(String model, String changes, String named) {
        Refusal.check(FormatException.class, () -> read(model, changes), "config.json", named);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "gemma3-be-ropeparams; {'rope_parameters': {'rope_type': 'default', 'rope_theta': 10000.0}}; rope_parameters",
                "gemma3-be-ropeparams; {'rope_parameters': {'full_attention': {'rope_theta': 10000.0}}}; rope_parameters",
                "gemma3-be; {'layer_types': ['full_attention', 'x', 'full_attention', 'full_attention']}; layer_types",
                "mistral-nvembed-be; {'text_config': {'model_type': 'mistral', 'hidden_size': 64}}; model_type",
                "gemma3-be-ropeparams; {'rope_scaling': {'rope_type': 'linear', 'factor': 4.0}}; rope_scaling",
                "gemma3-be; {'layer_types': null}; _sliding_window_pattern",
                "phi3-be; {'rope_scaling': {'type': 'longrope', 'original_max_position_embeddings': 128, 'short_factor': [1,1,1,1,1,1,1,1], 'long_factor': [1,1,1,1,1,1,1,1]}}; original_max_position_embeddings",
                "gemma3-be; {'hidden_activation': 'relu2'}; hidden_activation"
            })
    void whatIsNotImplementedIsRefused(String model, String changes, String named) {
        Refusal.check(UnsupportedModelException.class, () -> read(model, changes), "config.json", named);
    }
}
