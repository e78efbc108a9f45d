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

/// A temporary file that ends with its channel, however the process ends: where the operating system allows it, it has
/// no name from the beginning.
///
/// @param path for messages
/// @param channel to write and read
public record SpoolFile(Path path, FileChannel channel) {
    private static final Set<StandardOpenOption> OPTIONS = Set.of(
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            StandardOpenOption.DELETE_ON_CLOSE);

    /// Something that is made in a folder.
    @FunctionalInterface
    public interface Making<T> {
        T in(Path folder) throws IOException;
    }

    /// Makes one where the virtual machine keeps temporary files.
    public static SpoolFile create() throws IOException {
        return explained(folder -> {
            Path path = folder.resolve(
                    "sgpt-%016x.tmp".formatted(ThreadLocalRandom.current().nextLong()));
            return new SpoolFile(path, FileChannel.open(path, OPTIONS, forOwnerOnly()));
        });
    }

    /// Makes something where the virtual machine keeps temporary files; if nothing can be made there, says so.
    public static <T> T explained(Making<T> making) throws IOException {
        Path folder = TextInput.path(System.getProperty("java.io.tmpdir", ""));
        try {
            return making.in(folder);
        } catch (FileSystemException e) {
            throw new CliException(
                    "%s: expected a directory that temporary files can be made in: %s"
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

    /// Copies everything that was written.
    public void copyTo(OutputStream destination) throws IOException {
        channel.position(0);
        Channels.newInputStream(channel).transferTo(destination);
    }
}
