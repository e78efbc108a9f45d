package io.github.sgpt4j.retrieval.mining;

import java.util.List;

/// Texts that are close to one of them.
///
/// @param centre the text that the others are close to; may itself belong to an earlier, larger
///     community
/// @param members indexes of texts, the closest to the centre first, the centre itself before all if it
///     is one
/// @param scores cosines of the members with the centre
public record Community(int centre, List<Integer> members, List<Float> scores) {
    /// Copies the lists.
    public Community {
        members = List.copyOf(members);
        scores = List.copyOf(scores);
    }
}
