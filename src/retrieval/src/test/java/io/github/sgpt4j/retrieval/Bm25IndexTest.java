package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Bm25IndexTest {
    private static final List<Document> DOCUMENTS = List.of(
            Document.of("a", "The spiders' legs and the spiders' webs"),
            new Document("b", Optional.of("Spider"), "an animal with eight legs"),
            Document.of("c", "bread is made of flour"),
            Document.of("d", ""));

    @TempDir
    private Path folder;

    @Test
    void scoresAsBm25WithTheBaselinesParameters() throws IOException {
        try (Bm25Index index = build(DOCUMENTS)) {
            List<ScoredId> found = index.search("leg of a spider", 10);
            // Terms: a = spider leg spider web, b = spider anim eight leg, c = bread made flour; d has
            // none and does not count. Lucene leaves out BM25's constant factor k1 + 1.
            double idf = Math.log(1 + (3 - 2 + 0.5) / (2 + 0.5));
            double norm = 0.9 * (1 - 0.4 + 0.4 * 4 / (11 / 3.0));
            double twice = idf * 2 / (2 + norm);
            double once = idf / (1 + norm);
            assertEquals(List.of("a", "b"), found.stream().map(ScoredId::id).toList());
            assertEquals(twice + once, found.get(0).score(), 1e-6);
            assertEquals(2 * once, found.get(1).score(), 1e-6);
        }
    }

    @Test
    void countsRepeatedWordsAgainAndKnowsNoSyntax() throws IOException {
        try (Bm25Index index = build(DOCUMENTS)) {
            float once = index.search("flour", 1).getFirst().score();
            assertEquals(
                    2 * once, index.search("flour +FLOUR -\"", 1).getFirst().score(), 1e-6);
            assertEquals(List.of(), index.search("", 5));
            assertEquals(List.of(), index.search("of the * AND", 5));
        }
    }

    @Test
    void ordersEqualsByIdAndFindsNoMoreThanAsked() throws IOException {
        List<Document> equal = new ArrayList<>();
        for (int i = 9; i >= 0; i--) {
            equal.add(Document.of("id" + i, "same words"));
        }
        try (Bm25Index index = build(equal)) {
            assertEquals(
                    IntStream.range(0, 10).mapToObj(i -> "id" + i).toList(),
                    index.search("words", 20).stream().map(ScoredId::id).toList());
            assertEquals(3, index.search("words", 3).size());
            assertEquals(10, index.size());
        }
    }

    @Test
    void takesQueriesOfAnyLength() throws IOException {
        StringBuilder query = new StringBuilder();
        for (int i = 0; i < 5 * Words.MAX_TERMS; i++) {
            query.append(" x").append(i);
        }
        try (Bm25Index index = build(DOCUMENTS)) {
            assertEquals(List.of(), index.search(query.toString(), 5));
            assertEquals("c", index.search(query + " flour", 5).getFirst().id());
        }
    }

    @Test
    void replacesAnIndexOnlyWhenTheNewOneIsComplete() throws IOException {
        build(DOCUMENTS).close();
        Iterator<Document> failing = new Iterator<>() {
            @Override
            public boolean hasNext() {
                return true;
            }

            @Override
            public Document next() {
                throw new FormatException("broken");
            }
        };
        assertThrows(FormatException.class, () -> Bm25Index.build(folder, failing));
        try (Bm25Index index = Bm25Index.open(folder)) {
            assertEquals(4, index.size());
        }
        try (Bm25Index index = build(DOCUMENTS.subList(0, 1))) {
            assertEquals(1, index.size());
        }
    }

    @Test
    void saysWhatIsWrongWithAnIndex() throws IOException {
        Path absent = folder.resolve("absent");
        assertEquals(absent + ": expected the directory of an index, found nothing", failure(absent));
        assertEquals(folder + ": expected an index in the directory, found none", failure(folder));
        build(DOCUMENTS).close();
        try (var files = Files.list(folder)) {
            for (Path file : files.filter(f -> f.getFileName().toString().startsWith("segments_"))
                    .toList()) {
                byte[] bytes = Files.readAllBytes(file);
                bytes[bytes.length / 2] ^= 1;
                Files.write(file, bytes);
            }
        }
        assertTrue(failure(folder).startsWith(folder + ": broken index: "), failure(folder));
    }

    private static String failure(Path path) {
        return assertThrows(FormatException.class, () -> Bm25Index.open(path)).getMessage();
    }

    private Bm25Index build(List<Document> documents) throws IOException {
        return Bm25Index.build(folder, documents.iterator());
    }
}
