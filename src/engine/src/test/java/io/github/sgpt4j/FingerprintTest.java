package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.testing.CheckpointFolder;
import io.github.sgpt4j.testing.Goldens;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FingerprintTest {
    @TempDir
    private Path folder;

    @Test
    void isTheSameForACopyElsewhere() {
        String original = ofModel(Goldens.model("gptneo-be"));
        assertTrue(original.matches("[0-9a-f]{32}"), original);
        assertEquals(
                original, ofModel(CheckpointFolder.copy("gptneo-be", folder).directory()));
        assertEquals(
                ofBiEncoder(Goldens.model("gptneo-be"), BiEncoderOptions.DEFAULT),
                ofBiEncoder(CheckpointFolder.copy("gptneo-be", folder).directory(), BiEncoderOptions.DEFAULT));
    }

    @Test
    void changesWithOneBitOfASmallTensorOrAtTheEndOfALargeOne() throws IOException {
        CheckpointFolder copy = CheckpointFolder.copy("gptneo-be", folder);
        byte[] weights = copy.bytes("model.safetensors");
        Set<String> different = new HashSet<>();
        different.add(ofModel(copy.directory()));
        int header = 8 + ByteBuffer.wrap(weights).order(ByteOrder.LITTLE_ENDIAN).getInt();
        for (int position : new int[] {header + 4, weights.length - 3}) {
            weights[position] ^= 1;
            Files.write(copy.file("model.safetensors"), weights);
            different.add(ofModel(copy.directory()));
        }
        assertEquals(3, different.size());
    }

    @Test
    void changesWithTheTokenizerAndTheConfiguration() {
        CheckpointFolder copy = CheckpointFolder.copy("gptneo-be", folder);
        String before = ofModel(copy.directory());
        copy.write("tokenizer.json", new String(copy.bytes("tokenizer.json"), StandardCharsets.UTF_8) + " ");
        String tokenizer = ofModel(copy.directory());
        assertNotEquals(before, tokenizer);
        copy.set("config.json", "layer_norm_epsilon", "1e-4");
        assertNotEquals(tokenizer, ofModel(copy.directory()));
    }

    @Test
    void tellsUsesOfOneModelApart() {
        Path model = Goldens.model("gptneo-be");
        Set<String> different = new HashSet<>();
        different.add(ofBiEncoder(model, BiEncoderOptions.DEFAULT));
        different.add(ofBiEncoder(model, BiEncoderOptions.DEFAULT.withSpecb(true)));
        different.add(ofBiEncoder(model, BiEncoderOptions.DEFAULT.withPooling(Pooling.MEAN)));
        different.add(ofBiEncoder(model, BiEncoderOptions.DEFAULT.withMaxLength(9)));
        different.add(ofBiEncoder(model, BiEncoderOptions.DEFAULT.withNormalize(true)));
        different.add(ofModel(model));
        assertEquals(6, different.size());
        assertEquals(
                ofBiEncoder(model, BiEncoderOptions.DEFAULT),
                ofBiEncoder(model, BiEncoderOptions.DEFAULT.withBatchTokens(7)));
    }

    @Test
    void tellsPromptsOfCrossEncodersApart() {
        Path model = Goldens.model("gptneo-ce");
        String usual = ofCrossEncoder(model, CrossEncoderOptions.DEFAULT);
        assertEquals(usual, ofCrossEncoder(model, CrossEncoderOptions.DEFAULT.withBatchTokens(9)));
        assertNotEquals(usual, ofCrossEncoder(model, CrossEncoderOptions.DEFAULT.withPrompt("{}: ")));
        assertNotEquals(usual, ofCrossEncoder(model, CrossEncoderOptions.DEFAULT.withMaxLength(50)));
    }

    private static String ofModel(Path directory) {
        try (Model model = Model.open(directory)) {
            return model.fingerprint();
        }
    }

    private static String ofBiEncoder(Path directory, BiEncoderOptions options) {
        try (BiEncoder encoder = BiEncoder.open(directory, ModelOptions.DEFAULT, options)) {
            return encoder.fingerprint();
        }
    }

    private static String ofCrossEncoder(Path directory, CrossEncoderOptions options) {
        try (CrossEncoder encoder = CrossEncoder.open(directory, ModelOptions.DEFAULT, options)) {
            return encoder.fingerprint();
        }
    }

    @Test
    void standsForDenseLayersInSeveralFilesToo() throws IOException {
        CheckpointFolder copy = CheckpointFolder.copy("gptneo-be", folder);
        String header = "{\"linear.weight\":{\"dtype\":\"F32\",\"shape\":[3,64],\"data_offsets\":[0,768]}}";
        ByteBuffer dense = ByteBuffer.allocate(8 + header.length() + 768).order(ByteOrder.LITTLE_ENDIAN);
        dense.putLong(header.length()).put(header.getBytes(StandardCharsets.UTF_8));
        copy.write("modules.json", """
                [{"path": "", "type": "sentence_transformers.models.Transformer"},
                 {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
                 {"path": "2", "type": "sentence_transformers.models.Dense"}]""");
        copy.write("2/config.json", "{\"in_features\": 64, \"out_features\": 3, \"bias\": false}");
        copy.write("2/model.safetensors", dense.array());
        String single = ofBiEncoder(copy.directory(), BiEncoderOptions.DEFAULT);
        copy.delete("2/model.safetensors").write("2/part.safetensors", dense.array());
        copy.write("2/model.safetensors.index.json", "{\"weight_map\": {\"linear.weight\": \"part.safetensors\"}}");
        assertEquals(single, ofBiEncoder(copy.directory(), BiEncoderOptions.DEFAULT));
        dense.put(dense.capacity() - 1, (byte) 1);
        copy.write("2/part.safetensors", dense.array());
        assertNotEquals(single, ofBiEncoder(copy.directory(), BiEncoderOptions.DEFAULT));
    }
}
