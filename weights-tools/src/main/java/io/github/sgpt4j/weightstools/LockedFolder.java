package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.files.FileEntries;
import java.io.IOException;
import java.nio.file.Path;

/// Folders used by one process at a time: the one that holds the lock on the file [#LOCK_FILE] in it.
public final class LockedFolder {
    /// Name of the file that is locked.
    public static final String LOCK_FILE = "lock";

    private LockedFolder() {}

    /// Removes everything in a folder except its lock file. Links are removed, not followed.
    ///
    /// @throws IOException if something cannot be removed
    public static void clear(Path folder) throws IOException {
        FileEntries.clear(folder, LOCK_FILE);
    }

    /// Removes a folder with everything in it, if it exists. Links are removed, not followed.
    ///
    /// @throws IOException if something cannot be removed
    public static void remove(Path folder) throws IOException {
        FileEntries.remove(folder);
    }
}
