package io.github.sgpt4j.cli.output;

import io.github.sgpt4j.files.FileEntries;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;

/// A folder that a command may create: unless it says that the folder is to be kept, closing this removes it if it was
/// not there before. Folders above it stay.
public final class NewFolder implements Closeable {
    private final Path folder;
    private final boolean existed;
    private boolean kept;

    public NewFolder(Path folder) {
        this.folder = folder.toAbsolutePath();
        existed = FileEntries.exists(folder);
    }

    /// Says that the folder is to be kept.
    public void keep() {
        kept = true;
    }

    @Override
    public void close() throws IOException {
        if (!existed && !kept) {
            FileEntries.remove(folder);
        }
    }
}
