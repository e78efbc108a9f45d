package io.github.sgpt4j.training.data;

import java.util.List;

/// What a row of training data contributes to a batch.
public sealed interface TextRow permits Triple, TaughtText {
    /// Its texts, in the order in which losses take their embeddings; as many for every row of a source.
    List<String> texts();
}
