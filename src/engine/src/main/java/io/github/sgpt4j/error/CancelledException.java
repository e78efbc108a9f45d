package io.github.sgpt4j.error;

/// A call ended early because the thread that made it was interrupted ([Thread#interrupt]). The
/// thread's interrupt status is still set. The call's unfinished work is abandoned; all objects that
/// took part stay usable.
public final class CancelledException extends SgptException {
    private static final long serialVersionUID = 1L;

    /// @param message one sentence: what was cancelled, and its progress; control characters become
    ///     escapes
    public CancelledException(String message) {
        super(message);
    }
}
