package io.github.sgpt4j.retrieval;

import java.util.Comparator;

/// A document of one state of an index, by its number there, with a score.
record Scored(int number, float score) {
    static final Comparator<Scored> BEST_FIRST =
            Comparator.comparing(Scored::score).reversed().thenComparing(Scored::number);
}
