package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.testing.CheckpointFolder;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Refusal;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Settings in sentence_bert_config.json and config_sentence_transformers.json are followed or refused.
class SentenceSettingsTest {
    private static final String GOLDEN = "gptneo-be";
    private static final String BERT = "sentence_bert_config.json";
    private static final String USE = "config_sentence_transformers.json";
    private static final String TEXT = "artificial snow falls on the mountains of another planet";

    @TempDir
    Path folder;

    private CheckpointFolder model;

    @BeforeEach
    void copyModel() {
        model = CheckpointFolder.copy(GOLDEN, folder);
    }

    private BiEncoder open() {
        return BiEncoder.open(
                model.directory(), ModelOptions.DEFAULT.withDevice("cpu"), BiEncoderOptions.DEFAULT.withSpecb(false));
    }

    private void refused(Class<? extends SgptException> type, String... parts) {
        Refusal.check(type, () -> open().close(), parts);
    }

    private static String fingerprint(Path directory) {
        try (BiEncoder encoder = BiEncoder.open(
                directory, ModelOptions.DEFAULT.withDevice("cpu"), BiEncoderOptions.DEFAULT.withSpecb(false))) {
            return encoder.fingerprint();
        }
    }

    @Test
    void truncateDimKeepsTheFirstComponentsAfterAllModules() {
        float[] whole;
        try (BiEncoder encoder = open()) {
            whole = encoder.embed(TEXT);
        }
        model.write(USE, "{\"truncate_dim\": 5}");
        try (BiEncoder encoder = open()) {
            assertEquals(5, encoder.dimension());
            assertArrayEquals(Arrays.copyOf(whole, 5), encoder.embed(TEXT));
            assertNotEquals(fingerprint(Goldens.model(GOLDEN)), encoder.fingerprint());
        }
        try (BiEncoder encoder = BiEncoder.open(
                model.directory(),
                ModelOptions.DEFAULT.withDevice("cpu"),
                BiEncoderOptions.DEFAULT.withSpecb(false).withNormalize(true))) {
            float[] vector = encoder.embed(TEXT);
            assertEquals(5, vector.length);
            assertEquals(1, Similarity.DOT.of(vector, vector), 1e-6);
            assertEquals(1, Similarity.COSINE.of(vector, Arrays.copyOf(whole, 5)), 1e-6);
        }
    }

    @Test
    void anOptionTruncatesOtherwise() {
        model.write(USE, "{\"truncate_dim\": 5}");
        try (Model opened = Model.open(model.directory(), ModelOptions.DEFAULT.withDevice("cpu"));
                BiEncoder fewer = BiEncoder.of(opened, BiEncoderOptions.DEFAULT.withTruncateDim(3));
                BiEncoder all = BiEncoder.of(opened, BiEncoderOptions.DEFAULT.withTruncateDim(1_000_000))) {
            assertEquals(3, fewer.embed(TEXT).length);
            assertArrayEquals(Arrays.copyOf(all.embed(TEXT), 3), fewer.embed(TEXT));
            assertEquals(opened.info().hidden(), all.dimension());
            int width = all.dimension();
            try (BiEncoder most = BiEncoder.of(opened, BiEncoderOptions.DEFAULT.withDimensions(width))) {
                assertEquals(width, most.dimension());
            }
            BiEncoderOptions more = BiEncoderOptions.DEFAULT.withDimensions(width + 1);
            String message = assertThrows(IllegalArgumentException.class, () -> BiEncoder.of(opened, more))
                    .getMessage();
            assertTrue(message.startsWith("dimensions: expected 1 to %d, as the model".formatted(width)), message);
        }
    }

