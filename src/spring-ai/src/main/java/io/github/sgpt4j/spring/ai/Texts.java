package io.github.sgpt4j.spring.ai;

import org.springframework.ai.document.Document;

/// Texts of documents.
final class Texts {
    private Texts() {}

    /// @throws IllegalArgumentException if a document has no text
    static String of(Document document) {
        String text = document.getText();
        if (text == null) {
            throw new IllegalArgumentException(
                    "document %s: expected a text, got media; the models read text only".formatted(document.getId()));
        }
        return text;
    }
}
