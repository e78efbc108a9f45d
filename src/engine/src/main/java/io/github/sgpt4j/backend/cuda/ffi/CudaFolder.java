package io.github.sgpt4j.backend.cuda.ffi;

import java.nio.file.Path;

/// A service that brings CUDA's libraries along: an artifact on the class path that provides it is asked, after the
/// folders that the user named and before the system.
public interface CudaFolder {
    /// The folder that holds the libraries; they are unpacked now if they have not been.
    ///
    /// @throws RuntimeException if that fails; its message is shown as the reason
    Path folder();
}