    @Test
    void promptsAreChosenByName() {
        model.write(USE, "{\"prompts\": {\"s2p_query\": \"find: \", \"s2s_query\": \"like: \", \"query\": \"q: \"}}");
        try (Model opened = Model.open(model.directory(), ModelOptions.DEFAULT.withDevice("cpu"))) {
            BiEncoderOptions usual = BiEncoderOptions.DEFAULT.withSpecb(false);
            BiEncoderOptions named = usual.withPromptName(TextKind.QUERY, "s2p_query");
            try (BiEncoder byName = BiEncoder.of(opened, named);
                    BiEncoder byText = BiEncoder.of(opened, usual.withPrompt(TextKind.QUERY, "find: "));
                    BiEncoder brackets = BiEncoder.of(opened, named.withSpecb(true));
                    BiEncoder of = BiEncoder.of(opened, usual)) {
                assertArrayEquals(byText.embedQuery(TEXT), byName.embedQuery(TEXT));
                assertArrayEquals(byText.tokenize(TEXT, TextKind.QUERY), brackets.tokenize(TEXT, TextKind.QUERY));
                assertArrayEquals(of.embed(TEXT), byName.embed(TEXT));
                assertNotEquals(of.fingerprint(), byName.fingerprint());
                assertEquals(byText.fingerprint(), byName.fingerprint());
            }
            Refusal.check(
                    FormatException.class,
                    () -> BiEncoder.of(opened, usual.withPromptName(TextKind.TEXT, "s2p\n"))
                            .close(),
                    model.directory().toString(),
                    "expected the name of one of the model's prompts, \"s2p_query\", \"s2s_query\", \"query\", got \"s2p",
                    "got ");
        }
        model.write(USE, "{}");
        try (Model opened = Model.open(model.directory(), ModelOptions.DEFAULT.withDevice("cpu"))) {
            Refusal.check(
                    FormatException.class,
                    () -> BiEncoder.of(opened, BiEncoderOptions.DEFAULT.withPromptName(TextKind.QUERY, "query"))
                            .close(),
                    "expected the name of one of the model's prompts, but it has none, got \"query\"");
        }
    }

    @Test
    void factsSayWhereNoPromptIsThatOfQueries() {
        model.write(USE, "{\"prompts\": {\"s2p_query\": \"find: \"}}");
        try (Model opened = Model.open(model.directory())) {
            assertEquals(
                    USE + "; none is named query, so queries get one only by its name",
                    opened.info().sources().prompts());
        }
        model.write(USE, "{\"prompts\": {\"query\": \"find: \"}}");
        try (Model opened = Model.open(model.directory())) {
            assertEquals(USE, opened.info().sources().prompts());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "1000000"})
    void aTruncateDimThatTruncatesNothingChangesNothing(String value) {
        model.write(USE, "{\"truncate_dim\": " + value + "}");
        try (BiEncoder encoder = open()) {
            assertEquals(encoder.model().info().hidden(), encoder.dimension());
            assertEquals(fingerprint(Goldens.model(GOLDEN)), encoder.fingerprint());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "1.5", "\"16\"", "[]"})
    void aTruncateDimThatIsNone(String value) {
        model.write(USE, "{\"truncate_dim\": " + value + "}");
        refused(FormatException.class, USE, "truncate_dim", "an integer of at least 1", "got ");
    }

    @Test
    void theModelsSimilarityIsTheDefault() {
        for (Similarity similarity : Similarity.values()) {
            model.write(USE, "{\"similarity_fn_name\": \"" + similarity + "\"}");
            try (BiEncoder encoder = open()) {
                assertEquals(similarity, encoder.similarity());
                // Embeddings are the same.
                assertEquals(fingerprint(Goldens.model(GOLDEN)), encoder.fingerprint());
            }
        }
        for (String text : List.of("{}", "{\"similarity_fn_name\": null}")) {
            model.write(USE, text);
            try (BiEncoder encoder = open()) {
                assertEquals(Similarity.COSINE, encoder.similarity());
            }
        }
        try (Model opened = Model.open(model.directory());
                BiEncoder encoder = BiEncoder.of(opened, BiEncoderOptions.DEFAULT.withSimilarity(Similarity.DOT))) {
            assertEquals(Similarity.DOT, encoder.similarity());
        }
    }

