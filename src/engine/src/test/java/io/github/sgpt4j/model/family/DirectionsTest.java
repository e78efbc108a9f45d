package io.github.sgpt4j.model.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.model.family.DecoderConfig.Visibility;
import io.github.sgpt4j.testing.Refusal;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// How published models declare the directions of attention.
class DirectionsTest {
    private static Directions of(String json) {
        return Directions.of(JsonFile.of(Path.of("config.json"), json));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "{}; CAUSAL; default",
                "{'is_causal': true}; CAUSAL; default",
                "{'is_causal': false, 'model_type': 'gpt2'}; BIDIRECTIONAL; is_causal",
                "{'use_bidirectional_attention': true, 'model_type': 'gemma3_text'}; BIDIRECTIONAL; use_bidirectional_attention",
                "{'use_bidirectional_attention': true, 'model_type': 'gemma2'}; BIDIRECTIONAL; use_bidirectional_attention",
                "{'use_bidirectional_attention': null, 'model_type': 'gemma3_text'}; CAUSAL; default",
                "{'model_type': 'llama_bidirec'}; BIDIRECTIONAL; model_type",
                "{'model_type': 'bidirectional_pplx_qwen3'}; BIDIRECTIONAL; model_type",
                "{'model_type': 'nvembed'}; BIDIRECTIONAL; model_type",
                "{'architectures': ['LlamaBidirectionalModel'], 'model_type': 'llama'}; BIDIRECTIONAL; architectures",
                "{'architectures': ['LlamaEncoderModel']}; BIDIRECTIONAL; architectures",
                "{'architectures': ['GritLM']}; BIDIRECTIONAL_STATES; architectures",
                "{'auto_map': {'AutoModel': 'modeling_qwen.Qwen2Model'}}; BIDIRECTIONAL; auto_map",
                "{'auto_map': {'AutoModel': 'a/b--modeling_qwen.Qwen2Model'}, 'is_causal': false}; BIDIRECTIONAL; auto_map",
                "{'auto_map': {'AutoModel': 'modelling_llama_encoder.LlamaEncoderModel'}}; BIDIRECTIONAL; auto_map",
                "{'auto_map': {'AutoModel': 'modeling_gritlm7b.MistralModel', 'AutoModelForCausalLM': 'modeling_gritlm7b.MistralForCausalLM'}}; BIDIRECTIONAL_STATES; auto_map",
                "{'auto_map': {'AutoModelForCausalLM': 'modeling_flash_llama.LlamaForCausalLM'}}; CAUSAL; default",
                "{'auto_map': {'AutoModelForSequenceClassification': 'modeling_qwen.Qwen2ForSequenceClassification'}, 'architectures': ['Qwen2ForSequenceClassification']}; BIDIRECTIONAL; auto_map"
            })
    void everyPublishedDeclarationIsRead(String json, Visibility visibility, String source) {
        Directions directions = of(json.replace('\'', '"'));
        assertEquals(visibility, directions.visibility());
        assertEquals(source, directions.source());
    }

    @Test
    void gemma2TellsWhatTransformersDoes() {
        JsonFile file = JsonFile.of(
                Path.of("config.json"), "{\"model_type\": \"gemma2\", \"use_bidirectional_attention\": true}");
        assertTrue(Directions.notice(file).orElseThrow().contains("stays causal"));
        assertEquals(
                Optional.empty(),
                Directions.notice(JsonFile.of(Path.of("config.json"), "{\"model_type\": \"gemma2\"}")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                // transformers' own class passes over the key.
                "{'use_bidirectional_attention': true, 'model_type': 'qwen3'}; use_bidirectional_attention",
                // A contradiction.
                "{'is_causal': true, 'model_type': 'llama_bidirec'}; is_causal",
                // Nothing says how states for embeddings are computed.
                "{'auto_map': {'AutoModelForCausalLM': 'modeling_qwen.Qwen2ForCausalLM'}}; AutoModel"
            })
    void whatIsUnclearIsRefused(String json, String named) {
        Refusal.check(
                UnsupportedModelException.class, () -> of(json.replace('\'', '"')), "config.json", "\"" + named + "\"");
    }
}
