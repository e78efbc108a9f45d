package io.github.sgpt4j.server.dialect;

import io.github.sgpt4j.server.inference.Computed;
import io.github.sgpt4j.server.metrics.Timing;

/// What the steps of a request cost together.
///
/// @param totalTokens computed
/// @param cut inputs that were cut
/// @param characters code points of all texts
/// @param timing of all steps
record Work(long totalTokens, int cut, long characters, Timing timing) implements Computed {
    static final Work NONE = new Work(0, 0, 0, new Timing(0, 0, 0, 0));

    /// With the next step.
    Work plus(Computed step) {
        return new Work(
                totalTokens + step.totalTokens(),
                cut + step.cut(),
                characters + step.characters(),
                new Timing(
                        step.timing().total(),
                        timing.tokenization() + step.timing().tokenization(),
                        timing.queue() + step.timing().queue(),
                        timing.inference() + step.timing().inference()));
    }
}
