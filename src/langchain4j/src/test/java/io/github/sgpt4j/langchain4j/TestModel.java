package io.github.sgpt4j.langchain4j;

import io.github.sgpt4j.BiEncoderOptions;

final class TestModel {
    private TestModel() {}

    /// The built-in model with embeddings of length 1, which a store keeps bit for bit.
    static SgptEmbeddingModel ofLengthOne() {
        return SgptEmbeddingModel.builder()
                .builtInModel()
                .options(BiEncoderOptions.DEFAULT.withNormalize(true))
                .build();
    }
}
