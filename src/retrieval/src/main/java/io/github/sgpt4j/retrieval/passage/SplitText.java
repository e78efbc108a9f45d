package io.github.sgpt4j.retrieval.passage;

import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// A document's text as passages.
///
/// @param ranges of the passages in the document's text, in its order, at least one; together they have
///     every character but white space
/// @param texts of the passages as they are embedded: the title in front of each; one per range
/// @param titleCut whether the title is too long to be in front of each passage, and was cut there
public record SplitText(List<TextRange> ranges, List<String> texts, boolean titleCut) {
    /// Keeps copies of the lists.
    public SplitText {
        ranges = List.copyOf(ranges);
        texts = List.copyOf(texts);
        if (ranges.isEmpty() || ranges.size() != texts.size()) {
            throw new IllegalArgumentException(
                    "passages: expected as many ranges as texts and at least one, got %d and %d"
                            .formatted(ranges.size(), texts.size()));
        }
    }

    /// Only the first of passages with equal texts, which have equal embeddings: many of them would cut the graph of an
    /// index into parts.
    public SplitText distinct() {
        Map<String, TextRange> first = new LinkedHashMap<>();
        for (int i = 0; i < texts.size(); i++) {
            first.putIfAbsent(texts.get(i), ranges.get(i));
        }
        return first.size() == texts.size()
                ? this
                : new SplitText(List.copyOf(first.values()), List.copyOf(first.keySet()), titleCut);
    }

    /// A document that is one passage.
    public static SplitText whole(Document document) {
        Objects.requireNonNull(document, "document");
        return new SplitText(List.of(new TextRange(0, document.text().length())), List.of(document.joined()), false);
    }

    /// A passage's text with a title in front of it, as a document's title is put in front of its text.
    public static String joined(String title, String passage) {
        return TextRecord.strip(title.isEmpty() ? passage : title + " " + passage);
    }
}
