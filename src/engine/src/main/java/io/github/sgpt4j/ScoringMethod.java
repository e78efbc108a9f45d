package io.github.sgpt4j;

import java.util.Locale;

/// What a [CrossEncoder] computes for a pair.
public enum ScoringMethod {
    /// How likely the query is after a prompt with the document (SGPT).
    LIKELIHOOD,
    /// The logit of one token after a prompt with both, or its difference to that of a second token, or what a
    /// softmax over a few tokens makes of it.
    CHOICE,
    /// The output of a classification head with one label for a prompt with both.
    HEAD;

    /// The lower-case name.
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
