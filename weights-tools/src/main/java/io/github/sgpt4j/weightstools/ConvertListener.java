package io.github.sgpt4j.weightstools;

/// Is told how far a conversion is, every few megabytes, on the converting thread.
@FunctionalInterface
public interface ConvertListener {
    /// Does nothing.
    ConvertListener NONE = (done, total) -> {};

    /// Called as work goes on.
    ///
    /// @param done bytes of tensors written
    /// @param total bytes of all tensors to write
    void progress(long done, long total);
}
