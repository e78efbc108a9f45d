package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.corpus.CorpusReader;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.corpus.Metadata;
import io.github.sgpt4j.retrieval.filter.Filter;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryIndexTest {
    private static final int DOCUMENTS = 300;
    private static final SearchOptions EXACT =
            SearchOptions.DEFAULT.withExact(true).withCandidates(20);

    private static BiEncoder encoder;
    private static List<Document> corpus;
    private static float[][] vectors;

    @BeforeAll
    static void embed() throws IOException {
        encoder = NanoModel.open();
        corpus = new ArrayList<>();
        try (CorpusReader reader = CorpusReader.ofJsonLines(NanoModel.corpus(), "demo")) {
            while (corpus.size() < DOCUMENTS - 1) {
                corpus.add(reader.next());
            }
        }
        corpus.add(Document.of("empty", ""));
        vectors = encoder.embedDocuments(corpus.stream().map(Document::joined).toList());
        // A document without a direction.
        vectors[DOCUMENTS - 1] = new float[encoder.dimension()];
    }

    @AfterAll
    static void close() {
        encoder.close();
    }

    @Test
    void findsTheSameAsAnIndexOnDisk(@TempDir Path folder) throws IOException {
        try (MemoryIndex memory = memory();
                SemanticIndex disk = SemanticIndex.open(folder, encoder)) {
            disk.add(corpus, vectors);
            disk.commit();
            for (String query : List.of("feeling fear", "a child of the same family", "the", "zzz")) {
                float[] vector = encoder.embedQueries(List.of(query))[0];
                for (SearchMode mode : SearchMode.values()) {
                    for (int limit : new int[] {1, 7, 2 * DOCUMENTS}) {
                        SearchOptions options = EXACT.withMode(mode).withLimit(limit);
                        List<Hit> expected = disk.search(query, vector, options);
                        assertEquals(expected, memory.search(query, vector, options), query + " " + options);
                    }
                }
            }
        }
    }

    @Test
    void anIndexOnDiskFindsTheSameWhoeverEmbedsTheQuery(@TempDir Path folder) throws IOException {
        try (SemanticIndex disk = SemanticIndex.open(folder, encoder)) {
            disk.add(corpus, vectors);
            disk.commit();
            String query = "feeling fear";
            float[] vector = encoder.embedQueries(List.of(query))[0];
            for (SearchMode mode : SearchMode.values()) {
                SearchOptions options = EXACT.withMode(mode);
                List<Hit> expected = disk.search(query, options);
                assertFalse(expected.isEmpty());
                assertEquals(expected, disk.search(query, vector, options), mode.name());
            }
            assertThrows(
                    IllegalArgumentException.class,
                    () -> disk.search(query, new float[1], EXACT.withMode(SearchMode.HYBRID)));
            assertEquals(
                    disk.search(query, EXACT.withMode(SearchMode.BM25)),
                    disk.search(query, new float[0], EXACT.withMode(SearchMode.BM25)));
        }
    }

    @Test
    void aQueryWithoutADirectionIsSearchedForByWordsOnly() throws IOException {
        try (MemoryIndex memory = memory()) {
            float[] zero = new float[encoder.dimension()];
            assertEquals(List.of(), memory.search("fear", zero, EXACT));
            List<Hit> hits = memory.search("fear", zero, EXACT.withMode(SearchMode.HYBRID));
            assertFalse(hits.isEmpty());
            assertEquals(Optional.empty(), hits.getFirst().similarity());
        }
    }

    @Test
    void theLastOfDocumentsWithOneIdCounts() throws IOException {
        List<Document> twice = List.of(Document.of("a", "old words"), Document.of("a", "new words"));
        float[][] rows = {{1, 0}, {0, 1}};
        try (MemoryIndex memory = new MemoryIndex(2, Similarity.COSINE, twice, rows)) {
            assertEquals(1, memory.size());
            List<Hit> hits = memory.search("words", new float[] {0, 2}, EXACT.withMode(SearchMode.HYBRID));
            assertEquals(1, hits.size());
            assertEquals("new words", hits.getFirst().document().text());
            assertEquals(Optional.of(1f), hits.getFirst().similarity());
        }
    }

    @Test
    void refusesWhatDoesNotFit() throws IOException {
        List<Document> one = List.of(Document.of("a", "words"));
        assertThrows(IllegalArgumentException.class, () -> new MemoryIndex(2, Similarity.COSINE, one, new float[0][]));
        assertThrows(
                IllegalArgumentException.class,
                () -> new MemoryIndex(2, Similarity.COSINE, one, new float[][] {{Float.NaN, 0}}));
        MemoryIndex memory = memory();
        assertThrows(IllegalArgumentException.class, () -> memory.search("a", new float[1], EXACT));
        assertThrows(IllegalArgumentException.class, () -> memory.search("a", new float[0], EXACT.withRerank(1)));
        memory.close();
        assertThrows(
                IllegalStateException.class, () -> memory.search("a", new float[0], EXACT.withMode(SearchMode.BM25)));
        memory.close();
    }

    private static MemoryIndex memory() {
        return new MemoryIndex(encoder.dimension(), encoder.similarity(), corpus, vectors);
    }

    @Test
    void anInterruptEndsASearchThatFilters() throws IOException, InterruptedException {
        // Each of many conditions is compared with each of many values, of many documents.
        List<Filter> conditions = new ArrayList<>();
        for (int i = 0; i < Filter.MAX_FILTERS - 1; i++) {
            conditions.add(Filter.greater("n", 1_000_000 + i));
        }
        Filter filter = Filter.or(conditions);
        Metadata metadata =
                Metadata.of(Map.of("n", IntStream.range(0, 1000).boxed().toList()));
        List<Document> many = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            many.add(Document.of("d" + i, "words").withMetadata(metadata));
        }
        float[][] rows = new float[many.size()][];
        Arrays.fill(rows, new float[] {1, 0});
        try (MemoryIndex memory = new MemoryIndex(2, Similarity.COSINE, many, rows)) {
            AtomicReference<Object> result = new AtomicReference<>();
            Thread searching = Thread.ofPlatform().daemon().start(() -> {
                try {
                    result.set(memory.search("", new float[] {1, 0}, EXACT.withFilter(filter)));
                } catch (CancelledException | IOException e) {
                    result.set(e);
                }
            });
            Thread.sleep(300);
            searching.interrupt();
            searching.join(Duration.ofSeconds(30));
            assertInstanceOf(CancelledException.class, result.get());
        }
    }
}
