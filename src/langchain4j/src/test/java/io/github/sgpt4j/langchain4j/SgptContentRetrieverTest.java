package io.github.sgpt4j.langchain4j;

import static dev.langchain4j.store.embedding.filter.MetadataFilterBuilder.metadataKey;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.rag.content.Content;
import dev.langchain4j.rag.content.ContentMetadata;
import dev.langchain4j.rag.query.Metadata;
import dev.langchain4j.rag.query.Query;
import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.SearchMode;
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.SemanticIndex;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SgptContentRetrieverTest {
    private static final String TEXT = "fear of spiders";
    private static final Query QUERY = Query.from(TEXT);

    @TempDir
    private static Path folder;

    private static BiEncoder encoder;
    private static CrossEncoder reranker;
    private static SemanticIndex index;

    @BeforeAll
    static void open() throws IOException {
        encoder = NanoModel.open();
        reranker = CrossEncoder.of(encoder.model(), CrossEncoderOptions.DEFAULT);
        index = SemanticIndex.open(folder.resolve("index"), encoder);
        index.add(List.of(
                document("1", "arachnophobia", "a morbid fear of spiders", "ann"),
                document("2", "bakery", "a place where bread is made", "ann"),
                document("3", "acrophobia", "a morbid fear of great heights", "bob"),
                document("4", "spider", "predatory arachnid with eight legs", "bob")));
        index.commit();
    }

    @AfterAll
    static void close() throws IOException {
        index.close();
        reranker.close();
        encoder.close();
    }

    private static Document document(String id, String title, String text, String owner) {
        return new Document(id, Optional.of(title), text)
                .withMetadata(io.github.sgpt4j.retrieval.corpus.Metadata.of(Map.of("owner", owner)));
    }

    private static SgptContentRetriever.Builder builder() {
        return SgptContentRetriever.builder().index(index);
    }

    private static List<String> ids(List<Content> contents) {
        return contents.stream()
                .map(content -> (String) content.metadata().get(ContentMetadata.EMBEDDING_ID))
                .toList();
    }

    @Test
    void findsWhatTheIndexFindsInEveryMode() throws IOException {
        for (SearchMode mode : SearchMode.values()) {
            SearchOptions options = SearchOptions.DEFAULT.withMode(mode).withLimit(3);
            List<Hit> hits = index.search(TEXT, options);
            List<Content> contents = builder().searchOptions(options).build().retrieve(QUERY);
            assertEquals(hits.size(), contents.size());
            for (int i = 0; i < hits.size(); i++) {
                Hit hit = hits.get(i);
                assertEquals(
                        Map.of(ContentMetadata.EMBEDDING_ID, hit.document().id(), ContentMetadata.SCORE, (double)
                                hit.score()),
                        contents.get(i).metadata());
                assertEquals(
                        hit.document().joined(), contents.get(i).textSegment().text());
            }
        }
        Content first = builder().build().retrieve(QUERY).getFirst();
        assertEquals(
                "arachnophobia a morbid fear of spiders", first.textSegment().text());
        assertEquals(
                Map.of("title", "arachnophobia", "owner", "ann"),
                first.textSegment().metadata().toMap());
    }

    @Test
    void reRanks() throws IOException {
        SearchOptions options = SearchOptions.DEFAULT.withLimit(2).withRerank(4);
        List<Hit> expected =
                index.search(List.of(TEXT), options, Optional.of(reranker)).getFirst();
        for (SgptContentRetriever.Builder builder :
                List.of(builder().reranker(reranker), builder().reranker(SgptScoringModel.of(reranker)))) {
            List<Content> contents = builder.searchOptions(options).build().retrieve(QUERY);
            assertEquals(expected.stream().map(hit -> hit.document().id()).toList(), ids(contents));
            assertEquals(
                    (double) expected.getFirst().rerankScore().orElseThrow(),
                    contents.getFirst().metadata().get(ContentMetadata.RERANKED_SCORE));
            assertEquals(
                    (double) expected.getFirst().score(),
                    contents.getFirst().metadata().get(ContentMetadata.SCORE));
        }
    }

    @Test
    void everyFilterCounts() {
        SearchOptions phobias = SearchOptions.DEFAULT.withFilter(
                io.github.sgpt4j.retrieval.filter.Filter.parse("owner in (\"ann\", \"bob\")"));
        SgptContentRetriever ofUser = builder()
                .searchOptions(phobias)
                .filter(metadataKey("owner").isNotEqualTo("eve"))
                .dynamicFilter(query -> query.metadata() == null
                        ? null
                        : metadataKey("owner")
                                .isEqualTo(query.metadata().chatMemoryId().toString()))
                .build();
        assertEquals(4, ofUser.retrieve(QUERY).size());
        assertEquals(
                List.of("3", "4"),
                ids(ofUser.retrieve(by("bob"))).stream().sorted().toList());
        assertEquals(List.of("1", "2"), ids(ofUser.retrieve(by("ann"))));
        assertEquals(List.of(), ofUser.retrieve(by("eve")));
        assertThrows(
                UnsupportedOperationException.class,
                () -> builder().filter(metadataKey("owner").containsString("a")));
        SgptContentRetriever unsupported = builder()
                .dynamicFilter(query -> metadataKey("owner").containsString("a"))
                .build();
        assertThrows(UnsupportedOperationException.class, () -> unsupported.retrieve(QUERY));
    }

    private static Query by(String user) {
        return Query.from(TEXT, new Metadata(UserMessage.from(TEXT), user, List.of()));
    }

    @Test
    void leavesOutWhatScoresLess() throws IOException {
        List<Hit> hits = index.search(TEXT, SearchOptions.DEFAULT);
        for (int i = 0; i < hits.size(); i++) {
            List<Content> contents =
                    builder().minScore(hits.get(i).score()).build().retrieve(QUERY);
            assertEquals(i + 1, contents.size());
        }
    }

    @Test
    void needsWhatItWasToldToUse() {
        assertRefused("content retriever: expected an index, got none", SgptContentRetriever.builder()::build);
        String expected =
                "content retriever: expected a re-ranker and search options with a number to re-rank, got only the ";
        assertRefused(expected + "re-ranker", builder().reranker(reranker)::build);
        assertRefused(expected + "number", builder().searchOptions(SearchOptions.DEFAULT.withRerank(3))::build);
    }

    private static void assertRefused(String message, Runnable call) {
        assertEquals(
                message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
    }

    @Test
    void anEmbeddingAloneIsNoContent() {
        try (SgptEmbeddingStore store = SgptEmbeddingStore.builder()
                .path(folder.resolve("embeddings"))
                .encoder(encoder)
                .build()) {
            store.add("lonely", Embedding.from(encoder.embedDocument("spider")));
            SgptContentRetriever retriever =
                    SgptContentRetriever.builder().embeddingStore(store).build();
            IllegalStateException e = assertThrows(IllegalStateException.class, () -> retriever.retrieve(QUERY));
            assertEquals("document lonely: expected a text to retrieve, found an embedding alone", e.getMessage());
        }
    }
}
