package io.github.sgpt4j.spring.ai;

import static io.github.sgpt4j.spring.ai.BuiltInModel.ENCODER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.retrieval.SearchMode;
import io.github.sgpt4j.retrieval.SemanticIndex;
import io.micrometer.observation.tck.TestObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistryAssert;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Date;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.TokenCountBatchingStrategy;
import org.springframework.ai.vectorstore.SearchRequest;
import org.springframework.ai.vectorstore.filter.Filter;
import org.springframework.ai.vectorstore.filter.FilterExpressionBuilder;
import org.springframework.ai.vectorstore.observation.DefaultVectorStoreObservationConvention;

class SgptVectorStoreTest {
    private static final List<Document> DOCUMENTS = List.of(
            new Document("spiders", "a morbid fear of spiders", Map.of("kind", "fear", "year", 2020)),
            new Document("snakes", "a morbid fear of snakes", Map.of("kind", "fear", "year", 2023)),
            new Document("bread", "a place where bread is made", Map.of("kind", "place")));

    @TempDir
    private static Path folder;

    private static SgptEmbeddingModel model;
    private static SemanticIndex index;

    /// Shared by the tests that change nothing.
    private static SgptVectorStore store;

    @BeforeAll
    static void open() throws IOException {
        model = SgptEmbeddingModel.builder(ENCODER).build();
        index = SemanticIndex.open(folder.resolve("index"), ENCODER);
        store = SgptVectorStore.builder(index, model).build();
        store.add(DOCUMENTS);
    }

    @AfterAll
    static void close() throws IOException {
        index.close();
    }

    private static SearchRequest.Builder request(String query) {
        return SearchRequest.builder().query(query);
    }

    private static List<String> ids(List<Document> documents) {
        return documents.stream().map(Document::getId).toList();
    }

    private static List<String> found(String query, String filter) {
        return ids(
                store.similaritySearch(request(query).filterExpression(filter).build()));
    }

    @Test
    void documentsComeBackWithTextMetadataAndScore() {
        Document best = store.similaritySearch("fear of spiders").getFirst();
        assertEquals("spiders", best.getId());
        assertEquals("a morbid fear of spiders", best.getText());
        assertEquals("fear", best.getMetadata().get("kind"));
        assertEquals(2020L, best.getMetadata().get("year"));
        float similarity = ENCODER.similarity(
                ENCODER.embedQuery("fear of spiders"), ENCODER.embedDocument("a morbid fear of spiders"));
        assertEquals(similarity, best.getScore(), 1e-5);
        assertEquals(1 - best.getScore(), (double) best.getMetadata().get("distance"), 1e-12);
    }

    @Test
    void filtersLimitWhatIsFound() {
        assertEquals(List.of("bread"), found("fear of spiders", "kind == 'place'"));
        assertEquals(List.of("snakes"), found("fear of spiders", "kind == 'fear' && year > 2020"));
        assertEquals(List.of("spiders", "bread"), found("fear of spiders", "year != 2023"));
    }

    @Test
    void topKAndThresholdLimitWhatIsFound() {
        assertEquals(
                List.of("spiders"),
                ids(store.similaritySearch(request("fear of spiders").topK(1).build())));
        assertEquals(
                List.of(),
                store.similaritySearch(request("fear of spiders").topK(0).build()));
        List<Document> all = store.similaritySearch(
                request("fear of spiders").similarityThresholdAll().build());
        assertEquals(3, all.size());
        double between = (all.get(0).getScore() + all.get(1).getScore()) / 2;
        assertEquals(
                List.of("spiders"),
                ids(store.similaritySearch(
                        request("fear of spiders").similarityThreshold(between).build())));
    }

    @Test
    void documentsAreReplacedAndDeleted() throws IOException {
        try (SemanticIndex changing = SemanticIndex.open(folder.resolve("changing"), ENCODER)) {
            SgptVectorStore changed = SgptVectorStore.builder(changing, model).build();
            changed.add(DOCUMENTS);
            changed.add(List.of(new Document("bread", "a sudden attack of fear", Map.of("distance", 7))));
            assertEquals(3, changing.size());
            Document replaced = changed.similaritySearch("panic attack").getFirst();
            assertEquals("bread", replaced.getId());
            assertEquals(7L, replaced.getMetadata().get("distance"), "a distance of the document's own stays");
            changed.delete(List.of("bread", "unknown"));
            assertEquals(2, changing.size());
            changed.delete("year >= 2023");
            assertEquals(List.of("spiders"), ids(changed.similaritySearch("snakes")));
        }
    }

    @Test
    void changesAreDurableWhenMethodsReturn() throws IOException {
        try (SemanticIndex other = SemanticIndex.openReadOnly(folder.resolve("index"), ENCODER)) {
            assertEquals(3, other.size());
        }
    }

    @Test
    void metadataThatCannotBeStoredIsRefusedByName() {
        List<Document> documents = List.of(new Document("7", "text", Map.of("day", new Date(0))));
        String message = assertThrows(IllegalArgumentException.class, () -> store.add(documents))
                .getMessage();
        assertTrue(message.startsWith("document 7: "), message);
        assertTrue(message.contains("day"), message);
    }

