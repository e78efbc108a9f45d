package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.FilterDirectoryReader;
import org.apache.lucene.index.FilterLeafReader;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.MMapDirectory;
import org.apache.lucene.util.Bits;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Searching threads are interrupted, before the search and during it.
class InterruptedSearchTest {
    private static final Path MODELS = Path.of("../engine/src/test/resources/goldens/models");
    private static final int DOCUMENTS = 3_000;
    private static final String QUERY = "one two seven";

    @TempDir
    private static Path folder;

    private static BiEncoder encoder;
    private static float[] queryVector = new float[0];

    @BeforeAll
    static void makeIndex() throws IOException {
        encoder = BiEncoder.open(MODELS.resolve("gptneo-be"));
        Random random = new Random(5);
        queryVector = vector(random);
        try (SemanticIndex index = SemanticIndex.open(folder, encoder)) {
            List<Document> documents = new ArrayList<>();
            List<float[]> vectors = new ArrayList<>();
            for (int i = 0; i < DOCUMENTS; i++) {
                documents.add(Document.of("d" + i, "one " + (i % 2 == 0 ? "two " : "three ") + i));
                vectors.add(vector(random));
                if (i == DOCUMENTS / 3) {
                    index.add(documents, vectors.toArray(float[][]::new));
                    index.commit();
                    documents.clear();
                    vectors.clear();
                }
            }
            index.add(documents, vectors.toArray(float[][]::new));
        }
    }

    @AfterAll
    static void closeModel() {
        encoder.close();
    }

    private static float[] vector(Random random) {
        float[] vector = new float[encoder.dimension()];
        for (int i = 0; i < vector.length; i++) {
            vector[i] = (float) random.nextGaussian();
        }
        return vector;
    }

    /// An index that counts the documents a search checks for being live, and interrupts at one of
    /// them.
    private static final class InterruptingReader extends FilterDirectoryReader {
        private final Questions questions;

        /// How many documents were checked, and at which to interrupt.
        private static final class Questions {
            private long asked;
            private long interruptAt = Long.MAX_VALUE;

            boolean ask() {
                asked++;
                if (asked == interruptAt) {
                    Thread.currentThread().interrupt();
                }
                return true;
            }
        }

        InterruptingReader(DirectoryReader in, Questions questions) throws IOException {
            super(in, new SubReaderWrapper() {
                @Override
                public LeafReader wrap(LeafReader reader) {
                    return leaf(reader, questions);
                }
            });
            this.questions = questions;
        }

        private static LeafReader leaf(LeafReader reader, Questions questions) {
            Bits live = new Bits() {
                @Override
                public boolean get(int index) {
                    return questions.ask();
                }

                @Override
                public int length() {
                    return reader.maxDoc();
                }
            };
            return new FilterLeafReader(reader) {
                @Override
                public Bits getLiveDocs() {
                    return live;
                }

                @Override
                public CacheHelper getCoreCacheHelper() {
                    return in.getCoreCacheHelper();
                }

                @Override
                public CacheHelper getReaderCacheHelper() {
                    return in.getReaderCacheHelper();
                }
            };
        }

        @Override
        protected DirectoryReader doWrapDirectoryReader(DirectoryReader in) throws IOException {
            return new InterruptingReader(in, questions);
        }

        @Override
        public CacheHelper getReaderCacheHelper() {
            return in.getReaderCacheHelper();
        }
    }

