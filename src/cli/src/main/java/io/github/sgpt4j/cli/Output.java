package io.github.sgpt4j.cli;

import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/// Where results go: stdout, or a file that appears whole or not at all.
///
/// A file is written beside its final place under another name and renamed by [#finish]; [#close] without it removes
/// what was written, and so does the end of the process. What is no regular file, such as a device or a pipe, is
/// written to directly.
final class Output implements Closeable {
    private static final int BUFFER_BYTES = 1 << 16;

    private final OutputStream stream;
    private final Optional<Path> work;
    private final Optional<Path> renameTo;
    private final Optional<OutputStream> copyTo;
    private final Thread removal;
    private boolean finished;

    private Output(OutputStream stream, Optional<Path> work, Optional<Path> renameTo, Optional<OutputStream> copyTo) {
        this.stream = stream;
        this.work = work;
        this.renameTo = renameTo;
        this.copyTo = copyTo;
        removal = new Thread(this::removeWork);
        if (work.isPresent()) {
            Runtime.getRuntime().addShutdownHook(removal);
        }
    }

    /// Results that are written from front to end.
    ///
    /// @param file empty or `-` for stdout
    static Output open(Console console, Optional<String> file) throws IOException {
        if (file.isEmpty() || file.get().equals("-")) {
            return direct(new StandardOutput(console.out()));
        }
        Path target = target(file.get());
        return isReplaceable(target)
                ? beside(target)
                : direct(new NamedOutput(target.toString(), Files.newOutputStream(target)));
    }

    /// Results whose beginning is known at the end only: [#patch] works. Stdout gets them when they are complete.
    static Output openPatchable(Console console, Optional<String> file) throws IOException {
        if (file.isEmpty() || file.get().equals("-")) {
            return spooled(new StandardOutput(console.out()));
        }
        Path target = target(file.get());
        return isReplaceable(target)
                ? beside(target)
                : spooled(new NamedOutput(target.toString(), Files.newOutputStream(target)));
    }

    private static Output direct(OutputStream out) {
        return new Output(
                new BufferedOutputStream(out, BUFFER_BYTES), Optional.empty(), Optional.empty(), Optional.empty());
    }

    private static Output beside(Path target) throws IOException {
        String name = ".%s.%08x.tmp"
                .formatted(target.getFileName(), ThreadLocalRandom.current().nextInt());
        Path work = target.resolveSibling(name);
        // Not createTempFile: the result gets the permissions that any new file of this user gets.
        OutputStream out = new NamedOutput(target.toString(), create(work, target));
        return new Output(
                new BufferedOutputStream(out, BUFFER_BYTES), Optional.of(work), Optional.of(target), Optional.empty());
    }

    private static OutputStream create(Path work, Path target) throws IOException {
        try {
            return Files.newOutputStream(work, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        } catch (FileSystemException e) {
            throw new CliException(
                    "%s: expected a directory that files can be made in, got %s: %s"
                            .formatted(target, target.getParent(), Failures.reason(e)),
                    e);
        }
    }

    private static Output spooled(OutputStream destination) throws IOException {
        Path work = Files.createTempFile("sgpt-", ".tmp");
        OutputStream out = Files.newOutputStream(work);
        return new Output(
                new BufferedOutputStream(out, BUFFER_BYTES),
                Optional.of(work),
                Optional.empty(),
                Optional.of(destination));
    }

    /// The file itself where a link was given: the link stays.
    private static Path target(String file) throws IOException {
        Path path = TextInput.path(file);
        if (Files.isDirectory(path)) {
            throw new CliException(file + ": expected a file to write to, got a directory");
        }
        Path absolute = Files.exists(path) ? path.toRealPath() : path.toAbsolutePath();
        Path parent = absolute.getParent();
        if (parent == null || !Files.isDirectory(parent)) {
            throw new CliException(
                    "%s: expected an existing directory to write to, found none at %s".formatted(file, parent));
        }
        return absolute;
    }

    private static boolean isReplaceable(Path target) {
        return !Files.exists(target) || Files.isRegularFile(target);
    }

    /// What to write to.
    OutputStream stream() {
        return stream;
    }

    /// Replaces the first bytes of what was written so far.
    void patch(byte[] start) throws IOException {
        stream.flush();
        try (FileChannel channel = FileChannel.open(work.orElseThrow(), StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.wrap(start);
            long position = 0;
            while (bytes.hasRemaining()) {
                position += channel.write(bytes, position);
            }
        }
    }

    /// Everything was written: puts the file in its place.
    void finish() throws IOException {
        stream.flush();
        if (copyTo.isPresent()) {
            stream.close();
            Files.copy(work.orElseThrow(), copyTo.get());
            copyTo.get().flush();
        } else if (renameTo.isPresent()) {
            stream.close();
            Files.move(work.orElseThrow(), renameTo.get(), StandardCopyOption.ATOMIC_MOVE);
        }
        finished = true;
    }

    @Override
    public void close() throws IOException {
        try {
            if (finished) {
                closeStreams();
            }
        } finally {
            if (!finished) {
                closeAfterFailure();
            }
            removeWork();
            forgetRemoval();
        }
    }

    private void closeStreams() throws IOException {
        stream.close();
        if (copyTo.isPresent()) {
            copyTo.get().close();
        }
    }

    /// What is left in buffers is not wanted any more, and the failure is being reported.
    private void closeAfterFailure() {
        try {
            closeStreams();
        } catch (IOException e) {
            // The failure that led here says more.
        }
    }

    private void removeWork() {
        try {
            if (work.isPresent()) {
                Files.deleteIfExists(work.get());
            }
        } catch (IOException e) {
            // Nothing more can be done about it.
        }
    }

    private void forgetRemoval() {
        if (work.isPresent()) {
            try {
                Runtime.getRuntime().removeShutdownHook(removal);
            } catch (IllegalStateException e) {
                // The process is ending, and the hook is running.
            }
        }
    }

    /// A file whose failures say its name.
    private static class NamedOutput extends FilterOutputStream {
        private final String name;

        NamedOutput(String name, OutputStream out) {
            super(out);
            this.name = name;
        }

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            try {
                out.write(bytes, offset, length);
            } catch (IOException e) {
                throw failure(e);
            }
        }

        IOException failure(IOException e) {
            return new IOException(name + ": " + e.getMessage(), e);
        }
    }

    /// Standard output: not closed, and a reader that has gone is told apart from other failures.
    private static final class StandardOutput extends NamedOutput {
        StandardOutput(OutputStream out) {
            super("stdout", out);
        }

        @Override
        IOException failure(IOException e) {
            return ClosedOutputException.describes(e) ? new ClosedOutputException(e) : super.failure(e);
        }

        @Override
        public void close() throws IOException {
            flush();
        }
    }
}
