package io.github.sgpt4j.spring.ai.autoconfigure;

import io.github.sgpt4j.spring.ai.SgptEmbeddingModel;
import io.github.sgpt4j.spring.ai.SgptVectorStore;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.springframework.beans.factory.ObjectProvider;

/// What health indicators check and tell, for both lines of Spring Boot.
final class HealthFacts {
    private final SgptEmbeddingModel model;
    private final ObjectProvider<SgptVectorStore> store;

    HealthFacts(SgptEmbeddingModel model, ObjectProvider<SgptVectorStore> store) {
        this.model = model;
        this.store = store;
    }

    /// Embeds a word, and counts the documents of the vector store if there is one.
    ///
    /// @return details by name
    /// @throws IOException if the index cannot be read
    Map<String, Object> check() throws IOException {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("model", model.name());
        details.put("device", model.encoder().model().device());
        details.put("dimensions", model.encoder().embedQuery("health").length);
        SgptVectorStore present = store.getIfAvailable();
        if (present != null) {
            details.put("documents", present.index().size());
        }
        return details;
    }
}