    /// Wherever a scan is interrupted, it ends soon, and never with part of the result.
    @ParameterizedTest
    @CsvSource({"DENSE, true", "DENSE, false", "BM25, false", "HYBRID, false"})
    void aScanEndsSoonAndNeverWithAPartOfTheResult(SearchMode mode, boolean exact) throws IOException {
        SearchOptions options =
                SearchOptions.DEFAULT.withMode(mode).withExact(exact).withLimit(50);
        InterruptingReader.Questions questions = new InterruptingReader.Questions();
        try (Directory directory = new MMapDirectory(folder);
                Analyzer analyzer = Words.analyzer();
                DirectoryReader reader = new InterruptingReader(DirectoryReader.open(directory), questions)) {
            VectorSpace space = new VectorSpace(encoder.similarity());
            IndexSearcher inSteps = new CancellableSearcher(reader, 100);
            inSteps.setSimilarity(Words.SIMILARITY);
            FirstStage stage = new FirstStage(inSteps, analyzer, space, options);
            List<Hit> whole =
                    new FirstStage(Words.searcher(reader), analyzer, space, options).search(QUERY, queryVector);
            questions.asked = 0;
            assertEquals(whole, stage.search(QUERY, queryVector));
            assertEquals(50, whole.size());
            long all = questions.asked;
            assertTrue(all >= 500, all + " documents looked at");
            long latest = 0;
            for (long at = 1; at <= all; at += 1 + all / 60) {
                questions.asked = 0;
                questions.interruptAt = at;
                assertThrows(CancelledException.class, () -> stage.search(QUERY, queryVector));
                assertTrue(Thread.interrupted());
                latest = Math.max(latest, questions.asked - at);
            }
            assertTrue(latest <= all / 2, "%d of %d documents looked at after an interrupt".formatted(latest, all));
            questions.interruptAt = Long.MAX_VALUE;
            assertEquals(whole, stage.search(QUERY, queryVector));
        }
    }

    @ParameterizedTest
    @EnumSource(SearchMode.class)
    void aThreadThatIsInterruptedSearchesNothingAndCanSearchAfterwards(SearchMode mode) throws IOException {
        SearchOptions options = SearchOptions.DEFAULT.withMode(mode);
        try (SemanticIndex index = SemanticIndex.openReadOnly(folder, encoder)) {
            Thread.currentThread().interrupt();
            assertThrows(CancelledException.class, () -> index.search(QUERY, options));
            assertThrows(CancelledException.class, () -> index.search(queryVector, options.withMode(SearchMode.DENSE)));
            assertEquals(DOCUMENTS, index.size());
            assertTrue(Thread.interrupted());
            assertEquals(10, index.search(QUERY, options).size());
            assertEquals(10, index.search(queryVector, SearchOptions.DEFAULT).size());
        }
    }

    @Test
    void aThreadThatIsInterruptedDoesNotReRank() throws IOException {
        try (SemanticIndex index = SemanticIndex.openReadOnly(folder, encoder);
                CrossEncoder reranker = CrossEncoder.open(MODELS.resolve("gptneo-ce"))) {
            SearchOptions options =
                    SearchOptions.DEFAULT.withMode(SearchMode.BM25).withRerank(5);
            Thread.currentThread().interrupt();
            assertThrows(CancelledException.class, () -> index.search(List.of(QUERY), options, Optional.of(reranker)));
            assertTrue(Thread.interrupted());
            assertFalse(index.search(List.of(QUERY), options, Optional.of(reranker))
                    .getFirst()
                    .isEmpty());
        }
    }

    @Test
    void anIndexOfWordsIsSearchedMadeAndOpenedByTheSameRules(@TempDir Path words) throws IOException {
        List<Document> documents = List.of(Document.of("a", "one two"), Document.of("b", "three"));
        Bm25Index.build(words, documents.iterator()).close();
        Thread.currentThread().interrupt();
        assertThrows(
                CancelledException.class,
                () -> Bm25Index.build(words, List.of(Document.of("c", "four")).iterator()));
        try (Bm25Index index = Bm25Index.open(words)) {
            assertThrows(CancelledException.class, () -> index.search("one", 5));
            assertTrue(Thread.interrupted());
            assertEquals(2, index.size());
            assertEquals("a", index.search("one", 5).getFirst().id());
        }
        Bm25Index.build(words, List.of(Document.of("c", "four")).iterator()).close();
        assertEquals(1, sizeOf(words));
    }

    /// The interrupt comes with the last document: everything has been read, and is written.
    @Test
    void anIndexOfWordsIsFinishedOnceEverythingIsRead(@TempDir Path words) throws IOException {
        List<Document> documents = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            documents.add(Document.of("d" + i, "text"));
        }
        Bm25Index.build(
                        words,
                        documents.stream()
                                .peek(document -> {
                                    if (document.equals(documents.getLast())) {
                                        Thread.currentThread().interrupt();
                                    }
                                })
                                .iterator())
                .close();
        assertTrue(Thread.interrupted());
        assertEquals(100, sizeOf(words));
    }

    private static int sizeOf(Path words) throws IOException {
        try (Bm25Index index = Bm25Index.open(words)) {
            return index.size();
        }
    }
}
