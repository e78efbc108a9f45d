package io.github.sgpt4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.testing.Refusal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Checkpoints without modules.json whose own code says how texts are pooled.
class KnownLayoutTest {
    private static final String NV_EMBED = "{\"model_type\": \"nvembed\"}";

    @TempDir
    Path folder;

    private void write(String name, String json) throws IOException {
        Files.writeString(folder.resolve(name), json);
    }

    private SentenceModules modules(String config) throws IOException {
        write("config.json", config);
        return SentenceModules.read(folder);
    }

    private Optional<KnownLayout> known() {
        return KnownLayout.find(folder, new JsonFiles());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"model_type\": \"mistral\", \"auto_map\": {\"AutoModel\": \"modeling_gritlm7b.MistralModel\"}}",
                "{\"auto_map\": {\"AutoModel\": \"GritLM/GritLM-7B--modeling_gritlm7b.MistralModel\"}}",
                "{\"architectures\": [\"GritLM\"]}"
            })
    void gritLmTakesTheMeanAfterItsInstructionAndNormalizes(String config) throws IOException {
        SentenceModules modules = modules(config);
        assertEquals(List.of(PoolMode.MEAN), modules.modes());
        assertEquals(List.of(new SentenceModules.Step.Normalize()), modules.steps());
        assertFalse(modules.includePrompt());
        assertEquals(Map.of("query", "<|embed|>\n", "document", "<|embed|>\n"), modules.prompts());
        assertEquals(LeftOut.PROMPT, known().orElseThrow().leftOut());
        write("config_sentence_transformers.json", "{\"prompts\": {\"query\": \"q: \"}}");
        assertEquals(Map.of("query", "q: "), SentenceModules.read(folder).prompts());
    }

    @Test
    void aListOfModulesCounts() throws IOException {
        write("modules.json", """
                [{"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"},
                 {"idx": 1, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]""");
        Files.createDirectory(folder.resolve("1_Pooling"));
        write("1_Pooling/config.json", "{\"pooling_mode_lasttoken\": true}");
        SentenceModules modules = modules("{\"architectures\": [\"GritLM\"]}");
        assertEquals(List.of(PoolMode.LAST), modules.modes());
        assertEquals(List.of(), modules.steps());
        assertTrue(modules.includePrompt());
        assertEquals(Map.of(), modules.prompts());
    }

    @Test
    void otherModelsKeepTheWeightedMean() throws IOException {
        for (String config : List.of(
                "{\"model_type\": \"mistral\", \"architectures\": [\"MistralForCausalLM\"]}",
                "{\"model_type\": 3, \"architectures\": \"x\", \"auto_map\": []}",
                "{\"auto_map\": {\"AutoModel\": \"modeling_qwen.Qwen2Model\", \"AutoConfig\": [1]}}")) {
            SentenceModules modules = modules(config);
            assertEquals(List.of(PoolMode.WEIGHTED_MEAN), modules.modes(), config);
            assertEquals(List.of(), modules.steps(), config);
            assertEquals(Optional.empty(), known(), config);
        }
        Files.delete(folder.resolve("config.json"));
        assertEquals(
                List.of(PoolMode.WEIGHTED_MEAN), SentenceModules.read(folder).modes());
    }

    @Test
    void nvEmbedPutsTheEndTokenBehindTexts() throws IOException {
        write("config.json", NV_EMBED);
        Refusal.check(
                FormatException.class,
                () -> SentenceModules.read(folder),
                "tokenizer_config.json",
                "eos_token",
                "expected the token that follows every text",
                "got none");
        write("special_tokens_map.json", "{\"eos_token\": {\"content\": \"<e>\"}}");
        assertEquals("<e>", known().orElseThrow().end());
        write("tokenizer_config.json", "{\"eos_token\": \"</s>\"}");
        KnownLayout layout = known().orElseThrow();
        assertEquals("</s>", layout.end());
        assertEquals(LeftOut.PROMPT_WITHOUT_SPECIAL_TOKENS, layout.leftOut());
        SentenceModules modules = SentenceModules.read(folder);
        assertEquals(List.of(PoolMode.MEAN), modules.modes());
        assertEquals(List.of(new SentenceModules.Step.Normalize()), modules.steps());
        assertFalse(modules.includePrompt());
    }

    @Test
    void keysOfNvEmbedAreFollowed() throws IOException {
        SentenceModules modules = modules("""
                {"model_type": "nvembed", "add_eos": false, "is_mask_instruction": false,
                 "latent_attention_config": {"output_normalize": false}}""");
        assertEquals("", known().orElseThrow().end());
        assertEquals(List.of(), modules.steps());
        assertTrue(modules.includePrompt());
        // Its code masks the instruction only where padding follows the text.
        assertTrue(modules("{\"model_type\": \"nvembed\", \"add_eos\": false, \"padding_side\": \"left\"}")
                .includePrompt());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"architectures\": [\"LlamaEncoderModel\"]}",
                "{\"auto_map\": {\"AutoModel\": [\"modelling_llama_encoder.LlamaEncoderModel\"]}}",
                "{\"auto_map\": {\"AutoModel\": \"x/y--modeling_mistral_encoder.MistralEncoderModel\"}}"
            })
    void llm2VecTakesTheMeanAndTellsWhatIsDifferent(String config) throws IOException {
        SentenceModules modules = modules(config);
        assertEquals(List.of(PoolMode.MEAN), modules.modes());
        assertEquals(List.of(), modules.steps());
        assertTrue(modules.includePrompt());
        String notice = known().orElseThrow().notice().orElseThrow();
        assertTrue(notice.contains("leaves out the begin token"), notice);
    }

    @Test
    void nvidiasModelsNameTheirPooling() throws IOException {
        assertEquals(
                List.of(PoolMode.MEAN),
                modules("{\"model_type\": \"llama_bidirec\"}").modes());
        SentenceModules last = modules("{\"model_type\": \"llama_bidirec\", \"pooling\": \"last\"}");
        assertEquals(List.of(PoolMode.LAST), last.modes());
        assertEquals(List.of(new SentenceModules.Step.Normalize()), last.steps());
        Refusal.check(
                UnsupportedModelException.class,
                () -> modules("{\"model_type\": \"llama_bidirec\", \"pooling\": \"weighted_avg\"}"),
                "config.json",
                "pooling",
                "weighted_avg");
    }

    @Test
    void pplxTakesThePlainMean() throws IOException {
        SentenceModules modules = modules("{\"model_type\": \"bidirectional_pplx_qwen3\"}");
        assertEquals(List.of(PoolMode.MEAN), modules.modes());
        assertEquals(List.of(), modules.steps());
    }
}
