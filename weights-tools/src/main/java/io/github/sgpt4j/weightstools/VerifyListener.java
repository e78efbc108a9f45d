package io.github.sgpt4j.weightstools;

/// Reports the progress of a check, every megabyte; calls come from several threads, one at a time.
@FunctionalInterface
public interface VerifyListener {
    /// Ignores all reports.
    VerifyListener NONE = (done, total) -> {};

    /// Called as work goes on.
    ///
    /// @param done bytes read
    /// @param total bytes of all files to read
    void progress(long done, long total);
}
