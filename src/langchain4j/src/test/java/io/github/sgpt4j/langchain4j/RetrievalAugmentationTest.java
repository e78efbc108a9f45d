package io.github.sgpt4j.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.data.document.Document;
import dev.langchain4j.data.document.Metadata;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.rag.AugmentationRequest;
import dev.langchain4j.rag.AugmentationResult;
import dev.langchain4j.rag.DefaultRetrievalAugmentor;
import dev.langchain4j.rag.content.Content;
import dev.langchain4j.rag.content.ContentMetadata;
import dev.langchain4j.rag.content.aggregator.ReRankingContentAggregator;
import dev.langchain4j.rag.content.retriever.ContentRetriever;
import dev.langchain4j.rag.content.retriever.EmbeddingStoreContentRetriever;
import dev.langchain4j.rag.query.Query;
import dev.langchain4j.store.embedding.EmbeddingStoreIngestor;
import dev.langchain4j.store.embedding.IngestionResult;
import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.SearchMode;
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.corpus.CorpusReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Documents are ingested, retrieved, re-ranked and put into a prompt by the framework, with this module's
/// parts, the built-in model and some of its demo corpus.
class RetrievalAugmentationTest {
    /// Queries and the words that they describe, which do not occur in them.
    private static final Map<String, String> ANSWERS = Map.ofEntries(
            Map.entry("fear of spiders", "arachnophobia"),
            Map.entry("fear of heights", "acrophobia"),
            Map.entry("someone who studies the stars", "astronomer"),
            Map.entry("instrument for measuring temperature", "thermometer"),
            Map.entry("animal doctor", "veterinarian"),
            Map.entry("person who designs buildings", "architect"),
            Map.entry("drug that kills bacteria", "antibiotic"),
            Map.entry("machine that washes plates", "dishwasher"),
            Map.entry("doctor for children", "pediatrician"),
            Map.entry("place where bread is made", "bakery"),
            Map.entry("vehicle that takes sick people to hospital", "ambulance"),
            Map.entry("season when leaves fall", "autumn"),
            Map.entry("child without parents", "orphan"),
            Map.entry("unable to sleep", "insomnia"),
            Map.entry("longing for the past", "nostalgia"),
            Map.entry("woman whose husband has died", "widow"),
            Map.entry("stringed instrument played with a bow", "violin"),
            Map.entry("fear of small spaces", "claustrophobia"),
            Map.entry("fixes pipes and toilets", "plumber"));

    /// Those whose answers the small model also scores best as a cross-encoder.
    private static final List<String> RE_RANKED = List.of(
            "instrument for measuring temperature",
            "person who designs buildings",
            "drug that kills bacteria",
            "season when leaves fall",
            "fixes pipes and toilets");

    @TempDir
    private static Path folder;

    private static BiEncoder encoder;
    private static SgptEmbeddingModel model;
    private static SgptEmbeddingStore store;
    private static SgptScoringModel scoring;
    private static List<Document> documents;
    private static IngestionResult ingested;

    @BeforeAll
    static void ingest() throws IOException {
        encoder = NanoModel.open();
        model = SgptEmbeddingModel.of(encoder);
        scoring = SgptScoringModel.of(CrossEncoder.of(encoder.model(), CrossEncoderOptions.DEFAULT));
        store = SgptEmbeddingStore.builder()
                .path(folder.resolve("index"))
                .embeddingModel(model)
                .build();
        documents = documents();
        ingested = EmbeddingStoreIngestor.builder()
                .embeddingModel(model.forDocuments())
                .embeddingStore(store)
                .build()
                .ingest(documents);
    }

    @AfterAll
    static void close() {
        store.close();
        scoring.encoder().close();
        encoder.close();
    }

    /// The entries of the answers.
    private static List<Document> documents() throws IOException {
        List<Document> found = new ArrayList<>();
        try (CorpusReader reader = CorpusReader.ofJsonLines(NanoModel.corpus(), "demo")) {
            while (reader.hasNext()) {
                io.github.sgpt4j.retrieval.corpus.Document entry = reader.next();
                if (words(entry.title().orElseThrow()).stream().anyMatch(ANSWERS::containsValue)) {
                    found.add(Document.from(
                            entry.joined(), Metadata.from("words", entry.title().orElseThrow())));
                }
            }
        }
        return found;
    }

    private static List<String> words(String list) {
        return Arrays.asList(list.split(", "));
    }

    private static void assertAnswer(String query, Content content) {
        String words = String.valueOf(content.textSegment().metadata().getString("words"));
        assertTrue(words(words).contains(ANSWERS.get(query)), () -> query + ": " + words);
    }

    @Test
    void everyDocumentIsIngestedAsADocument() {
        assertTrue(documents.size() >= ANSWERS.size(), () -> "documents: " + documents.size());
        int tokens = documents.stream()
                .mapToInt(document -> encoder.tokenize(document.text(), TextKind.DOCUMENT).length)
                .sum();
        assertEquals(tokens, ingested.tokenUsage().inputTokenCount());
    }

    @Test
    void theAnswerIsFirstWhoeverRetrieves() {
        List<ContentRetriever> retrievers = List.of(
                EmbeddingStoreContentRetriever.builder()
                        .embeddingStore(store)
                        .embeddingModel(model.forQueries())
                        .build(),
                SgptContentRetriever.builder().embeddingStore(store).build());
        for (ContentRetriever retriever : retrievers) {
            for (String query : ANSWERS.keySet()) {
                assertAnswer(query, retriever.retrieve(Query.from(query)).getFirst());
            }
        }
    }

    @Test
    void theFrameworkReRanksAndAugmentsThePrompt() {
        DefaultRetrievalAugmentor augmentor = DefaultRetrievalAugmentor.builder()
                .contentRetriever(SgptContentRetriever.builder()
                        .embeddingStore(store)
                        .searchOptions(SearchOptions.DEFAULT
                                .withMode(SearchMode.HYBRID)
                                .withLimit(5))
                        .build())
                .contentAggregator(ReRankingContentAggregator.builder()
                        .scoringModel(scoring)
                        .maxResults(2)
                        .build())
                .build();
        for (String query : RE_RANKED) {
            UserMessage message = UserMessage.from(query);
            AugmentationResult result = augmentor.augment(new AugmentationRequest(
                    message, new dev.langchain4j.rag.query.Metadata(message, "user", List.of())));
            assertEquals(2, result.contents().size());
            Content first = result.contents().getFirst();
            assertAnswer(query, first);
            assertEquals(
                    scoring.score(first.textSegment(), query).content(),
                    first.metadata().get(ContentMetadata.RERANKED_SCORE));
            String prompt = ((UserMessage) result.chatMessage()).singleText();
            assertTrue(
                    prompt.startsWith(query)
                            && prompt.contains(first.textSegment().text()),
                    prompt);
        }
    }
}
