package io.github.sgpt4j.server.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.nano.NanoModel;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Names of models.
@Timeout(120)
class ServedModelsTest {
    private static Model model;
    private static BiEncoder encoder;
    private static CrossEncoder scorer;

    @BeforeAll
    static void open() {
        model = Model.open(NanoModel.directory());
        encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
        scorer = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT);
    }

    @AfterAll
    static void close() {
        scorer.close();
        encoder.close();
        model.close();
    }

    private static ServedModel served(String id, boolean embeds, boolean scores, String... aliases) {
        return new ServedModel(
                id,
                List.of(aliases),
                model,
                embeds ? Optional.of(encoder) : Optional.empty(),
                scores ? Optional.of(scorer) : Optional.empty());
    }

    private final ServedModel first = served("owner/first", true, false, "a", "b:query");
    private final ServedModel ranker = served("ranker", false, true);
    private final ServedModel both = served("both", true, true, "c");
    private final ServedModels models = new ServedModels(List.of(ranker, first, both));

    private void assertEmbedder(ServedModel expected, Optional<TextKind> kind, String name) {
        ServedModels.Embedder found = models.embedder(Optional.of(name)).orElseThrow();
        assertSame(expected, found.model(), name);
        assertEquals(kind, found.kind(), name);
        assertTrue(models.knows(name), name);
    }

    @Test
    void theFirstThatCanAnswersForAll() {
        assertSame(first, models.embedder(Optional.empty()).orElseThrow().model());
        assertSame(ranker, models.scorer(Optional.empty()).orElseThrow().model());
    }

    @Test
    void namesMayHaveTheKindAsSuffix() {
        assertEmbedder(first, Optional.empty(), "owner/first");
        assertEmbedder(first, Optional.empty(), "a");
        assertEmbedder(first, Optional.of(TextKind.QUERY), "owner/first:query");
        assertEmbedder(first, Optional.of(TextKind.DOCUMENT), "a:document");
        assertEmbedder(both, Optional.of(TextKind.DOCUMENT), "c:document");
        // A name that itself ends so means itself.
        assertEmbedder(first, Optional.empty(), "b:query");
        assertEmbedder(first, Optional.of(TextKind.DOCUMENT), "b:query:document");
    }

    @Test
    void unknownNamesHaveNoModel() {
        for (String name : List.of("", ":query", "d", "A", "owner/first:text", "a:query:query", "b")) {
            assertFalse(models.knows(name), name);
            assertTrue(models.embedder(Optional.of(name)).isEmpty(), name);
            assertTrue(models.scorer(Optional.of(name)).isEmpty(), name);
        }
    }

    @Test
    void aModelDoesWhatItIsServedFor() {
        assertTrue(models.embedder(Optional.of("ranker")).isEmpty());
        assertTrue(models.scorer(Optional.of("owner/first")).isEmpty());
        assertSame(both, models.scorer(Optional.of("c")).orElseThrow().model());
        assertThrows(IllegalArgumentException.class, () -> served("none", false, false));
    }

    @Test
    void namesAreDifferent() {
        ServedModel same = served("a", true, false);
        assertEquals(
                "two models are named a",
                assertThrows(IllegalArgumentException.class, () -> new ServedModels(List.of(first, same)))
                        .getMessage());
        ServedModel twice = served("x", true, false, "x");
        assertThrows(IllegalArgumentException.class, () -> new ServedModels(List.of(twice)));
        assertThrows(IllegalArgumentException.class, () -> new ServedModels(List.of()));
    }

    @Test
    void theDeviceHasAShortName() {
        assertEquals("cpu", first.computeType());
    }
}
