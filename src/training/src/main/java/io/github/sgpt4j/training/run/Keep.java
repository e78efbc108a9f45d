package io.github.sgpt4j.training.run;

import java.util.Locale;

/// Which of its states a training ends with, and which it keeps.
public enum Keep {
    /// Ends with the best state, by the first evaluation; the last one without evaluations.
    BEST,
    /// Ends with the last state.
    LAST,
    /// Ends with the last state, and keeps all that were saved.
    ALL;

    /// Its name on the command line and in files.
    public String title() {
        return name().toLowerCase(Locale.ROOT);
    }
}
