package io.github.sgpt4j.training.run;

import io.github.sgpt4j.error.FormatException;
import java.nio.file.Path;
import java.util.OptionalDouble;

/// The best score of a training so far. What an earlier process left must agree with the best state, which is saved
/// before anything else says its score.
final class BestScore {
    private final StateFolder states;
    private final Path folder;
    private final boolean decided;
    private OptionalDouble soFar = OptionalDouble.empty();

    /// @param folder of the states
    /// @param decided whether a score decides which state is kept
    BestScore(StateFolder states, Path folder, boolean decided) {
        this.states = states;
        this.folder = folder;
        this.decided = decided;
    }

    /// The best score; empty before the first, and if none decides.
    OptionalDouble soFar() {
        return soFar;
    }

    /// Whether a new score is the best so far, which it is from then on.
    boolean isRaisedBy(double score) {
        if (!decided || soFar.isPresent() && score <= soFar.getAsDouble()) {
            return false;
        }
        soFar = OptionalDouble.of(score);
        return true;
    }

    /// Goes on from the last state.
    ///
    /// @throws FormatException if it has another score than the best state
    void restore(Path file, SavedState last) {
        soFar = last.best();
        if (decided && soFar.isEmpty() && last.state().step() == 0) {
            // It ended while the first scores were measured.
            return;
        }
        if (decided != soFar.isPresent()) {
            throw new FormatException("%s: key \"best\": expected %s, got %s"
                    .formatted(file, decided ? "the best score so far" : "none", shown(soFar)));
        }
        if (decided) {
            requireSame(file, last.state().step(), soFar.getAsDouble());
        }
    }

    /// A better state may have been saved after the last one, or at the same step.
    private void requireSame(Path file, long step, double score) {
        SavedState.Header best = bestState();
        double known = best.score().orElseThrow();
        boolean older = best.step() < step;
        if (score > known || older && score != known) {
            throw new FormatException("%s: key \"best\": expected %s%s, the score of the best state, got %s"
                    .formatted(file, older ? "" : "at most ", known, score));
        }
    }

    /// What the best state says beside its numbers; it has a score.
    private SavedState.Header bestState() {
        Path file = states.best()
                .orElseThrow(
                        () -> new FormatException("%s: expected the best state so far, found none".formatted(folder)));
        SavedState.Header best = SavedState.header(file);
        if (best.score().isEmpty() || !best.score().equals(best.best())) {
            throw new FormatException("%s: keys \"score\" and \"best\": expected the same score, got %s and %s"
                    .formatted(file, shown(best.score()), shown(best.best())));
        }
        return best;
    }

    private static String shown(OptionalDouble score) {
        return score.isPresent() ? Double.toString(score.getAsDouble()) : "none";
    }

    /// Takes scores that were measured after the last state was saved.
    ///
    /// @throws FormatException if one is better than that of the best state
    void take(Curve curve) {
        OptionalDouble measured = decided ? curve.best(soFar) : soFar;
        if (!measured.equals(soFar)) {
            double known = bestState().score().orElseThrow();
            if (measured.getAsDouble() > known) {
                throw new FormatException("%s: expected no score above %s, that of the best state, got %s"
                        .formatted(curve.file(), known, measured.getAsDouble()));
            }
            soFar = measured;
        }
    }
}
