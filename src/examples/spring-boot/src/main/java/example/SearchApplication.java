package example;

import java.util.List;
import java.util.Map;
import org.springframework.ai.document.Document;
import org.springframework.ai.rag.Query;
import org.springframework.ai.rag.postretrieval.document.DocumentPostProcessor;
import org.springframework.ai.vectorstore.SearchRequest;
import org.springframework.ai.vectorstore.VectorStore;
import org.springframework.ai.vectorstore.filter.FilterExpressionTextParser.FilterExpressionParseException;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/// Stores documents, finds them by meaning, and re-ranks them.
@SpringBootApplication
@RestController
public class SearchApplication {
    private final VectorStore store;
    private final DocumentPostProcessor reRanking;

    SearchApplication(VectorStore store, DocumentPostProcessor reRanking) {
        this.store = store;
        this.reRanking = reRanking;
    }

    record Entry(String id, String text, Map<String, Object> metadata) {}

    @PostMapping("/documents")
    void add(@RequestBody List<Entry> entries) {
        store.add(entries.stream()
                .map(entry -> new Document(entry.id(), entry.text(), entry.metadata()))
                .toList());
    }

    @GetMapping("/search")
    List<Document> search(@RequestParam String query, @RequestParam(required = false) String filter) {
        SearchRequest request = SearchRequest.builder()
                .query(query)
                .topK(10)
                .filterExpression(filter)
                .build();
        return reRanking.process(new Query(query), store.similaritySearch(request));
    }

    /// A filter that is none, or metadata that cannot be stored: what is wrong is in the message.
    @ExceptionHandler({FilterExpressionParseException.class, IllegalArgumentException.class})
    ProblemDetail refuse(RuntimeException mistake) {
        return ProblemDetail.forStatusAndDetail(HttpStatus.BAD_REQUEST, mistake.getMessage());
    }

    public static void main(String[] arguments) {
        SpringApplication.run(SearchApplication.class, arguments);
    }
}
