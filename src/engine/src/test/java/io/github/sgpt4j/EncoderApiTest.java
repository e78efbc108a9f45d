package io.github.sgpt4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.testing.Goldens;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// The short forms of encoders, and options for prompts and dimensions.
class EncoderApiTest {
    private static final List<String> TEXTS = List.of("A spider has eight legs.", "Bread is made of flour.", "Legs");
    private static final ModelOptions ONE_THREAD =
            ModelOptions.DEFAULT.withDevice("cpu").withThreads(1);

    private static final BiEncoderOptions SPECB = BiEncoderOptions.DEFAULT.withSpecb(true);

    private static BiEncoder biEncoder(BiEncoderOptions options) {
        return BiEncoder.open(Goldens.model("gptneo-be"), ONE_THREAD, options);
    }

    @Test
    void singleTextsAreEmbeddedAsListsAre() {
        try (BiEncoder encoder = biEncoder(SPECB)) {
            assertArrayEquals(encoder.embedQueries(TEXTS)[0], encoder.embedQuery(TEXTS.getFirst()));
            assertArrayEquals(encoder.embedDocuments(TEXTS)[0], encoder.embedDocument(TEXTS.getFirst()));
        }
    }

    @Test
    void similaritiesAreThoseOfTheModel() {
        for (Similarity similarity : Similarity.values()) {
            try (BiEncoder encoder = biEncoder(SPECB.withSimilarity(similarity))) {
                float[][] queries = encoder.embedQueries(TEXTS.subList(0, 2));
                float[][] documents = encoder.embedDocuments(TEXTS);
                float[][] all = encoder.similarities(queries, documents);
                assertEquals(2, all.length);
                for (int i = 0; i < 2; i++) {
                    assertEquals(TEXTS.size(), all[i].length);
                    for (int j = 0; j < TEXTS.size(); j++) {
                        assertEquals(similarity.of(queries[i], documents[j]), all[i][j]);
                        assertEquals(all[i][j], encoder.similarity(queries[i], documents[j]));
                    }
                }
            }
        }
    }

    @Test
    void aPromptStandsInFrontOfTextsOfItsKind() {
        try (BiEncoder plain = biEncoder(BiEncoderOptions.DEFAULT.withSpecb(false));
                BiEncoder prompted = biEncoder(SPECB.withPrompt(TextKind.QUERY, "query: "));
                BiEncoder bare = biEncoder(SPECB.withPrompt(TextKind.DOCUMENT, ""))) {
            float[] expected = plain.embed("query: " + TEXTS.getFirst());
            assertArrayEquals(expected, prompted.embedQuery(TEXTS.getFirst()));
            assertArrayEquals(expected, plain.embedWithPrompt("query: ", TEXTS)[0]);
            assertArrayEquals(plain.embed(TEXTS.getFirst()), bare.embedDocument(TEXTS.getFirst()));
            // Documents keep their brackets.
            assertArrayEquals(bracketed(), prompted.embedDocument(TEXTS.getFirst()));
            assertTrue(!prompted.fingerprint().equals(bare.fingerprint()));
        }
    }

    private static float[] bracketed() {
        try (BiEncoder encoder = biEncoder(SPECB)) {
            return encoder.embedDocument(TEXTS.getFirst());
        }
    }

    @Test
    void dimensionsAreCutAndScaledAgain() {
        try (BiEncoder whole = biEncoder(SPECB);
                BiEncoder cut = biEncoder(SPECB.withDimensions(5))) {
            assertEquals(5, cut.dimension());
            float[] all = whole.embed(TEXTS.getFirst());
            float[] few = cut.embed(TEXTS.getFirst());
            double length = Math.sqrt(IntStream.range(0, 5)
                    .mapToDouble(i -> (double) all[i] * all[i])
                    .sum());
            for (int i = 0; i < 5; i++) {
                assertEquals(all[i] / length, few[i], 1e-6);
            }
        }
    }

    @Test
    void rankingOrdersDocumentsByTheirScores() {
        try (CrossEncoder encoder =
                CrossEncoder.open(Goldens.model("gptneo-ce"), ONE_THREAD, CrossEncoderOptions.DEFAULT)) {
            List<String> documents = List.of(TEXTS.get(0), TEXTS.get(1), TEXTS.get(2), TEXTS.get(0));
            List<CrossEncoder.Score> scores = encoder.score("legs", documents);
            List<CrossEncoder.Ranked> expected = IntStream.range(0, documents.size())
                    .mapToObj(i -> new CrossEncoder.Ranked(i, scores.get(i).value()))
                    .sorted(Comparator.comparing(CrossEncoder.Ranked::score)
                            .reversed()
                            .thenComparing(CrossEncoder.Ranked::index))
                    .toList();
            assertEquals(expected, encoder.rank("legs", documents));
            assertEquals(expected.subList(0, 2), encoder.rank("legs", documents, 2));
            assertEquals(List.of(), encoder.rank("legs", documents, 0));
            assertThrows(IllegalArgumentException.class, () -> encoder.rank("legs", documents, -1));
        }
    }

    @Test
    void optionsKeepWhatTheyAreGiven() {
        BiEncoderOptions options = BiEncoderOptions.DEFAULT
                .withPooling(Pooling.MEAN)
                .withSpecb(true)
                .withPrompt(TextKind.QUERY, "q")
                .withTruncateDim(7)
                .withMaxLength(9)
                .withSimilarity(Similarity.DOT)
                .withTruncate(false)
                .withBatchTokens(11);
        assertEquals(List.of(Pooling.MEAN), options.pooling());
        assertEquals(Optional.of(true), options.specb());
        assertEquals(Optional.of("q"), options.prompt(TextKind.QUERY));
        assertEquals(Optional.empty(), options.prompt(TextKind.DOCUMENT));
        BiEncoderOptions named = options.withPromptName(TextKind.QUERY, "s2p");
        assertEquals(Optional.of("s2p"), named.promptName(TextKind.QUERY));
        assertEquals(Optional.empty(), named.prompt(TextKind.QUERY));
        assertEquals(Optional.empty(), named.promptName(TextKind.TEXT));
        assertEquals(options, named.withPrompt(TextKind.QUERY, "q"));
        assertEquals(OptionalInt.of(7), options.truncateDim());
        assertEquals(OptionalInt.of(9), options.maxLength());
        assertEquals(Optional.of(Similarity.DOT), options.similarity());
        assertEquals(OptionalInt.of(11), options.batchTokens());
        assertEquals(OptionalInt.empty(), BiEncoderOptions.DEFAULT.batchTokens());
        assertTrue(!options.normalize() && !options.truncate());
        assertEquals(options, options.withNormalize(false));
        assertEquals(options.hashCode(), options.withNormalize(false).hashCode());
        assertEquals(OptionalInt.empty(), BiEncoderOptions.DEFAULT.maxLength());
        assertEquals(OptionalInt.empty(), CrossEncoderOptions.DEFAULT.maxLength());
        assertEquals(OptionalInt.empty(), ModelOptions.DEFAULT.threads());
        assertThrows(IllegalArgumentException.class, () -> options.withTruncateDim(0));
        assertThrows(IllegalArgumentException.class, () -> options.withMaxLength(0));
        assertThrows(IllegalArgumentException.class, () -> ModelOptions.DEFAULT.withThreads(0));
        assertThrows(IllegalArgumentException.class, () -> ModelOptions.DEFAULT.withThreads(1025));
    }
}
