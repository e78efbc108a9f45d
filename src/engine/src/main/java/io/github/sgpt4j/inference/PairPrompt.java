package io.github.sgpt4j.inference;

import java.util.List;

/// A prompt of SGPT's cross-encoder, and what the softmax after it runs over.
///
/// @param name for messages: the letter in SGPT's paper, a file's name, or the template's text
/// @param template the text that precedes what is scored
/// @param choices texts of the tokens that the softmax runs over, the one that counts first; empty for the
///     likelihood of the query
/// @param baseVocabulary whether the likelihood's softmax leaves out rows of the output head that stand for no
///     token of the tokenizer's vocabulary, and those of its added tokens
public record PairPrompt(String name, PromptTemplate template, List<String> choices, boolean baseVocabulary) {
    public PairPrompt {
        choices = List.copyOf(choices);
    }

    /// A template for the likelihood, named by its letter if it is one of the paper's.
    ///
    /// @throws IllegalArgumentException unless it contains `{}` exactly once
    public static PairPrompt of(String template) {
        String name = PaperPrompt.letter(template).orElse(template);
        return new PairPrompt(name, PromptTemplate.parse(template), List.of(), false);
    }
}
