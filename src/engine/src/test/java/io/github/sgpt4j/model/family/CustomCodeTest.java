package io.github.sgpt4j.model.family;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.model.Decoder;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Refusal;
import io.github.sgpt4j.testing.Variants;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Statements of config.json about code, with values of published checkpoints.
class CustomCodeTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path directory;

    private void read(String key, String json) throws IOException {
        ObjectNode config =
                (ObjectNode) Goldens.json(Variants.model("qwen2-sliding").resolve("config.json"));
        config.set(key, JSON.readTree(json));
        Files.writeString(directory.resolve("config.json"), config.toString());
        Decoder.readConfig(directory);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "architectures; [\"MistralBiModel\"]",
                "architectures; [\"LlamaBiModel\"]",
                "architectures; [\"MistralEncoderModel\"]",
                "architectures; [\"GPT2LMHeadCustomModel\"]",
                "architectures; [\"QWenLMHeadModel\"]",
                "architectures; [\"Qwen3ForCausalLM\", \"JinaForRanking\"]",
                "auto_map; {\"AutoModel\": \"modeling_own.Qwen2Model\"}",
                "auto_map; {\"AutoModelForCausalLM\": \"modeling_qwen.Qwen2ForCausalLM\"}",
                "auto_map; {\"AutoModelForCausalLM\": \"modeling_gritlm7b.MistralForCausalLM\"}",
                "auto_map; {\"AutoModelForSequenceClassification\": \"modeling_qwen.Qwen2ForSequenceClassification\"}",
                "auto_map; {\"AutoModel\": \"owner/name--modeling_bidir.MistralBiModel\"}",
                "auto_map; {\"AutoConfig\": \"configuration_clex.CLEXLlamaConfig\"}",
                "auto_map; {\"AutoTokenizer\": [\"tokenization_own.OwnTokenizer\", null]}",
                "use_bidirectional_attention; true",
                "is_bidirectional; true"
            })
    void ownCodeIsRefused(String key, String json) {
        Refusal.check(
                UnsupportedModelException.class,
                () -> read(key, json),
                directory.resolve("config.json").toString(),
                "\"" + key + "\"");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "architectures; [\"GPTNeoForCausalLM\"]",
                "architectures; [\"GPT2LMHeadModel\"]",
                "architectures; [\"LLaMAForCausalLM\"]",
                "architectures; [\"BloomModel\"]",
                "architectures; [\"Qwen3ForSequenceClassification\"]",
                "architectures; []",
                "architectures; null",
                "auto_map; {}",
                "auto_map; {\"AutoConfig\": \"configuration_llama.LlamaConfig\"}",
                "auto_map; {\"AutoTokenizer\": [\"tokenization_llama.LlamaTokenizer\", null]}",
                "auto_map; {\"AutoTokenizer\": \"Qwen2TokenizerFast\"}",
                "auto_map; {\"AutoModelForCausalLM\": \"togethercomputer/LLaMA-2-7B-32K--modeling_flash_llama.LlamaForCausalLM\"}",
                "auto_map; {\"AutoModel\": \"modeling_qwen.Qwen2Model\"}",
                "auto_map; {\"AutoModel\": \"owner/name--modeling_qwen.Qwen2Model\"}",
                "is_causal; false",
                "is_causal; true",
                "use_bidirectional_attention; false"
            })
    void whatChangesNothingIsRead(String key, String json) {
        assertDoesNotThrow(() -> read(key, json));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "architectures; [1]",
                "architectures; {}",
                "auto_map; []",
                "auto_map; {\"AutoModel\": 1}",
                "is_causal; \"false\""
            })
    void otherTypesAreBroken(String key, String json) {
        Refusal.check(FormatException.class, () -> read(key, json), "config.json", key);
    }
}
