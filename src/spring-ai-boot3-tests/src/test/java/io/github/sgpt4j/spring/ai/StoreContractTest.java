package io.github.sgpt4j.spring.ai;

import io.github.sgpt4j.retrieval.SemanticIndex;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.test.vectorstore.BaseVectorStoreTests;
import org.springframework.ai.vectorstore.VectorStore;

/// Spring AI's own tests of vector stores.
class StoreContractTest extends BaseVectorStoreTests {
    @TempDir
    private Path folder;

    @Override
    protected void executeTest(Consumer<VectorStore> test) {
        SgptEmbeddingModel model =
                SgptEmbeddingModel.builder(BuiltInModel.ENCODER).build();
        try (SemanticIndex index = SemanticIndex.open(folder, BuiltInModel.ENCODER)) {
            test.accept(SgptVectorStore.builder(index, model).build());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
