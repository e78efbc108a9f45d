package io.github.sgpt4j.langchain4j;

import static dev.langchain4j.store.embedding.filter.MetadataFilterBuilder.metadataKey;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.langchain4j.data.document.Metadata;
import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.store.embedding.EmbeddingMatch;
import dev.langchain4j.store.embedding.EmbeddingSearchRequest;
import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.IndexInUseException;
import io.github.sgpt4j.retrieval.IndexOptions;
import io.github.sgpt4j.retrieval.SemanticIndex;
import io.github.sgpt4j.retrieval.VectorStorage;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SgptEmbeddingStoreTest {
    private static BiEncoder encoder;
    private static SgptEmbeddingModel model;

    @TempDir
    private Path folder;

    private Path path;

    @BeforeAll
    static void openModel() {
        encoder = NanoModel.open();
        model = SgptEmbeddingModel.of(encoder).forDocuments();
    }

    @AfterAll
    static void closeModel() {
        encoder.close();
    }

    @BeforeEach
    void name() {
        path = folder.resolve("index");
    }

    private SgptEmbeddingStore.Builder builder() {
        return SgptEmbeddingStore.builder().path(path).embeddingModel(model);
    }

    private static Embedding embedding(String text) {
        return model.embed(text).content();
    }

    private static List<EmbeddingMatch<TextSegment>> search(SgptEmbeddingStore store, String text, int limit) {
        return store.search(EmbeddingSearchRequest.builder()
                        .queryEmbedding(embedding(text))
                        .maxResults(limit)
                        .build())
                .matches();
    }

    private static List<String> ids(List<EmbeddingMatch<TextSegment>> matches) {
        return matches.stream().map(EmbeddingMatch::embeddingId).toList();
    }

    @Test
    void everythingIsThereAfterReopening() {
        UUID uuid = UUID.randomUUID();
        Metadata metadata = new Metadata()
                .put("word", "spider")
                .put("uuid", uuid)
                .put("int", -3)
                .put("long", Long.MAX_VALUE)
                .put("float", 1.23456789f)
                .put("double", Math.PI);
        try (SgptEmbeddingStore store = builder().build()) {
            store.addAll(
                    List.of("1", "2"),
                    List.of(embedding("eight legs"), embedding("bread")),
                    Arrays.asList(TextSegment.from("eight legs", metadata), null));
        }
        try (SgptEmbeddingStore store = builder().build()) {
            List<EmbeddingMatch<TextSegment>> matches = search(store, "eight legs", Integer.MAX_VALUE);
            assertEquals(List.of("1", "2"), ids(matches));
            TextSegment segment = matches.getFirst().embedded();
            assertEquals("eight legs", segment.text());
            assertEquals(
                    Map.of(
                            "word",
                            "spider",
                            "uuid",
                            uuid.toString(),
                            "int",
                            -3L,
                            "long",
                            Long.MAX_VALUE,
                            "float",
                            1.2345679,
                            "double",
                            Math.PI),
                    segment.metadata().toMap());
            assertEquals(1.23456789f, segment.metadata().getFloat("float"));
            assertEquals(uuid, segment.metadata().getUUID("uuid"));
            assertNull(matches.getLast().embedded());
        }
    }

    @Test
    void whatWasAddedIsOnDiskAtOnce() throws IOException {
        try (SgptEmbeddingStore store = builder().build()) {
            String id = store.add(embedding("spider"), TextSegment.from("spider"));
            try (SemanticIndex reader = SemanticIndex.openReadOnly(path, encoder)) {
                assertEquals(1, reader.size());
                store.remove(id);
                reader.refresh();
                assertEquals(0, reader.size());
            }
        }
    }

    @Test
    void anIdThatIsThereIsReplaced() {
        try (SgptEmbeddingStore store = builder().build()) {
            store.addAll(
                    List.of("1", "2", "1"),
                    List.of(embedding("bread"), embedding("salt"), embedding("spider")),
                    List.of(TextSegment.from("bread"), TextSegment.from("salt"), TextSegment.from("spider")));
            assertEquals(List.of("1", "2"), ids(search(store, "spider", 10)));
            store.add("2", embedding("an eight-legged spider"));
            assertNull(search(store, "an eight-legged spider", 1).getFirst().embedded());
            assertEquals(2, search(store, "spider", 10).size());
        }
    }

    @Test
    void scoresAndEmbeddingsAreThoseOfTheCosine() {
        for (IndexOptions options :
                List.of(IndexOptions.DEFAULT, IndexOptions.DEFAULT.withStorage(VectorStorage.INT8))) {
            path = folder.resolve(options.storage().name());
            try (SgptEmbeddingStore store =
                    builder().indexOptions(options).exact(true).candidates(7).build()) {
                store.add("1", embedding("bread"));
                float[] expected = Similarity.COSINE.prepare(encoder.embedDocument("bread"));
                EmbeddingMatch<TextSegment> match = search(store, "spider", 1).getFirst();
                assertArrayEquals(expected, match.embedding().vector());
                float cosine = Similarity.COSINE.of(expected, encoder.embedDocument("spider"));
                assertEquals((1 + cosine) / 2, match.score(), 1e-6);
                assertEquals(1, search(store, "bread", 1).getFirst().score(), 1e-6);
            }
        }
    }

    @Test
    void aCallThatIsRefusedAddsNothing() {
        float[] zero = new float[encoder.dimension()];
        float[] broken = zero.clone();
        broken[3] = Float.NaN;
        Embedding good = embedding("spider");
        try (SgptEmbeddingStore store = builder().build()) {
            assertRefused(
                    "vector: expected 256 components, got 3",
                    () -> store.addAll(List.of(good, Embedding.from(new float[] {1, 2, 3}))));
            assertRefused(
                    "vector: expected finite numbers, got NaN",
                    () -> store.addAll(List.of(good, Embedding.from(broken))));
            assertRefused(
                    "embedding 1: expected a number other than zero, got none, so no other is similar to it",
                    () -> store.addAll(List.of(good, Embedding.from(zero))));
            assertRefused("id cannot be null or blank", () -> store.add(" ", good));
            assertRefused("id cannot be null or blank", () -> store.add((String) null, good));
            assertRefused(
                    "ids: expected 1, one per embedding, got 2",
                    () -> store.addAll(List.of("1", "2"), List.of(good), null));
            assertRefused(
                    "text segments: expected 1, one per embedding, got 0",
                    () -> store.addAll(List.of("1"), List.of(good), List.of()));
            assertEquals(List.of(), store.addAll(List.of()));
            assertEquals(List.of(), search(store, "spider", 10));
        }
    }

    private static void assertRefused(String message, Runnable call) {
        assertEquals(
                message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
    }

    @Test
    void refusesFiltersThatAnIndexCannotEvaluate() {
        try (SgptEmbeddingStore store = builder().build()) {
            store.add(embedding("spider"));
            EmbeddingSearchRequest request = EmbeddingSearchRequest.builder()
                    .queryEmbedding(embedding("spider"))
                    .filter(metadataKey("word").containsString("s"))
                    .build();
            assertThrows(UnsupportedOperationException.class, () -> store.search(request));
            assertThrows(UnsupportedOperationException.class, () -> store.removeAll(request.filter()));
            assertEquals(1, search(store, "spider", 10).size());
        }
    }

    @Test
    void servesAnIndexThatWasFilledInAnotherWay() throws IOException {
        try (SemanticIndex index = SemanticIndex.open(path, encoder)) {
            Document document = new Document("1", Optional.of("arachnophobia"), "a morbid fear of spiders")
                    .withMetadata(io.github.sgpt4j.retrieval.corpus.Metadata.of(
                            Map.of("noun", true, "senses", List.of(1, 2), "lang", "en")));
            index.add(List.of(document, Document.of("2", "bread")));
            index.commit();
            try (SgptEmbeddingStore store =
                    SgptEmbeddingStore.builder().index(index).build()) {
                EmbeddingMatch<TextSegment> match =
                        search(store, "fear of spiders", 1).getFirst();
                assertEquals(
                        "arachnophobia a morbid fear of spiders",
                        match.embedded().text());
                assertEquals(
                        Map.of("title", "arachnophobia", "noun", "true", "senses", "1, 2", "lang", "en"),
                        match.embedded().metadata().toMap());
            }
            assertEquals(2, index.size());
        }
    }

    @Test
    void anIndexBelongsToOneModelAndOneWriter() {
        try (SgptEmbeddingStore store = builder().build()) {
            store.add(embedding("spider"));
            UncheckedIOException e =
                    assertThrows(UncheckedIOException.class, () -> builder().build());
            assertInstanceOf(IndexInUseException.class, e.getCause());
        }
        try (BiEncoder other = BiEncoder.of(encoder.model(), BiEncoderOptions.DEFAULT.withDimensions(10))) {
            assertThrows(FormatException.class, () -> builder().encoder(other).build());
        }
    }

    @Test
    void refusesOtherSimilaritiesBeforeAnythingIsMade() throws IOException {
        String message = "embedding store: expected embeddings that are compared by cosine,"
                + " as scores from 0 to 1 need, got dot";
        try (BiEncoder dot = BiEncoder.of(encoder.model(), BiEncoderOptions.DEFAULT.withSimilarity(Similarity.DOT))) {
            assertRefused(message, () -> builder().encoder(dot).build());
            assertEquals(false, Files.exists(path));
            try (SemanticIndex index = SemanticIndex.open(path, dot)) {
                assertRefused(message, SgptEmbeddingStore.builder().index(index)::build);
            }
        }
    }

    @Test
    void isBuiltFromAFolderWithAModelOrFromAnIndex() throws IOException {
        String expected = "embedding store: expected an index, or a path and the model of the embeddings, got ";
        assertRefused(expected + "none", SgptEmbeddingStore.builder()::build);
        assertRefused(expected + "a path only", SgptEmbeddingStore.builder().path(path)::build);
        assertRefused(expected + "a model only", SgptEmbeddingStore.builder().encoder(encoder)::build);
        try (SemanticIndex index = SemanticIndex.open(path, encoder)) {
            assertRefused(
                    "path: expected none beside an index that is already open, got one",
                    builder().index(index)::build);
            assertRefused(
                    "indexOptions: expected none beside an index that is already open, got one",
                    SgptEmbeddingStore.builder().index(index).indexOptions(IndexOptions.DEFAULT)::build);
        }
    }

    @Test
    void aSearchReadsOneStateOfTheIndex() {
        try (SgptEmbeddingStore store = builder().exact(true).build()) {
            store.addAll(List.of("1"), List.of(embedding("eight legs")), null);
            // What is added after the request was made and before the index is searched.
            EmbeddingSearchRequest request = new EmbeddingSearchRequest(embedding("bread"), 10, null, null) {
                @Override
                public int maxResults() {
                    store.addAll(List.of("2"), List.of(embedding("bread")), null);
                    return super.maxResults();
                }
            };
            assertEquals(List.of("2", "1"), ids(store.search(request).matches()));
        }
    }

    @Test
    void whatTheFrameworkDoesNotTakeIsNamed() throws IOException {
        Document blank = Document.of(" \n", "bread");
        Document name = Document.of("7", "eight legs")
                .withMetadata(io.github.sgpt4j.retrieval.corpus.Metadata.of(Map.of("\t", 1)));
        try (SgptEmbeddingStore store = builder().build()) {
            SemanticIndex index = store.index();
            index.add(List.of(blank));
            index.commit();
            assertEquals(
                    "document \"\\u0020\\u000a\" of the index: expected an id that is not blank, as LangChain4j needs it;"
                            + " add the document with another id",
                    assertThrows(IllegalStateException.class, () -> search(store, "bread", 1))
                            .getMessage());
            index.remove(List.of(" \n"));
            index.add(List.of(name));
            index.commit();
            String message = "document 7: expected names of metadata that are not blank, as LangChain4j needs them, got"
                    + " \"\\u0009\"";
            assertEquals(
                    message,
                    assertThrows(IllegalStateException.class, () -> search(store, "bread", 1))
                            .getMessage());
            SgptContentRetriever retriever =
                    SgptContentRetriever.builder().embeddingStore(store).build();
            assertEquals(
                    message,
                    assertThrows(
                                    IllegalStateException.class,
                                    () -> retriever.retrieve(dev.langchain4j.rag.query.Query.from("bread")))
                            .getMessage());
            // An id of control characters is blank for the framework too.
            assertThrows(IllegalArgumentException.class, () -> store.add("\u0001", embedding("bread")));
        }
    }
}
