package io.github.sgpt4j.training.data;

import java.util.List;

/// What a row contributes to a batch. All texts are stripped and not empty.
///
/// @param anchor the query
/// @param positive a text that fits it
/// @param negatives texts that do not
public record Triple(String anchor, String positive, List<String> negatives) {
    /// Copies the list.
    public Triple {
        negatives = List.copyOf(negatives);
    }
}