    @Test
    void anotherSimilarityOrKindOfModel() {
        model.write(USE, "{\"similarity_fn_name\": \"maxsim\"}");
        refused(UnsupportedModelException.class, USE, "similarity_fn_name", "\"maxsim\"", "cosine, dot, euclidean");
        model.write(USE, "{\"similarity_fn_name\": 1}");
        refused(FormatException.class, USE, "similarity_fn_name", "a string", "got 1");
        model.write(USE, "{\"similarity_fn_name\": \"\"}");
        refused(UnsupportedModelException.class, USE, "similarity_fn_name");
        model.write(USE, "{\"model_type\": \"SparseEncoder\"}");
        refused(
                UnsupportedModelException.class,
                USE,
                "model_type",
                "SparseEncoder",
                "SentenceTransformer and CrossEncoder are");
        model.write(USE, "{\"model_type\": \"SentenceTransformer\"}");
        open().close();
    }

    private void lengths(int text, int query, int document, String json) {
        model.write(BERT, json);
        try (BiEncoder encoder = open()) {
            assertEquals(text, encoder.maxLength(), json);
            assertEquals(query, encoder.maxLength(TextKind.QUERY), json);
            assertEquals(document, encoder.maxLength(TextKind.DOCUMENT), json);
            assertEquals(text, encoder.tokenize(TEXT.repeat(9), TextKind.TEXT).length, json);
            assertEquals(query, encoder.tokenize(TEXT.repeat(9), TextKind.QUERY).length, json);
            assertEquals(document, encoder.tokenize(TEXT.repeat(9), TextKind.DOCUMENT).length, json);
            try (BiEncoder other = BiEncoder.of(
                    encoder.model(), BiEncoderOptions.DEFAULT.withSpecb(false).withMaxLength(query))) {
                float[] expected = other.embedQueries(List.of(TEXT))[0];
                assertArrayEquals(expected, encoder.embedQueries(List.of(TEXT))[0], json);
            }
        }
    }

    @Test
    void theLengthOfSeveralIsSentenceTransformersChoice() {
        lengths(20, 20, 20, "{\"max_seq_length\": 20}");
        lengths(20, 5, 9, "{\"max_seq_length\": 20, \"query_length\": 5, \"document_length\": 9}");
        lengths(20, 5, 20, "{\"max_seq_length\": 20, \"query_length\": 5, \"document_length\": null}");
        lengths(6, 6, 6, "{\"max_seq_length\": 20, \"processing_kwargs\": {\"text\": {\"max_length\": 6}}}");
        lengths(6, 6, 6, "{\"query_length\": 5, \"processing_kwargs\": {\"text\": {\"max_length\": 6}}}");
        lengths(30, 30, 30, "{\"max_seq_length\": 20, \"processing_kwargs\": {\"text\": {\"max_length\": 30}}}");
        lengths(
                7,
                7,
                7,
                "{\"processing_kwargs\": {\"common\": {\"max_length\": 7}, \"text\": {\"max_length\": 6}, \"image\": {\"size\": 3}}}");
        lengths(
                8,
                4,
                8,
                "{\"max_seq_length\": 20, \"query_length\": 4, \"tokenizer_args\": {\"model_max_length\": 8}}");
    }

