package io.github.sgpt4j.weightstools;

/// Reports the progress of a conversion, every few megabytes, on the converting thread.
@FunctionalInterface
public interface ConvertListener {
    /// Ignores all reports.
    ConvertListener NONE = (done, total) -> {};

    /// Called as work goes on.
    ///
    /// @param done bytes of tensors written
    /// @param total bytes of all tensors to write
    void progress(long done, long total);
}
