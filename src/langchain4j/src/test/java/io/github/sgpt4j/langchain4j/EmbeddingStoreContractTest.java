package io.github.sgpt4j.langchain4j;

import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.store.embedding.EmbeddingStore;
import dev.langchain4j.store.embedding.EmbeddingStoreWithFilteringIT;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/// LangChain4j's tests of every store with filters.
class EmbeddingStoreContractTest extends EmbeddingStoreWithFilteringIT {
    @TempDir
    private static Path folder;

    private static SgptEmbeddingModel model;
    private static SgptEmbeddingStore store;

    @BeforeAll
    static void open() {
        model = TestModel.ofLengthOne();
        store = SgptEmbeddingStore.builder()
                .path(folder.resolve("index"))
                .embeddingModel(model)
                .build();
    }

    @AfterAll
    static void close() {
        store.close();
        model.close();
    }

    @Override
    protected EmbeddingStore<TextSegment> embeddingStore() {
        return store;
    }

    @Override
    protected EmbeddingModel embeddingModel() {
        return model;
    }

    @Override
    protected void clearStore() {
        store.removeAll();
    }
}