    @Test
    void lengthsOfKindsAreInTheFingerprint() {
        model.write(BERT, "{\"max_seq_length\": 20}");
        String same = fingerprint(model.directory());
        model.write(BERT, "{\"max_seq_length\": 20, \"query_length\": 5}");
        assertNotEquals(same, fingerprint(model.directory()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"model_args\": {}, \"tokenizer_args\": {}, \"config_args\": {}, \"processing_kwargs\": {}}",
                "{\"model_kwargs\": {\"torch_dtype\": \"bfloat16\", \"attn_implementation\": \"sdpa\", \"x\": null}}",
                "{\"tokenizer_kwargs\": {\"padding_side\": \"left\", \"use_fast\": true, \"model_max_length\": 128}}",
                "{\"config_kwargs\": {\"trust_remote_code\": true, \"num_layers\": 4, \"rope_scaling\": null}}",
                "{\"processing_kwargs\": {\"text\": {\"padding\": true, \"truncation\": \"longest_first\"}}}",
                "{\"transformer_task\": \"feature-extraction\", \"module_output_name\": \"token_embeddings\","
                        + " \"modality_config\": {\"text\": {\"method\": \"forward\","
                        + " \"method_output_name\": \"last_hidden_state\"}}}",
                "{\"unpad_inputs\": false, \"query_expansion\": null, \"tokenizer_name_or_path\": null}"
            })
    void whatChangesNothingIsAccepted(String json) {
        model.write(BERT, json);
        open().close();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"config_kwargs\": {\"layer_norm_epsilon\": 0.5}} | config_kwargs.layer_norm_epsilon",
                "{\"config_args\": {\"num_layers\": 1}} | config_args.num_layers",
                "{\"config_kwargs\": {\"num_layers\": null}} | config_kwargs.num_layers",
                "{\"model_args\": {\"rope_scaling\": {}}} | model_args.rope_scaling",
                "{\"model_kwargs\": {\"load_in_8bit\": true}} | model_kwargs.load_in_8bit",
                "{\"tokenizer_args\": {\"add_eos_token\": true}} | tokenizer_args.add_eos_token",
                "{\"processor_kwargs\": {\"truncation_side\": \"left\"}} | processor_kwargs.truncation_side",
                "{\"tokenizer_kwargs\": {\"do_lower_case\": true}} | tokenizer_kwargs.do_lower_case",
                "{\"processing_kwargs\": {\"text\": {\"add_special_tokens\": false}}} | processing_kwargs.text.add_special",
                "{\"processing_kwargs\": {\"text\": {\"truncation\": false}}} | processing_kwargs.text.truncation",
                "{\"processing_kwargs\": {\"common\": {\"stride\": 3}}} | processing_kwargs.common.stride",
                "{\"processing_kwargs\": {\"max_length\": 3}} | processing_kwargs.max_length",
                "{\"transformer_task\": \"text-generation\"} | transformer_task",
                "{\"module_output_name\": \"sentence_embedding\"} | module_output_name",
                "{\"modality_config\": {}} | modality_config",
                "{\"modality_config\": {\"text\": {\"method\": \"encode\"}}} | modality_config.text.method",
                "{\"modality_config\": {\"text\": {\"method_output_name\": \"logits\"}}} | text.method_output_name",
                "{\"modality_config\": {\"text\": {}, \"message\": {}}} | modality_config.message",
                "{\"query_expansion\": {\"length\": 32}} | query_expansion",
                "{\"tokenizer_name_or_path\": \"gpt2\"} | tokenizer_name_or_path"
            })
    void whatIsNotFollowedIsRefusedByKey(String json, String key) {
        model.write(BERT, json);
        refused(UnsupportedModelException.class, BERT, key, "is not supported");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"config_kwargs\": 1} | config_kwargs",
                "{\"tokenizer_args\": []} | tokenizer_args",
                "{\"processing_kwargs\": {\"text\": {\"max_length\": 0}}} | processing_kwargs.text.max_length",
                "{\"tokenizer_args\": {\"model_max_length\": -1}} | tokenizer_args.model_max_length",
                "{\"query_length\": \"5\"} | query_length",
                "{\"modality_config\": {\"text\": 1}} | modality_config.text"
            })
    void brokenValues(String json, String key) {
        model.write(BERT, json);
        refused(FormatException.class, BERT, key, "expected", "got ");
    }
}
