package io.github.sgpt4j.cli.output;

import io.github.sgpt4j.cli.console.CliException;
import io.github.sgpt4j.cli.console.Failures;
import io.github.sgpt4j.cli.input.TextInput;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/// A temporary file that disappears with its channel, however the process ends: where the operating system allows, it
/// has no name from the beginning.
///
/// @param path for messages
/// @param channel to write and read
public record SpoolFile(Path path, FileChannel channel) {
    private static final Set<StandardOpenOption> OPTIONS = Set.of(
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            StandardOpenOption.DELETE_ON_CLOSE);

    /// Creates something in a folder.
    @FunctionalInterface
    public interface Factory<T> {
        T in(Path folder) throws IOException;
    }

    /// Creates a file in the virtual machine's temporary directory.
    public static SpoolFile create() throws IOException {
        return inTemporaryFolder(folder -> {
            Path path = folder.resolve(
                    "sgpt-%016x.tmp".formatted(ThreadLocalRandom.current().nextLong()));
            return new SpoolFile(path, FileChannel.open(path, OPTIONS, forOwnerOnly()));
        });
    }

    /// Creates something in the virtual machine's temporary directory; the exception on failure explains the
    /// problem.
    public static <T> T inTemporaryFolder(Factory<T> factory) throws IOException {
        Path folder = TextInput.path(System.getProperty("java.io.tmpdir", ""));
        try {
            return factory.in(folder);
        } catch (FileSystemException e) {
            throw new CliException(
                    "%s: expected a directory in which temporary files can be created: %s"
                            .formatted(folder, Failures.reason(e)),
                    e);
        }
    }

    private static FileAttribute<?>[] forOwnerOnly() {
        return FileSystems.getDefault().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
                }
                : new FileAttribute<?>[0];
    }

    /// Copies the entire content.
    public void copyTo(OutputStream destination) throws IOException {
        channel.position(0);
        Channels.newInputStream(channel).transferTo(destination);
    }
}
