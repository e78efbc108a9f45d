package io.github.sgpt4j.retrieval.passage;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.TextCut;
import io.github.sgpt4j.TextKind;

/// Counts the tokens of a text as a model reads it.
@FunctionalInterface
public interface TokenCounter {
    /// Number of tokens, including those that are put around each text: special tokens, brackets, prompt.
    int count(String text);

    /// By an encoder's own tokenizer, of documents.
    ///
    /// @param encoder borrowed; its calls end with a
    ///     [io.github.sgpt4j.error.CancelledException] if the thread is interrupted
    static TokenCounter of(BiEncoder encoder) {
        return text -> encoder.tokenized(text, TextKind.DOCUMENT, TextCut.USUAL).uncutTokens();
    }
}