    @Test
    void floatsAreTheNumbersOfTheirDigits() throws IOException {
        try (SemanticIndex numbers = SemanticIndex.open(folder.resolve("numbers"), ENCODER)) {
            SgptVectorStore floats = SgptVectorStore.builder(numbers, model).build();
            Map<String, Object> metadata =
                    Map.of("share", 0.1f, "list", List.of(0.1f, 2f), "array", new float[] {0.3f}, "half", 0.5d);
            floats.add(List.of(new Document("1", "bread", metadata)));
            for (String filter :
                    List.of("share == 0.1", "list == 0.1", "array == 0.3", "share in [0.1, 7]", "share >= 0.1")) {
                SearchRequest search = request("bread").filterExpression(filter).build();
                assertEquals(List.of("1"), ids(floats.similaritySearch(search)), filter);
            }
            Filter.Expression expression =
                    new FilterExpressionBuilder().in("share", 0.1f).build();
            SearchRequest search = request("bread").filterExpression(expression).build();
            Document found = floats.similaritySearch(search).getFirst();
            assertEquals(0.1, found.getMetadata().get("share"));
            assertEquals(List.of(0.1, 2.0), found.getMetadata().get("list"));
        }
    }

    @Test
    void otherModesSearchByWords() {
        SgptVectorStore hybrid = SgptVectorStore.builder(index, model)
                .searchMode(SearchMode.HYBRID)
                .build();
        assertEquals("spiders", hybrid.similaritySearch("spiders").getFirst().getId());
        SgptVectorStore words = SgptVectorStore.builder(index, model)
                .searchMode(SearchMode.BM25)
                .build();
        assertEquals(List.of("bread"), ids(words.similaritySearch("bread")));
        SearchRequest withThreshold = request("bread").similarityThreshold(0.5).build();
        assertTrue(assertThrows(IllegalArgumentException.class, () -> hybrid.similaritySearch(withThreshold))
                .getMessage()
                .contains("similarity threshold: expected none"));
    }

    @Test
    void thresholdsOfDistancesAreRefused() throws IOException {
        BiEncoderOptions options = BiEncoderOptions.DEFAULT.withSimilarity(Similarity.EUCLIDEAN);
        try (BiEncoder encoder = BiEncoder.of(BuiltInModel.MODEL, options);
                SemanticIndex distances = SemanticIndex.open(folder.resolve("distances"), encoder)) {
            SgptVectorStore euclidean = SgptVectorStore.builder(
                            distances, SgptEmbeddingModel.builder(encoder).build())
                    .build();
            euclidean.add(DOCUMENTS);
            Document best = euclidean.similaritySearch("fear of spiders").getFirst();
            assertEquals("spiders", best.getId());
            assertTrue(best.getScore() < 0);
            assertEquals(Map.of("kind", "fear", "year", 2020L), best.getMetadata());
            SearchRequest withThreshold =
                    request("spiders").similarityThreshold(0.5).build();
            assertTrue(assertThrows(IllegalArgumentException.class, () -> euclidean.similaritySearch(withThreshold))
                    .getMessage()
                    .contains("negative distances"));
        }
    }

    @Test
    void anotherModelThanTheIndexsIsRefused() throws IOException {
        try (BiEncoder other = BiEncoder.of(BuiltInModel.MODEL, BiEncoderOptions.DEFAULT.withDimensions(16))) {
            SgptEmbeddingModel otherModel = SgptEmbeddingModel.builder(other).build();
            SgptVectorStore.Builder builder = SgptVectorStore.builder(index, otherModel);
            assertTrue(assertThrows(IllegalArgumentException.class, builder::build)
                    .getMessage()
                    .contains("vector store: the index was made with model"));
        }
    }

    @Test
    void batchingIsTheIndexsOwn() {
        SgptVectorStore.Builder builder = SgptVectorStore.builder(index, model);
        assertThrows(
                UnsupportedOperationException.class, () -> builder.batchingStrategy(new TokenCountBatchingStrategy()));
    }

    @Test
    void theIndexIsTheNativeClient() {
        assertSame(index, store.<SemanticIndex>getNativeClient().orElseThrow());
    }

    @Test
    void operationsAreObserved() {
        TestObservationRegistry registry = TestObservationRegistry.create();
        SgptVectorStore observed = SgptVectorStore.builder(index, model)
                .observationRegistry(registry)
                .collectionName("words")
                .build();
        observed.similaritySearch("fear of spiders");
        TestObservationRegistryAssert.assertThat(registry)
                .doesNotHaveAnyRemainingCurrentObservation()
                .hasObservationWithNameEqualTo(DefaultVectorStoreObservationConvention.DEFAULT_NAME)
                .that()
                .hasContextualNameEqualTo("sgpt4j query")
                .hasLowCardinalityKeyValue("db.system", "sgpt4j")
                .hasHighCardinalityKeyValue("db.collection.name", "words")
                .hasHighCardinalityKeyValue("db.search.similarity_metric", "cosine")
                .hasHighCardinalityKeyValue("db.vector.dimension_count", Integer.toString(model.dimensions()))
                .hasBeenStarted()
                .hasBeenStopped();
    }

    @Test
    void anIdThatTheFrameworkDoesNotTakeIsNamed(@TempDir Path place) throws IOException {
        try (SemanticIndex other = SemanticIndex.open(place, ENCODER)) {
            other.add(List.of(io.github.sgpt4j.retrieval.corpus.Document.of(" ", "bread")));
            other.commit();
            SgptVectorStore over = SgptVectorStore.builder(other, model).build();
            assertEquals(
                    "document \"\\u0020\" of the index: expected an id that is not blank, as Spring AI needs it;"
                            + " add the document with another id",
                    assertThrows(IllegalStateException.class, () -> over.similaritySearch("bread"))
                            .getMessage());
        }
    }
}
