package io.github.sgpt4j.langchain4j;

import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.common.AbstractEmbeddingModelIT;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.nano.NanoModel;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/// LangChain4j's tests of every embedding model.
class SgptEmbeddingModelContractTest extends AbstractEmbeddingModelIT {
    private BiEncoder encoder;

    @BeforeAll
    void open() {
        encoder = NanoModel.open();
    }

    @AfterAll
    void close() {
        encoder.close();
    }

    @Override
    protected List<EmbeddingModel> models() {
        SgptEmbeddingModel model = SgptEmbeddingModel.of(encoder);
        return List.of(model, model.forQueries(), model.forDocuments());
    }

    @Override
    protected EmbeddingModel modelWith(EmbeddingModelListener listener) {
        return SgptEmbeddingModel.builder().encoder(encoder).listeners(listener).build();
    }

    @Override
    protected EmbeddingModel failingModelWith(EmbeddingModelListener listener) {
        SgptEmbeddingModel closed =
                SgptEmbeddingModel.builder().builtInModel().listeners(listener).build();
        closed.close();
        return closed;
    }

    @Override
    protected int dimensionsParameter() {
        return 64;
    }

    @Override
    protected boolean supportsImageInput() {
        return false;
    }
}
