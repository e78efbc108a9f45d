package io.github.sgpt4j.retrieval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.Pooling;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.corpus.CorpusReader;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class SemanticIndexTest {
    private static final int DOCUMENTS = 600;
    private static final List<String> QUERIES =
            List.of("fear of spiders", "a doctor for children", "measuring heat", "the place where bread is made", "");

    private static Model model;
    private static BiEncoder encoder;
    private static List<Document> corpus;

    @TempDir
    private Path folder;

    @BeforeAll
    static void openModel() throws IOException {
        model = Model.open(NanoModel.directory());
        encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
        corpus = new ArrayList<>();
        try (CorpusReader reader = CorpusReader.ofJsonLines(NanoModel.corpus(), "demo")) {
            while (corpus.size() < DOCUMENTS) {
                corpus.add(reader.next());
            }
        }
    }

    @AfterAll
    static void closeModel() {
        encoder.close();
        model.close();
    }

    @Test
    void whatIsAddedAfterARemovalThatWasNotCommittedStays() throws IOException {
        Document one = Document.of("1", "a spider");
        Document changed = Document.of("1", "a boat");
        try (SemanticIndex index = SemanticIndex.open(folder.resolve("pending"), encoder)) {
            index.add(List.of(one));
            index.commit();
            index.remove(List.of("1"));
            index.add(List.of(one));
            index.commit();
            assertEquals(1, index.size());
            index.removeAll();
            index.update(List.of(one).iterator(), true, UpdateListener.NONE);
            assertEquals(1, index.size());
            index.add(List.of(changed));
            index.add(List.of(one));
            index.commit();
            assertEquals(List.of(one), index.documents(List.of("1")));
            assertEquals(1, index.add(List.of(one)).unchanged());
            // A removal after that is not committed either.
            index.remove(List.of("1"));
            assertEquals(0, index.add(List.of(one)).unchanged());
            index.commit();
            assertEquals(1, index.size());
        }
    }

    @Test
    void findsByCosineWhatEveryVectorWouldGive() throws IOException {
        try (SemanticIndex index = filled(IndexOptions.DEFAULT)) {
            assertFindsNearest(index, SearchOptions.DEFAULT.withExact(true));
            assertFindsNearest(index, SearchOptions.DEFAULT);
        }
    }

    @Test
    void scoresWithFullVectorsWhenTheGraphHasEightBits() throws IOException {
        try (SemanticIndex index = filled(IndexOptions.DEFAULT.withStorage(VectorStorage.INT8))) {
            assertFindsNearest(index, SearchOptions.DEFAULT.withExact(true));
            assertFindsNearest(index, SearchOptions.DEFAULT);
        }
    }

    @Test
    void findsAllDocumentsWhateverTheLimit() throws IOException {
        try (SemanticIndex index = filled(IndexOptions.DEFAULT)) {
            SearchOptions all = SearchOptions.DEFAULT.withLimit(Integer.MAX_VALUE);
            for (SearchOptions options : List.of(all, all.withExact(true), all.withMode(SearchMode.HYBRID))) {
                assertEquals(
                        corpus.size(), index.search(QUERIES.getFirst(), options).size(), options.toString());
            }
        }
    }

    @Test
    void givesTheEmbeddingsOfDocuments() throws IOException {
        for (VectorStorage storage : VectorStorage.values()) {
            Path path = folder.resolve(storage.name());
            try (SemanticIndex index = SemanticIndex.open(path, encoder, IndexOptions.DEFAULT.withStorage(storage))) {
                index.add(List.of(Document.of("1", "bread"), Document.of("2", "spider"), Document.of("3", "salt")));
                index.commit();
                index.add(List.of(Document.of("1", "water")));
                index.add(List.of(Document.of("4", "zero")), new float[1][encoder.dimension()]);
                index.remove(List.of("3"));
                assertEquals(
                        Set.of("1", "2", "3"),
                        index.vectors(List.of("1", "2", "3", "4", "5")).keySet());
                index.commit();
                Map<String, float[]> vectors = index.vectors(List.of("1", "2", "3", "4", "5"));
                assertEquals(Set.of("1", "2"), vectors.keySet());
                assertArrayEquals(Similarity.COSINE.prepare(encoder.embedDocument("water")), vectors.get("1"));
                assertArrayEquals(Similarity.COSINE.prepare(encoder.embedDocument("spider")), vectors.get("2"));
            }
        }
        Path path = folder.resolve("dot");
        try (BiEncoder dot = BiEncoder.of(model, BiEncoderOptions.DEFAULT.withSimilarity(Similarity.DOT));
                SemanticIndex index = SemanticIndex.open(path, dot)) {
            index.add(List.of(Document.of("1", "bread")));
            index.commit();
            assertArrayEquals(
                    encoder.embedDocument("bread"), index.vectors(List.of("1")).get("1"));
        }
    }

    private static void assertFindsNearest(SemanticIndex index, SearchOptions options) throws IOException {
        float[][] documents =
                encoder.embedDocuments(corpus.stream().map(Document::joined).toList());
        for (String query : QUERIES) {
            float[] vector = Similarity.COSINE.prepare(encoder.embedQueries(List.of(query))[0]);
            List<ScoredId> expected = new ArrayList<>();
            for (int i = 0; i < documents.length; i++) {
                expected.add(new ScoredId(corpus.get(i).id(), cosine(vector, Similarity.COSINE.prepare(documents[i]))));
            }
            expected.sort(ScoredId.BEST_FIRST);
            List<Hit> hits = index.search(query, options);
            assertEquals(expected.subList(0, 10).stream().map(ScoredId::id).toList(), ids(hits), query);
            for (int i = 0; i < hits.size(); i++) {
                assertEquals(expected.get(i).score(), hits.get(i).score(), 1e-5);
                assertEquals(hits.get(i).score(), hits.get(i).similarity().orElseThrow());
                assertEquals(Optional.empty(), hits.get(i).bm25());
            }
        }
    }

    private static float cosine(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return (float) sum;
    }

    @Test
    void findsWordsAsTheBaselineDoesWithAndWithoutAModel() throws IOException {
        try (SemanticIndex index = filled(IndexOptions.DEFAULT);
                Bm25Index baseline = Bm25Index.build(folder.resolve("bm25"), corpus.iterator());
                SemanticIndex words = SemanticIndex.openReadOnly(folder.resolve("index"))) {
            // Removed documents count in BM25's statistics until they are merged away.
            index.optimize();
            words.refresh();
            for (String query : QUERIES) {
                SearchOptions options = SearchOptions.DEFAULT.withMode(SearchMode.BM25);
                List<Hit> hits = index.search(query, options);
                assertEquals(
                        baseline.search(query, 10),
                        hits.stream()
                                .map(h -> new ScoredId(h.document().id(), h.score()))
                                .toList());
                assertEquals(hits, words.search(query, options));
                hits.forEach(hit -> assertEquals(Optional.of(hit.score()), hit.bm25()));
            }
            assertThrows(IllegalStateException.class, () -> words.search("bread", 3));
            assertThrows(IllegalStateException.class, () -> words.add(corpus));
        }
    }

    @Test
    void fusesTheTwoRankings() throws IOException {
        try (SemanticIndex index = filled(IndexOptions.DEFAULT)) {
            SearchOptions options =
                    SearchOptions.DEFAULT.withMode(SearchMode.HYBRID).withExact(true);
            for (String query : QUERIES) {
                List<ScoredId> dense = scored(
                        index.search(query, options.withMode(SearchMode.DENSE).withLimit(100)));
                List<ScoredId> bm25 = scored(
                        index.search(query, options.withMode(SearchMode.BM25).withLimit(100)));
                List<ScoredId> expected = Fusion.hybrid(dense, bm25, Similarity.COSINE);
                List<Hit> hits = index.search(query, options);
                assertEquals(expected.subList(0, 10), scored(hits), query);
                assertTrue(hits.stream().allMatch(hit -> hit.similarity().isPresent()));
            }
        }
    }

    private static List<ScoredId> scored(List<Hit> hits) {
        return hits.stream()
                .map(hit -> new ScoredId(hit.document().id(), hit.score()))
                .toList();
    }

    @Test
    void givesDocumentsBackAsTheyWere() throws IOException {
        List<Document> documents = List.of(
                new Document("ä/ö", Optional.of(""), " spiders \n"),
                Document.of("", "spider legs 🕷"),
                Document.of("long", "spider ".repeat(20_000)));
        try (SemanticIndex index = SemanticIndex.open(folder, encoder)) {
            index.add(documents);
            index.commit();
            for (SearchMode mode : SearchMode.values()) {
                List<Hit> hits = index.search("spiders", SearchOptions.DEFAULT.withMode(mode));
                assertEquals(
                        documents.stream()
                                .sorted(Comparator.comparing(Document::id))
                                .toList(),
                        hits.stream()
                                .map(Hit::document)
                                .sorted(Comparator.comparing(Document::id))
                                .toList());
            }
        }
    }

    @Test
    void takesEmbeddingsComputedElsewhere() throws IOException {
        List<Document> some = corpus.subList(0, 50);
        float[][] vectors =
                encoder.embedDocuments(some.stream().map(Document::joined).toList());
        float[] query = encoder.embedQueries(List.of("bread"))[0];
        try (SemanticIndex given = SemanticIndex.open(folder.resolve("given"), encoder);
                SemanticIndex computed = SemanticIndex.open(folder.resolve("computed"), encoder)) {
            given.add(some, vectors);
            given.commit();
            computed.add(some);
            computed.commit();
            assertEquals(ids(computed.search("bread", 50)), ids(given.search("bread", 50)));
            assertEquals(given.search("bread", 7), given.search(query, SearchOptions.DEFAULT.withLimit(7)));
            assertEquals(50, given.add(some).unchanged());
            assertThrows(IllegalArgumentException.class, () -> given.add(some, new float[3][256]));
            assertThrows(IllegalArgumentException.class, () -> given.add(some.subList(0, 1), new float[1][255]));
            assertThrows(IllegalArgumentException.class, () -> given.search(new float[7], SearchOptions.DEFAULT));
            query[3] = Float.NaN;
            assertThrows(IllegalArgumentException.class, () -> given.search(query, SearchOptions.DEFAULT));
            assertThrows(IllegalArgumentException.class, () -> given.add(some.subList(0, 1), new float[][] {query}));
        }
    }

    @Test
    void leavesDocumentsWithoutTokensToOthers() throws IOException {
        Path golden = Path.of("../engine/src/test/resources/goldens/models/gptneo-be");
        try (BiEncoder plain = BiEncoder.open(golden);
                SemanticIndex index = SemanticIndex.open(folder, plain)) {
            assertEquals(
                    2,
                    index.update(
                                    List.of(Document.of("a", ""), Document.of("b", "bread"))
                                            .iterator(),
                                    false,
                                    UpdateListener.NONE)
                            .added());
            assertEquals(List.of("b"), ids(index.search("bread", 10)));
            assertEquals(List.of(), index.search("", 10));
            assertEquals(2, index.size());
            assertEquals(
                    2,
                    index.add(List.of(Document.of("a", ""), Document.of("b", "bread")))
                            .unchanged());
        }
    }

    @Test
    void reRanksTheFirstAndLeavesTheRest() throws IOException {
        try (SemanticIndex index = filled(IndexOptions.DEFAULT);
                CrossEncoder reranker = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT)) {
            List<Hit> first = index.search("a doctor for children", 10);
            SearchOptions options = SearchOptions.DEFAULT.withRerank(4);
            List<Hit> hits = index.search(List.of("a doctor for children"), options, Optional.of(reranker))
                    .getFirst();
            assertEquals(ids(first.subList(4, 10)), ids(hits.subList(4, 10)));
            assertEquals(
                    ids(first.subList(0, 4)).stream().sorted().toList(),
                    ids(hits.subList(0, 4)).stream().sorted().toList());
            for (int i = 0; i < 10; i++) {
                assertEquals(i < 4, hits.get(i).rerankScore().isPresent());
            }
            for (int i = 0; i < 3; i++) {
                assertTrue(hits.get(i).rerankScore().orElseThrow()
                        >= hits.get(i + 1).rerankScore().orElseThrow());
            }
            assertThrows(IllegalArgumentException.class, () -> index.search("q", options));
        }
    }

    @Test
    void refusesAnotherModelByName() throws IOException {
        filled(IndexOptions.DEFAULT).close();
        Path index = folder.resolve("index");
        Path golden = Path.of("../engine/src/test/resources/goldens/models/gptneo-be");
        try (BiEncoder other = BiEncoder.open(golden);
                BiEncoder pooled = BiEncoder.of(model, BiEncoderOptions.DEFAULT.withPooling(Pooling.MEAN))) {
            for (BiEncoder wrong : List.of(other, pooled)) {
                for (String message : List.of(
                        assertThrows(FormatException.class, () -> SemanticIndex.open(index, wrong))
                                .getMessage(),
                        assertThrows(FormatException.class, () -> SemanticIndex.openReadOnly(index, wrong))
                                .getMessage())) {
                    assertTrue(message.startsWith(index + ": this index was made with model nano-specb-"), message);
                    assertTrue(message.contains("(dimension 256, pooling weightedmean, "), message);
                    assertTrue(
                            message.contains(wrong == other ? "with model gptneo-be (dimension 64" : "pooling mean, "),
                            message);
                }
            }
        }
        IndexOptions int8 = IndexOptions.DEFAULT.withStorage(VectorStorage.INT8);
        assertTrue(assertThrows(FormatException.class, () -> SemanticIndex.open(index, encoder, int8))
                .getMessage()
                .contains("vectors of 32 bits"));
        try (SemanticIndex same = SemanticIndex.open(index, encoder)) {
            assertEquals(ModelIdentity.of(encoder), same.model());
        }
    }

    @Test
    void hasOneWriterAndAnyNumberOfReaders() throws IOException {
        try (SemanticIndex writer = SemanticIndex.open(folder, encoder);
                SemanticIndex reader = SemanticIndex.openReadOnly(folder, encoder)) {
            IndexInUseException second =
                    assertThrows(IndexInUseException.class, () -> SemanticIndex.open(folder, encoder));
            assertTrue(second.getMessage().startsWith(folder + ": expected no other writer"), second.getMessage());
            writer.add(corpus.subList(0, 20));
            assertEquals(0, reader.size());
            writer.commit();
            assertEquals(0, reader.size());
            reader.refresh();
            assertEquals(20, reader.size());
            assertEquals(5, reader.search("bread", 5).size());
        }
        SemanticIndex.open(folder, encoder).close();
    }

    @Test
    void refusesDirectoriesOfSomethingElse() throws IOException {
        Files.writeString(folder.resolve("letter.txt"), "Dear");
        assertEquals(
                folder + ": expected an index or an empty directory, found letter.txt",
                assertThrows(FormatException.class, () -> SemanticIndex.open(folder, encoder))
                        .getMessage());
        assertThrows(FormatException.class, () -> SemanticIndex.open(folder.resolve("letter.txt"), encoder));
        assertThrows(FormatException.class, () -> SemanticIndex.openReadOnly(folder.resolve("absent"), encoder));
        assertFalse(Files.exists(folder.resolve("absent")));
        Path other = folder.resolve("bm25");
        Bm25Index.build(other, corpus.iterator()).close();
        assertEquals(
                other + ": expected an index made by sgpt4j, got another Lucene index",
                assertThrows(FormatException.class, () -> SemanticIndex.open(other, encoder))
                        .getMessage());
    }

    @Test
    void takesEmbeddingsOfMoreDimensionsThanLucenesLimit() throws IOException {
        BiEncoderOptions wide = BiEncoderOptions.DEFAULT.withPooling(
                Pooling.CLS, Pooling.MAX, Pooling.MEAN, Pooling.WEIGHTEDMEAN, Pooling.LASTTOKEN);
        try (BiEncoder five = BiEncoder.of(model, wide)) {
            for (VectorStorage storage : VectorStorage.values()) {
                IndexOptions options = IndexOptions.DEFAULT.withStorage(storage);
                try (SemanticIndex index = SemanticIndex.open(folder.resolve(storage.name()), five, options)) {
                    assertEquals(1280, index.model().dimension());
                    index.add(corpus.subList(0, 300));
                    index.commit();
                    assertEquals(10, index.search("bread", 10).size());
                }
            }
        }
    }

    private SemanticIndex filled(IndexOptions options) throws IOException {
        SemanticIndex index = SemanticIndex.open(folder.resolve("index"), encoder, options);
        // In several segments, with a removed document to skip.
        index.add(corpus.subList(0, 250));
        index.commit();
        index.add(corpus.subList(200, DOCUMENTS));
        index.add(List.of(Document.of("gone", "fear of spiders")));
        index.commit();
        index.remove(List.of("gone", "never there"));
        index.commit();
        assertEquals(DOCUMENTS, index.size());
        return index;
    }

    private static List<String> ids(List<Hit> hits) {
        return hits.stream().map(hit -> hit.document().id()).toList();
    }

    @Test
    void whatIsNotUnicodeTextIsRefusedAndNothingIsAdded() throws IOException {
        try (SemanticIndex index = SemanticIndex.open(folder, encoder)) {
            Document sound = Document.of("sound", "spider");
            for (Document wrong : List.of(
                    Document.of("7", "half a pair \ud83d here"), new Document("7", Optional.of("\ude00"), "text"))) {
                String message = "document \"7\": %s: expected Unicode text, got an unpaired surrogate"
                        .formatted(wrong.title().isPresent() ? "title" : "text");
                assertEquals(
                        message,
                        assertThrows(FormatException.class, () -> index.add(List.of(sound, wrong)))
                                .getMessage());
                assertEquals(
                        message,
                        assertThrows(
                                        FormatException.class,
                                        () -> index.add(List.of(sound, wrong), new float[2][encoder.dimension()]))
                                .getMessage());
            }
            index.commit();
            assertEquals(0, index.size());
        }
    }

    @Test
    void anIdThatIsNotUnicodeTextIsNoOthers() throws IOException {
        try (SemanticIndex index = SemanticIndex.open(folder, encoder)) {
            index.add(List.of(Document.of("\ufffd", "spider"), Document.of("?", "bread")));
            index.commit();
            List<String> half = List.of("\ud83d");
            assertEquals(List.of(), index.documents(half));
            assertEquals(Map.of(), index.vectors(half));
            index.remove(half);
            index.commit();
            assertEquals(2, index.size());
        }
    }

    @Test
    void nullsAreNamed() throws IOException {
        try (SemanticIndex index = SemanticIndex.open(folder, encoder)) {
            for (List<String> ids : Arrays.asList(null, Collections.singletonList((String) null))) {
                String message = ids == null ? "ids" : "ids: expected texts, got null";
                for (Executable call : List.<Executable>of(
                        () -> index.remove(ids), () -> index.documents(ids), () -> index.vectors(ids))) {
                    assertEquals(
                            message,
                            assertThrows(NullPointerException.class, call).getMessage());
                }
            }
        }
    }
}
