package io.github.sgpt4j.weightstools;

/// Is told how far a check is, every megabyte; calls come from several threads, one at a time.
@FunctionalInterface
public interface VerifyListener {
    /// Does nothing.
    VerifyListener NONE = (done, total) -> {};

    /// Called as work goes on.
    ///
    /// @param done bytes read
    /// @param total bytes of all files to read
    void progress(long done, long total);
}
