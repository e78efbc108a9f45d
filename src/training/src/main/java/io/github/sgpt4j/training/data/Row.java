package io.github.sgpt4j.training.data;

import java.util.ArrayList;
import java.util.List;

/// All texts of a row.
///
/// @param positives at least one
/// @param negatives as many as there are
record Row(String anchor, List<String> positives, List<String> negatives) {
    /// The triple of a pass: positives and negatives take turns, as in sentence-transformers' script for
    /// MS MARCO, where each that was used goes to the end of its list.
    ///
    /// @param count number of negatives of the triple, at most that of the row
    Triple triple(int count, long pass) {
        List<String> used = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            used.add(negatives.get(turn(pass, count, i, negatives.size())));
        }
        return new Triple(anchor, positives.get(turn(pass, 1, 0, positives.size())), used);
    }

    /// Which of `size` texts is the `i`-th of `count` in a pass.
    static int turn(long pass, int count, int i, int size) {
        return (int) ((pass % size * count + i) % size);
    }

    /// Whether a positive is a negative as well.
    boolean contradictsItself() {
        return positives.stream().anyMatch(negatives::contains);
    }
}
