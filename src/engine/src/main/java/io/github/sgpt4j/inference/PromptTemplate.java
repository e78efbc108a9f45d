package io.github.sgpt4j.inference;

import io.github.sgpt4j.text.Quoted;
import java.util.ArrayList;
import java.util.List;

/// The text that precedes what is scored: a template with one `{}` for the document, or with two for document
/// and query, perhaps after an example.
///
/// @param example text in front of every prompt: a document with its query, filled in; may be empty
/// @param parts of the template, around the places
public record PromptTemplate(String example, List<String> parts) {
    private static final String PLACEHOLDER = "{}";

    /// The prompt of SGPT's cross-encoder (Muennighoff 2022, prompt G).
    public static final PromptTemplate DEFAULT = parse(
            "Documents are searched to find matches with the same content.\nThe document \"{}\" is a good search result for \"");

    public PromptTemplate {
        parts = List.copyOf(parts);
    }

    /// A template for the document alone.
    ///
    /// @throws IllegalArgumentException unless `template` contains `{}` exactly once
    public static PromptTemplate parse(String template) {
        List<String> parts = split(template);
        if (parts.size() != 2) {
            throw new IllegalArgumentException("prompt template: expected {} once, where the document goes, got %s"
                    .formatted(Quoted.of(template)));
        }
        return new PromptTemplate("", parts);
    }

    /// A template for document and query, in this order.
    ///
    /// @throws IllegalArgumentException unless `template` contains `{}` exactly twice
    public static PromptTemplate parsePair(String template) {
        List<String> parts = split(template);
        if (parts.size() != 3) {
            throw new IllegalArgumentException(
                    "prompt template: expected {} twice, where the document and the query go, got %s"
                            .formatted(Quoted.of(template)));
        }
        return new PromptTemplate("", parts);
    }

    private static List<String> split(String template) {
        List<String> parts = new ArrayList<>();
        int from = 0;
        for (int at = template.indexOf(PLACEHOLDER); at >= 0; at = template.indexOf(PLACEHOLDER, from)) {
            parts.add(template.substring(from, at));
            from = at + PLACEHOLDER.length();
        }
        parts.add(template.substring(from));
        return parts;
    }

    /// The same template after an example.
    public PromptTemplate withExample(String text) {
        return new PromptTemplate(text, parts);
    }

    /// Whether the query has a place too.
    public boolean takesQuery() {
        return parts.size() == 3;
    }

    /// The template's text before the document. With the example, it is what stays when prompts are cut.
    public String before() {
        return parts.getFirst();
    }

    /// The text that precedes the query, of a template for the document alone.
    public String context(String document) {
        return example + parts.getFirst() + document + parts.get(1);
    }

    /// The prompt with both texts, of a template for document and query.
    public String context(String document, String query) {
        return context(document) + query + parts.get(2);
    }

    /// The template as text, without the example.
    public String text() {
        return String.join(PLACEHOLDER, parts);
    }
}
