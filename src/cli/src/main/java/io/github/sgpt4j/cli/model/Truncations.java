package io.github.sgpt4j.cli.model;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.Truncation;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

/// Notices about truncated texts.
public final class Truncations {
    private Truncations() {}

    /// One sentence for each kind of text that was truncated.
    public static List<String> of(BiEncoder encoder) {
        return of(encoder::truncation);
    }

    /// The same for what a model was trained with, and for what it was measured with. A text counts each time.
    public static List<String> of(TrainableModel model) {
        return Stream.concat(
                        of(model::truncation).stream().map(sentence -> sentence + "; each text counts once per epoch"),
                        of(model::measuredTruncation).stream()
                                .map(sentence -> "measuring: %s; each text counts each time".formatted(sentence)))
                .toList();
    }

    private static List<String> of(Function<TextKind, Truncation> truncations) {
        List<String> sentences = new ArrayList<>();
        for (TextKind kind : TextKind.values()) {
            add(
                    sentences,
                    switch (kind) {
                        case TEXT -> "texts";
                        case QUERY -> "queries";
                        case DOCUMENT -> "documents";
                    },
                    truncations.apply(kind));
        }
        return sentences;
    }

    /// One sentence if pairs were truncated.
    public static List<String> of(CrossEncoder encoder) {
        List<String> sentences = new ArrayList<>();
        add(sentences, "pairs of document and query", encoder.truncation());
        return sentences;
    }

    private static void add(List<String> sentences, String what, Truncation truncation) {
        if (truncation.truncated() > 0) {
            sentences.add("%s truncated to %,d tokens: %,d of %,d; the longest had %,d"
                    .formatted(
                            what,
                            truncation.maxLength(),
                            truncation.truncated(),
                            truncation.texts(),
                            truncation.longest()));
        }
    }
}
