package io.github.sgpt4j.spring.ai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.SemanticIndex;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.document.Document;
import org.springframework.ai.rag.Query;
import org.springframework.ai.rag.retrieval.search.VectorStoreDocumentRetriever;
import org.springframework.ai.vectorstore.filter.FilterExpressionBuilder;

/// Retrieval for generation, from documents to the ones that a chat model would get, with Spring AI's own retriever.
class RetrievalTest {
    private static final String WANTED = "arachnophobia";

    /// Every how many entries of the corpus one is taken, besides those about fears.
    private static final int STEP = 400;

    @TempDir
    private Path folder;

    /// Entries of the demo corpus: all kinds of fear, and some others.
    private static List<Document> documents() throws IOException {
        List<Document> documents = new ArrayList<>();
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(NanoModel.corpus(), StandardCharsets.UTF_8))) {
            int number = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                JsonNode entry = new ObjectMapper().readTree(line);
                String title = entry.get("title").asText();
                boolean fear = title.contains("phobia");
                if (fear || number % STEP == 0) {
                    documents.add(new Document(
                            entry.get("_id").asText(),
                            entry.get("text").asText(),
                            Map.of("title", title, "fear", fear, "number", number)));
                }
                number++;
            }
        }
        return documents;
    }

    @Test
    void theRightDocumentComesFirst() throws IOException {
        List<Document> documents = documents();
        assertTrue(documents.size() >= 20, () -> documents.size() + " documents");
        SgptEmbeddingModel model =
                SgptEmbeddingModel.builder(BuiltInModel.ENCODER).build();
        try (SemanticIndex index = SemanticIndex.open(folder, BuiltInModel.ENCODER)) {
            SgptVectorStore store = SgptVectorStore.builder(index, model).build();
            store.add(documents);
            VectorStoreDocumentRetriever retriever = VectorStoreDocumentRetriever.builder()
                    .vectorStore(store)
                    .topK(5)
                    .filterExpression(
                            new FilterExpressionBuilder().eq("fear", true).build())
                    .build();
            Query query = new Query("spiders");
            List<Document> found = retriever.retrieve(query);
            assertEquals(5, found.size());
            assertTrue(found.stream()
                    .allMatch(document -> document.getMetadata().get("fear").equals(true)));
            assertEquals(WANTED, found.getFirst().getMetadata().get("title"));

            List<Document> ranked = SgptDocumentPostProcessor.builder(BuiltInModel.RE_RANKER)
                    .topN(2)
                    .build()
                    .process(query, found);
            assertEquals(2, ranked.size());
            assertEquals(WANTED, ranked.getFirst().getMetadata().get("title"));
        }
    }
}
