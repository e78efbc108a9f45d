package io.github.sgpt4j.spark.partition;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.nano.NanoModel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The function over partitions, without Spark.
class PartitionResultsTest {
    private static final EngineSettings SMALL_BATCHES = EngineSettings.DEFAULT.withBatchTokens(64);
    private static final PartitionEmbedder DOCUMENTS = new PartitionEmbedder(SMALL_BATCHES, TextKind.DOCUMENT, true);

    @BeforeEach
    void startWithoutEngines() {
        Engines.shared().closeIdle();
        assertEquals(0, Engines.shared().size());
    }

    private static List<String> texts(int number) {
        return IntStream.range(0, number)
                .mapToObj(i -> "text number " + i + " about spiders".repeat(i % 5))
                .toList();
    }

    private static PartitionResults<float[]> embed(Iterator<String> texts) {
        return DOCUMENTS.embed(texts, Optional::of, (text, vector) -> vector.orElseThrow());
    }

    @Test
    void vectorsHaveTheBitsOfThePlainEngine() {
        List<String> texts = texts(100);
        List<float[]> vectors = new ArrayList<>();
        embed(texts.iterator()).forEachRemaining(vectors::add);
        try (BiEncoder encoder = NanoModel.open()) {
            assertArrayEquals(encoder.embedDocuments(texts), vectors.toArray(float[][]::new));
        }
    }

    @Test
    void rowsAreReadAsResultsAreTaken() {
        AtomicInteger read = new AtomicInteger();
        Iterator<String> endless = new Iterator<>() {
            @Override
            public boolean hasNext() {
                return true;
            }

            @Override
            public String next() {
                return "text number " + read.incrementAndGet();
            }
        };
        try (PartitionResults<float[]> vectors = embed(endless)) {
            assertEquals(0, read.get());
            assertEquals(0, Engines.shared().size());
            vectors.next();
            // Four batches of 64 tokens.
            assertTrue(read.get() > 20 && read.get() < 256, read::toString);
            int first = read.get();
            for (int i = 1; i < first; i++) {
                vectors.next();
            }
            assertEquals(first, read.get());
            vectors.next();
            assertTrue(read.get() > first);
            assertEquals(0, idle());
        }
        assertEquals(1, idle());
    }

    /// Number of engines that can be closed.
    private static int idle() {
        int before = Engines.shared().size();
        Engines.shared().closeIdle();
        return before - Engines.shared().size();
    }

    @Test
    void aPartitionWithoutTextsOpensNoEngine() {
        assertFalse(embed(Collections.emptyIterator()).hasNext());
        PartitionResults<Boolean> nothing = DOCUMENTS.embed(
                List.of("a", "b").iterator(), _ -> Optional.empty(), (text, vector) -> vector.isPresent());
        assertEquals(false, nothing.next());
        assertEquals(false, nothing.next());
        assertFalse(nothing.hasNext());
        assertEquals(0, Engines.shared().size());
    }

    @Test
    void rowsWithoutTextKeepTheirPlace() {
        List<String> rows = List.of("", "one", "", "", "two", "");
        List<String> shown = new ArrayList<>();
        DOCUMENTS
                .embed(
                        rows.iterator(),
                        row -> Optional.of(row).filter(text -> !text.isEmpty()),
                        (row, vector) -> row + vector.map(v -> v.length).orElse(0))
                .forEachRemaining(shown::add);
        assertEquals(List.of("0", "one256", "0", "0", "two256", "0"), shown);
    }

    @Test
    void aFailureGivesTheEngineBack() {
        Iterator<String> broken = texts(60).stream()
                .map(text -> {
                    if (text.startsWith("text number 50")) {
                        throw new IllegalStateException("broken row");
                    }
                    return text;
                })
                .iterator();
        PartitionResults<float[]> vectors = embed(broken);
        assertThrows(IllegalStateException.class, () -> vectors.forEachRemaining(_ -> {}));
        assertEquals(1, idle());
        assertFalse(vectors.hasNext());
    }

    @Test
    void whatIsCutIsCounted() {
        String tooLong = "spider ".repeat(1000);
        try (PartitionResults<float[]> vectors = embed(List.of("short", tooLong).iterator())) {
            vectors.forEachRemaining(_ -> {});
            assertEquals(
                    "1 of 2 inputs were cut to 256 tokens (the longest had 1003)",
                    vectors.counts().toString());
        }
        PartitionEmbedder strict = new PartitionEmbedder(SMALL_BATCHES, TextKind.DOCUMENT, false);
        PartitionResults<float[]> refused =
                strict.embed(List.of(tooLong).iterator(), Optional::of, (text, vector) -> vector.orElseThrow());
        FormatException e = assertThrows(FormatException.class, refused::next);
        assertEquals("text: expected at most 256 tokens, got 1003", e.getMessage());
    }

    @Test
    void scoresAreThoseOfThePlainEngine() {
        List<TextPair> pairs =
                texts(30).stream().map(text -> new TextPair("spiders", text)).toList();
        List<Float> scores = new ArrayList<>();
        new PartitionReranker(SMALL_BATCHES, true)
                .score(pairs.iterator(), Optional::of, (pair, score) -> score.orElseThrow())
                .forEachRemaining(scores::add);
        try (CrossEncoder encoder = CrossEncoder.open(NanoModel.directory())) {
            assertEquals(
                    encoder.score("spiders", texts(30)).stream()
                            .map(CrossEncoder.Score::value)
                            .toList(),
                    scores);
        }
    }
}
