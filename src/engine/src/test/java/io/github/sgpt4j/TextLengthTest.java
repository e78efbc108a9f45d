package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.testing.CheckpointFolder;
import io.github.sgpt4j.testing.Closeness;
import io.github.sgpt4j.testing.Goldens;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Which maximum length applies, and the notices about it.
class TextLengthTest {
    private static final String BERT = "sentence_bert_config.json";

    @TempDir
    private Path folder;

    /// A text that is longer than the positions (rotary) or than the training length of an ALiBi model.
    @ParameterizedTest
    @CsvSource({"bloom-be", "llama-be"})
    void textsAreAsLongAsTheReferenceTakesThem(String golden) {
        JsonNode reference =
                Goldens.json(Goldens.root().resolveSibling("text-length").resolve(golden + ".json"));
        CheckpointFolder checkpoint = CheckpointFolder.copy(golden, folder);
        if (golden.equals("bloom-be")) {
            checkpoint.delete(BERT);
        } else {
            checkpoint.set(BERT, "max_seq_length", "400");
        }
        try (BiEncoder encoder = BiEncoder.open(
                checkpoint.directory(), ModelOptions.DEFAULT.withDevice("cpu"), BiEncoderOptions.DEFAULT)) {
            float[] actual = encoder.embed(reference.get("text").textValue());
            Closeness.FP32.check(golden, Closeness.doubles(reference.get("expected")), actual);
        }
    }

    private static Model open(CheckpointFolder checkpoint) {
        return Model.open(checkpoint.directory(), ModelOptions.DEFAULT.withDevice("cpu"));
    }

    /// Golden, its stated length, the length that applies, the number of notices.
    @ParameterizedTest
    @CsvSource({
        "llama-be, 400, 400, 1",
        "llama-be, 160, 160, 0",
        "llama-be, 2147483647, 1048576, 1",
        "gptj-be, 200, 200, 1",
        "gpt2-be, 400, 128, 1",
        "gpt2-be, 100, 100, 0",
        "bloom-be, 400, 400, 0",
        "bloom-be, 2147483647, 1048576, 1",
    })
    void aStatedLengthCountsWherePositionsGoOn(String golden, String stated, int used, int notices) {
        CheckpointFolder checkpoint = CheckpointFolder.copy(golden, folder).set(BERT, "max_seq_length", stated);
        try (Model model = open(checkpoint)) {
            assertEquals(used, model.info().maxLength());
            assertEquals(notices, model.notices().size(), model.notices().toString());
            if (notices > 0) {
                String notice = model.notices().getFirst();
                assertTrue(
                        notice.contains(BERT) && notice.contains(stated) && notice.contains("cut at " + used), notice);
            }
        }
    }

    @Test
    void withoutAStatedLengthPositionsCount() {
        try (Model model = open(CheckpointFolder.copy("llama-be", folder).remove(BERT, "max_seq_length"))) {
            assertEquals(160, model.info().maxLength());
            assertEquals("the positions in config.json", model.info().sources().maxLength());
            assertEquals(List.of(), model.notices());
        }
    }

    @Test
    void withoutAStatedLengthBloomHasNone() {
        CheckpointFolder checkpoint = CheckpointFolder.copy("bloom-be", folder).remove(BERT, "max_seq_length");
        checkpoint.remove("tokenizer_config.json", "model_max_length");
        try (Model model = open(checkpoint);
                BiEncoder encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT)) {
            assertEquals(1 << 20, model.info().maxLength());
            assertTrue(
                    model.info().sources().maxLength().startsWith("none"),
                    model.info().toString());
            assertTrue(encoder.tokenize("word ".repeat(5000), TextKind.TEXT).length > 5000);
        }
        checkpoint.set("tokenizer_config.json", "model_max_length", "77");
        try (Model model = open(checkpoint)) {
            assertEquals(77, model.info().maxLength());
        }
    }

    @Test
    void dynamicRotationsEndWithThePositions() {
        CheckpointFolder checkpoint = CheckpointFolder.copy("llama-be", folder)
                .set("config.json", "rope_scaling", "{\"type\": \"dynamic\", \"factor\": 2.0}")
                .set(BERT, "max_seq_length", "400");
        try (Model model = open(checkpoint)) {
            assertEquals(160, model.info().maxLength());
            assertEquals(1, model.notices().size());
            BiEncoderOptions longer = BiEncoderOptions.DEFAULT.withMaxLength(161);
            assertThrows(IllegalArgumentException.class, () -> BiEncoder.of(model, longer));
        }
    }

    @Test
    void callersMayAskForMoreThanThePositions() {
        try (Model model = open(CheckpointFolder.copy("llama-be", folder))) {
            BiEncoderOptions longer = BiEncoderOptions.DEFAULT.withMaxLength(300);
            try (BiEncoder encoder = BiEncoder.of(model, longer)) {
                assertEquals(300, encoder.tokenize("word ".repeat(500), TextKind.TEXT).length);
                for (float component : encoder.embed("word ".repeat(500))) {
                    assertTrue(Float.isFinite(component));
                }
            }
        }
    }
}
