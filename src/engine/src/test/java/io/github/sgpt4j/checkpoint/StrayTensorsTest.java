package io.github.sgpt4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.model.DecoderLayout;
import io.github.sgpt4j.testing.CheckpointFolder;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Variants;
import io.github.sgpt4j.weights.Weights;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Which stored tensors are reported as not part of the model.
class StrayTensorsTest {
    @TempDir
    private Path parent;

    private static Optional<String> notice(Path directory) {
        try (Weights weights = Weights.open(directory)) {
            return StrayTensors.notice(DecoderLayout.read(directory, weights.names()), weights);
        }
    }

    private static Stream<Path> checkpoints() {
        return Stream.concat(
                        Goldens.models().stream().map(Goldens::model),
                        Stream.concat(Variants.decoders().stream(), Variants.embeddings().stream())
                                .map(Variants::model))
                .filter(Weights::hasSafetensors);
    }

    /// These include heads and old buffers.
    @ParameterizedTest
    @MethodSource("checkpoints")
    void nothingIsToldOfTheReferenceCheckpoints(Path directory) {
        assertEquals(Optional.empty(), notice(directory));
    }

    @Test
    void layersBeyondThoseOfTheConfiguration() {
        CheckpointFolder checkpoint = CheckpointFolder.copy("gpt2-be", parent).set("config.json", "n_layer", "2");
        String notice = notice(checkpoint.directory()).orElseThrow();
        assertTrue(
                notice.startsWith(checkpoint.file("model.safetensors") + ": ignored unknown tensors \"h.2."), notice);
    }

    @Test
    void normsThatTheFamilyDoesNotHave() {
        CheckpointFolder checkpoint =
                CheckpointFolder.copy("qwen3-be", parent).set("config.json", "model_type", "\"llama\"");
        String notice = notice(checkpoint.directory()).orElseThrow();
        assertTrue(notice.contains("\"layers.0.self_attn.k_norm.weight\""), notice);
    }
}
