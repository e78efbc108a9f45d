package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.retrieval.passage.TextRange;
import java.util.List;

/// A document's text as vectors.
///
/// @param ranges of its passages in the text
/// @param vectors one per range, as [VectorSpace#prepare] made them
record EmbeddedText(List<TextRange> ranges, List<float[]> vectors) {
    EmbeddedText {
        ranges = List.copyOf(ranges);
        vectors = List.copyOf(vectors);
        if (ranges.isEmpty() || ranges.size() != vectors.size()) {
            throw new IllegalArgumentException(
                    "expected a vector per passage and at least one, got %d passages, %d vectors"
                            .formatted(ranges.size(), vectors.size()));
        }
    }

    /// A text as one vector.
    static EmbeddedText whole(String text, float[] vector) {
        return new EmbeddedText(List.of(new TextRange(0, text.length())), List.of(vector));
    }

    /// Whether there are several passages.
    boolean isSplit() {
        return ranges.size() > 1;
    }
}
