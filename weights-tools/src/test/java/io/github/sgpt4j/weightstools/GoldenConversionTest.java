package io.github.sgpt4j.weightstools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.Pooling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Checkpoints written by PyTorch become the same safetensors that the reference wrote, and compute the
/// same results.
class GoldenConversionTest {
    @TempDir
    Path folder;

    private ConvertReport convert(String name, ConvertOptions options) throws IOException {
        Path source = Checkpoints.pickled(name, Files.createDirectories(folder.resolve("pickled")));
        return Converter.convert(source, folder.resolve(name), options, ConvertListener.NONE);
    }

    private JsonNode expected(String name) throws IOException {
        return new ObjectMapper()
                .readTree(folder.resolve(name).resolve("expected.json").toFile());
    }

    @ParameterizedTest
    @ValueSource(strings = {"gptneo-be-bin", "bloom-ce", "gptj-ce", "gptneox-sequential-ce"})
    void everyTensorEqualsTheReferences(String name) throws IOException {
        ConvertReport report = convert(name, ConvertOptions.DEFAULT);
        Map<String, String> reference = Checkpoints.tensors(Checkpoints.twin(name));
        assertEquals(reference, Checkpoints.tensors(folder.resolve(name)));
        assertEquals(reference.size(), report.tensors());
        assertEquals(List.of(folder.resolve(name).resolve("model.safetensors")), report.files());
    }

    @ParameterizedTest
    @ValueSource(strings = {"gptneo-be-bin", "bloom-ce", "gptneox-sequential-ce"})
    void singleFilesEqualTheReferencesByteForByte(String name) throws IOException {
        convert(name, ConvertOptions.DEFAULT);
        assertArrayEquals(
                Files.readAllBytes(Checkpoints.twin(name).resolve("model.safetensors")),
                Files.readAllBytes(folder.resolve(name).resolve("model.safetensors")));
    }

    @Test
    void theTiedHeadIsStoredOnce() throws IOException {
        ConvertReport report = convert("bloom-ce", ConvertOptions.DEFAULT);
        assertEquals(Map.of("lm_head.weight", "transformer.word_embeddings.weight"), report.tied());
    }

    @ParameterizedTest
    @ValueSource(strings = {"gptneo-be-bin", "gptj-ce"})
    void shardsHoldTheSameTensors(String name) throws IOException {
        ConvertReport report = convert(name, ConvertOptions.DEFAULT.withMaxShardBytes(100_000));
        assertTrue(report.files().size() > 3);
        assertEquals(Checkpoints.tensors(Checkpoints.twin(name)), Checkpoints.tensors(folder.resolve(name)));
        JsonNode index = new ObjectMapper()
                .readTree(folder.resolve(name)
                        .resolve("model.safetensors.index.json")
                        .toFile());
        assertEquals(report.bytes(), index.get("metadata").get("total_size").longValue());
        Set<String> named = new HashSet<>();
        index.get("weight_map").forEach(file -> named.add(file.textValue()));
        assertEquals(report.files().size() - 1, named.size());
        for (String file : named) {
            assertTrue(Files.exists(folder.resolve(name).resolve(file)), file);
        }
    }

    @Test
    void biEncodersComputeWhatTheReferenceComputes() throws IOException {
        convert("gptneo-be-bin", ConvertOptions.DEFAULT);
        JsonNode expected = expected("gptneo-be-bin");
        for (String mode : List.of("weightedmean", "mean", "lasttoken")) {
            BiEncoderOptions options = BiEncoderOptions.DEFAULT.withSpecb(false).withPooling(Pooling.parse(mode));
            try (BiEncoder encoder = BiEncoder.open(folder.resolve("gptneo-be-bin"), ModelOptions.DEFAULT, options)) {
                for (int i = 0; i < expected.get("texts").size(); i++) {
                    float[] actual = encoder.embed(expected.get("texts").get(i).textValue());
                    checkClose(expected.get("pooled").get(mode).get(i), actual);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bloom-ce", "gptj-ce", "gptneox-sequential-ce"})
    void crossEncodersComputeWhatTheReferenceComputes(String name) throws IOException {
        convert(name, ConvertOptions.DEFAULT.withMaxShardBytes(200_000));
        JsonNode expected = expected(name);
        CrossEncoderOptions options = CrossEncoderOptions.DEFAULT
                .withPrompt(expected.get("prompt").textValue())
                .withMaxLength(expected.get("max_length").intValue());
        List<String> documents = new ArrayList<>();
        expected.get("documents").forEach(document -> documents.add(document.textValue()));
        try (CrossEncoder encoder = CrossEncoder.open(folder.resolve(name), ModelOptions.DEFAULT, options)) {
            for (int q = 0; q < expected.get("queries").size(); q++) {
                List<CrossEncoder.Score> scores =
                        encoder.score(expected.get("queries").get(q).textValue(), documents);
                for (int d = 0; d < documents.size(); d++) {
                    checkClose(
                            expected.get("scores").get(q).get(d).doubleValue(),
                            scores.get(d).value());
                    float[] tokens = new float[scores.get(d).tokens()];
                    for (int t = 0; t < tokens.length; t++) {
                        tokens[t] = scores.get(d).tokenLogProbabilities().get(t);
                    }
                    checkClose(expected.get("token_log_probs").get(q).get(d), tokens);
                }
            }
        }
    }

    @Test
    void otherTypesComputeNearlyTheSame() throws IOException {
        convert("gptneo-be-bin", ConvertOptions.DEFAULT.withDtype(Dtype.BF16));
        assertFalse(Checkpoints.tensors(folder.resolve("gptneo-be-bin")).values().stream()
                .anyMatch(text -> !text.startsWith("BF16 ")));
        JsonNode expected = expected("gptneo-be-bin");
        BiEncoderOptions options = BiEncoderOptions.DEFAULT.withSpecb(false).withPooling(Pooling.WEIGHTEDMEAN);
        try (BiEncoder encoder = BiEncoder.open(folder.resolve("gptneo-be-bin"), ModelOptions.DEFAULT, options)) {
            float[] actual = encoder.embed(expected.get("texts").get(0).textValue());
            JsonNode reference = expected.get("pooled").get("weightedmean").get(0);
            double dot = 0;
            double a = 0;
            double b = 0;
            for (int i = 0; i < actual.length; i++) {
                dot += actual[i] * reference.get(i).doubleValue();
                a += actual[i] * actual[i];
                b += reference.get(i).doubleValue() * reference.get(i).doubleValue();
            }
            assertTrue(dot / Math.sqrt(a * b) > 0.999, "cosine " + dot / Math.sqrt(a * b));
        }
    }

    private static void checkClose(JsonNode expected, float[] actual) {
        assertEquals(expected.size(), actual.length);
        for (int i = 0; i < actual.length; i++) {
            checkClose(expected.get(i).doubleValue(), actual[i]);
        }
    }

    /// The project's error bound for 32-bit arithmetic at the end of a model.
    private static void checkClose(double expected, double actual) {
        assertEquals(expected, actual, 5e-5 + 5e-5 * Math.abs(expected));
    }
}
