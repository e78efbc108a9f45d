package io.github.sgpt4j.training.step;

import java.util.Locale;

/// When a batch is computed twice, so that its activations need not be in memory at the same time (Gao et al.,
/// arXiv:2101.06983).
public enum GradCache {
    /// If the activations of the batch do not fit.
    AUTO,
    /// Always.
    ALWAYS,
    /// Not even if memory may run out.
    NEVER;

    /// Its name on the command line and in files.
    public String title() {
        return name().toLowerCase(Locale.ROOT);
    }
}
