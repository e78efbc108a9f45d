package io.github.sgpt4j.inference;

import io.github.sgpt4j.text.Quoted;

/// The text with the document that precedes the query to score: a template with one `{}`.
///
/// @param before text before the document: the instruction
/// @param after text between document and query
public record PromptTemplate(String before, String after) {
    /// The prompt of SGPT's cross-encoder (Muennighoff 2022, prompt G).
    public static final PromptTemplate DEFAULT = parse(
            "Documents are searched to find matches with the same content.\nThe document \"{}\" is a good search result for \"");

    private static final String PLACEHOLDER = "{}";

    /// @throws IllegalArgumentException unless `template` contains `{}` exactly once
    public static PromptTemplate parse(String template) {
        int at = template.indexOf(PLACEHOLDER);
        if (at < 0 || template.indexOf(PLACEHOLDER, at + 1) >= 0) {
            throw new IllegalArgumentException("prompt template: expected {} once, where the document goes, got %s"
                    .formatted(Quoted.of(template)));
        }
        return new PromptTemplate(template.substring(0, at), template.substring(at + PLACEHOLDER.length()));
    }

    /// The text that precedes the query.
    public String context(String document) {
        return before + document + after;
    }

    /// The template as text.
    public String text() {
        return before + PLACEHOLDER + after;
    }
}
