package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import io.github.sgpt4j.testing.CheckpointFolder;
import io.github.sgpt4j.testing.Goldens;
import io.github.sgpt4j.testing.Refusal;
import io.github.sgpt4j.weights.SafetensorsWriter;
import io.github.sgpt4j.weights.WeightTensor;
import io.github.sgpt4j.weights.Weights;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Output heads that are stored differently from the configuration.
class OutputHeadTest {
    private static final String TABLE = "model.embed_tokens.weight";
    private static final String HEAD = "lm_head.weight";
    private static final List<String> DOCUMENTS = List.of("eight legs", "the weather", "");

    @TempDir
    Path folder;

    private CheckpointFolder model;

    /// A tied Qwen3 that stores only the table.
    @BeforeEach
    void copyModel() {
        model = CheckpointFolder.copy("qwen3-ce", folder);
    }

    private void store(BiConsumer<SafetensorsWriter, WeightTensor> writeTable) throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter();
        try (Weights weights = Weights.open(Goldens.model("qwen3-ce"))) {
            weights.names().stream().filter(name -> !name.equals(TABLE)).forEach(name -> writer.add(weights.get(name)));
            writeTable.accept(writer, weights.get(TABLE));
            model.delete(Weights.SINGLE_FILE);
            writer.write(model.file(Weights.SINGLE_FILE));
        }
    }

    private static void copy(SafetensorsWriter writer, String name, WeightTensor table) {
        writer.add(name, table.dtype(), table.shape(), table.data());
    }

    /// The table with its rows in reverse order.
    private static void reversed(SafetensorsWriter writer, WeightTensor table) {
        byte[] bytes = new byte[Math.toIntExact(table.data().byteSize())];
        int row = bytes.length / (int) table.shape().dimension(0);
        for (int at = 0; at < bytes.length; at += row) {
            MemorySegment.copy(table.data(), at, MemorySegment.ofArray(bytes), bytes.length - row - at, row);
        }
        writer.add(HEAD, table.dtype(), table.shape(), MemorySegment.ofArray(bytes));
    }

    private record Scored(float[] scores, List<String> notices) {}

    private static Scored score(Path directory) {
        try (CrossEncoder encoder = CrossEncoder.open(directory)) {
            List<Float> values = new ArrayList<>();
            encoder.score("legs of spiders", DOCUMENTS).forEach(score -> values.add(score.value()));
            float[] scores = new float[values.size()];
            for (int i = 0; i < scores.length; i++) {
                scores[i] = values.get(i);
            }
            return new Scored(scores, encoder.notices());
        }
    }

    @Test
    void aTiedPairMayBeStoredUnderTheHeadsName() throws IOException {
        store((writer, table) -> copy(writer, HEAD, table));
        Scored scored = score(model.directory());
        assertArrayEquals(score(Goldens.model("qwen3-ce")).scores(), scored.scores());
        assertEquals(List.of(), scored.notices());
    }

    @Test
    void aHeadLikeTheTableIsTheTable() throws IOException {
        store((writer, table) -> {
            copy(writer, TABLE, table);
            copy(writer, HEAD, table);
        });
        Scored scored = score(model.directory());
        assertArrayEquals(score(Goldens.model("qwen3-ce")).scores(), scored.scores());
        assertEquals(List.of(), scored.notices());
    }

    @Test
    void aHeadThatDiffersIsUsedAndTold() throws IOException {
        store((writer, table) -> {
            copy(writer, TABLE, table);
            reversed(writer, table);
        });
        Scored tied = score(model.directory());
        model.set("config.json", "tie_word_embeddings", "false");
        Scored untied = score(model.directory());
        assertArrayEquals(untied.scores(), tied.scores());
        assertNotEquals(Arrays.toString(score(Goldens.model("qwen3-ce")).scores()), Arrays.toString(tied.scores()));
        assertEquals(List.of(), untied.notices());
        assertEquals(1, tied.notices().size());
        String notice = tied.notices().getFirst();
        assertTrue(notice.contains(Weights.SINGLE_FILE) && notice.contains(HEAD), notice);
        assertTrue(notice.contains("tie_word_embeddings"), notice);
    }

    @Test
    void aClassThatClassifiesIsRefusedForScoresOnly() {
        model.set("config.json", "architectures", "[\"Qwen3ForSequenceClassification\"]");
        Refusal.check(
                UnsupportedModelException.class,
                () -> CrossEncoder.open(model.directory()).close(),
                "config.json",
                "architectures",
                "Qwen3ForSequenceClassification");
        BiEncoder.open(model.directory()).close();
    }

    @Test
    void aClassificationHeadIsRefusedForScoresOnly() throws IOException {
        store((writer, table) -> {
            copy(writer, TABLE, table);
            writer.add("score.weight", Shape.of(1, 64), new float[64]);
        });
        Refusal.check(
                UnsupportedModelException.class,
                () -> CrossEncoder.open(model.directory()).close(),
                Weights.SINGLE_FILE,
                "score.weight");
        BiEncoder.open(model.directory()).close();
    }

    @Test
    void theUnusedMayBeOfAnyType() throws IOException {
        store((writer, table) -> {
            copy(writer, TABLE, table);
            writer.add("scales", ElementType.F4, Shape.of(3, 2), MemorySegment.ofArray(new byte[] {1, 2, 3}));
        });
        assertArrayEquals(
                score(Goldens.model("qwen3-ce")).scores(),
                score(model.directory()).scores());
        try (Model opened = Model.open(model.directory())) {
            assertEquals(
                    Map.of("F4", 6L),
                    Map.of("F4", opened.info().elementsByDtype().get("F4")));
            assertEquals(32, opened.fingerprint().length());
            assertTrue(opened.scan().stream()
                    .noneMatch(tensor -> tensor.tensor().name().equals("scales")));
        }
    }

    @Test
    void theNeededMayNot() {
        model.tensors(tensor -> tensor.name().equals(TABLE)
                ? Optional.of(new CheckpointFolder.Replacement(
                        ElementType.F8_E8M0, tensor.shape().toArray()))
                : CheckpointFolder.keep(tensor));
        Refusal.check(
                UnsupportedModelException.class,
                () -> BiEncoder.open(model.directory()).close(),
                Weights.SINGLE_FILE,
                TABLE,
                "expected F32, F16 or BF16, got F8_E8M0");
    }
}
