package io.github.sgpt4j.training.data;

import java.util.ArrayList;
import java.util.List;

/// What a row contributes to a batch. All texts are stripped and not empty.
///
/// @param anchor the query
/// @param positive a text that fits it
/// @param negatives texts that do not
public record Triple(String anchor, String positive, List<String> negatives) implements TextRow {
    /// Copies the list.
    public Triple {
        negatives = List.copyOf(negatives);
    }

    /// The anchor, the positive, then the negatives.
    @Override
    public List<String> texts() {
        List<String> texts = new ArrayList<>(negatives.size() + 2);
        texts.add(anchor);
        texts.add(positive);
        texts.addAll(negatives);
        return texts;
    }
}
