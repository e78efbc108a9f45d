package io.github.sgpt4j.inference;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.tokenizer.EncodedText;
import io.github.sgpt4j.tokenizer.Tokenizer;
import java.util.Map;

/// How a query and a document become the token ids of one prompt. Safe to share between threads.
public interface PairFraming {
    /// Tokenizes the texts.
    Tokenizer tokenizer();

    /// Maximum ids of a prompt.
    int maxTokens();

    /// The ids of a prompt, cut if it is too long.
    ///
    /// @param known ids of parts of prompts of the same call, by their text; is added to
    /// @param cancellation of the call
    EncodedText encode(String query, String document, Map<String, int[]> known, Cancellation cancellation);
}
