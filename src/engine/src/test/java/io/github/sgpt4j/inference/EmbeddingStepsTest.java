package io.github.sgpt4j.inference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.reference.ReferenceBackend;
import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.checkpoint.SentenceModules;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.testing.Variants;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EmbeddingStepsTest {
    private final ReferenceBackend backend = new ReferenceBackend();

    private static float[] normalized(float... vector) {
        EmbeddingSteps.normalize(vector);
        return vector;
    }

    @Test
    void aVectorIsScaledToLengthOne() {
        assertArrayEquals(new float[] {0.6f, -0.8f}, normalized(3, -4), 1e-7f);
        assertArrayEquals(new float[] {1}, normalized(1e-3f), 0);
    }

    @Test
    void zeroStaysZero() {
        assertArrayEquals(new float[] {0, 0, 0}, normalized(0, 0, 0), 0);
        assertArrayEquals(new float[0], normalized(), 0);
    }

    @Test
    void tinyLengthsCountAsTheSmallestOne() {
        assertEquals(1e-30f / 1e-12f, normalized(1e-30f)[0], 1e-24f);
    }

    @Test
    void squaresDoNotOverflow() {
        assertArrayEquals(new float[] {0.70710677f, 0.70710677f}, normalized(3e38f, 3e38f), 1e-7f);
    }

    @Test
    void withoutStepsVectorsAreUnchanged() {
        try (EmbeddingSteps steps = EmbeddingSteps.load(backend, List.of(), 3)) {
            assertEquals(3, steps.width());
            assertArrayEquals(new float[] {1, 2, 3}, steps.apply(new float[][] {{1, 2, 3}}, Cancellation.NEVER)[0]);
            assertEquals(0, steps.apply(new float[0][], Cancellation.NEVER).length);
        }
    }

    @Test
    void stepsAreAppliedInOrder() {
        List<SentenceModules.Step> steps =
                SentenceModules.read(Variants.model("st-two-dense-f16")).steps();
        try (EmbeddingSteps loaded = EmbeddingSteps.load(backend, steps, 16)) {
            assertEquals(5, loaded.width());
        }
        FormatException e = assertThrows(
                FormatException.class, () -> EmbeddingSteps.load(backend, steps.reversed(), 16), "wrong order");
        assertTrue(e.getMessage().contains("in_features") && e.getMessage().contains("16"), e.getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "activation_function; \"torch.nn.modules.activation.Hardtanh\"",
                "use_residual; true",
                "module_input_name; \"token_embeddings\"",
                "module_output_name; \"token_embeddings\"",
            })
    void unsupportedDenseOptionsAreRefusedByName(String key, String json, @TempDir Path directory) throws IOException {
        UnsupportedModelException e = assertThrows(UnsupportedModelException.class, () -> dense(directory, key, json));
        assertTrue(e.getMessage().contains(key.replace("_function", " function"))
                || e.getMessage().contains(key));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {"in_features; 0", "in_features; 15", "out_features; 12", "out_features; \"11\"", "bias; 1"})
    void denseShapesMustAgree(String key, String json, @TempDir Path directory) throws IOException {
        SgptException e = assertThrows(SgptException.class, () -> dense(directory, key, json));
        assertTrue(e instanceof FormatException, e.toString());
        assertEquals(0, backend.openTensors());
    }

    /// The dense layer of st-dense-tanh, one key of its config.json added or replaced.
    private void dense(Path directory, String key, String json) throws IOException {
        Path original = Variants.model("st-dense-tanh").resolve("2_Dense");
        Files.copy(original.resolve("model.safetensors"), directory.resolve("model.safetensors"));
        String config = Files.readString(original.resolve("config.json"))
                .replaceAll("\"" + key + "\": [^,}]*", "\"ignored\": 0")
                .replaceFirst("\\{", "{\"" + key + "\": " + json + ",");
        Files.writeString(directory.resolve("config.json"), config);
        EmbeddingSteps.load(backend, List.of(new SentenceModules.Step.Dense(directory)), 16)
                .close();
    }
}
