package io.github.sgpt4j.langchain4j;

import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.store.embedding.EmbeddingStore;
import dev.langchain4j.store.embedding.EmbeddingStoreWithRemovalIT;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/// LangChain4j's tests of every store that removes embeddings.
class EmbeddingStoreRemovalContractTest extends EmbeddingStoreWithRemovalIT {
    private static SgptEmbeddingModel model;

    @TempDir
    private Path folder;

    private SgptEmbeddingStore store;

    @BeforeAll
    static void openModel() {
        model = TestModel.ofLengthOne();
    }

    @AfterAll
    static void closeModel() {
        model.close();
    }

    @BeforeEach
    void open() {
        store = SgptEmbeddingStore.builder()
                .path(folder.resolve("index"))
                .embeddingModel(model)
                .build();
    }

    @AfterEach
    void close() {
        store.close();
    }

    @Override
    protected EmbeddingStore<TextSegment> embeddingStore() {
        return store;
    }

    @Override
    protected EmbeddingModel embeddingModel() {
        return model;
    }
}
