package io.github.sgpt4j.cli.output;

import io.github.sgpt4j.cli.console.CliException;
import io.github.sgpt4j.cli.console.ClosedOutputException;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.console.Failures;
import io.github.sgpt4j.cli.input.TextInput;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// The destination of results: stdout, or a file that appears complete or not at all.
///
/// A file is written under another name beside its final place and renamed by [#finish]; [#close] without [#finish]
/// removes it. Anything but a regular file, such as a device or a pipe, is written to directly.
public final class Output implements Closeable {
    private static final int BUFFER_BYTES = 1 << 16;

    private final NamedOutput named;
    private final OutputStream stream;
    private final Target target;
    private boolean finished;

    /// The kinds of destination.
    private sealed interface Target {
        /// The stream alone.
        record Direct() implements Target {}

        /// A file to be renamed at the end.
        record Beside(WorkFile work) implements Target {}

        /// A temporary file to be copied at the end.
        record Spooled(SpoolFile spool, OutputStream destination) implements Target {}
    }

    private Output(NamedOutput named, Target target) {
        this.named = named;
        stream = new BufferedOutputStream(named, BUFFER_BYTES);
        this.target = target;
    }

    /// Opens a destination for results that are written sequentially.
    ///
    /// @param file empty or `-` for stdout
    public static Output open(Console console, Optional<String> file) throws IOException {
        if (file.isEmpty() || file.get().equals("-")) {
            return new Output(new StandardOutput(console.out()), new Target.Direct());
        }
        Path target = target(file.get());
        return isReplaceable(target) ? beside(target) : new Output(existing(target), new Target.Direct());
    }

    /// Opens a destination for results whose first bytes are known only at the end, and written by [#patch].
    /// Stdout receives the results when they are complete.
    public static Output openPatchable(Console console, Optional<String> file) throws IOException {
        if (file.isEmpty() || file.get().equals("-")) {
            return spooled(new StandardOutput(console.out()));
        }
        Path target = target(file.get());
        return isReplaceable(target) ? beside(target) : spooled(existing(target));
    }

    private static NamedOutput existing(Path target) throws IOException {
        return new NamedOutput(target.toString(), Files.newOutputStream(target));
    }

    private static Output beside(Path target) throws IOException {
        try {
            WorkFile work = WorkFile.beside(target);
            OutputStream out = Channels.newOutputStream(work.channel());
            return new Output(new NamedOutput(target.toString(), out), new Target.Beside(work));
        } catch (FileSystemException e) {
            throw new CliException(
                    "%s: expected a directory in which files can be created, got %s: %s"
                            .formatted(target, target.getParent(), Failures.reason(e)),
                    e);
        }
    }

    private static Output spooled(OutputStream destination) throws IOException {
        SpoolFile spool = SpoolFile.create();
        OutputStream out = Channels.newOutputStream(spool.channel());
        return new Output(new NamedOutput(spool.path().toString(), out), new Target.Spooled(spool, destination));
    }

    /// The file behind a symbolic link, so that the link itself is not replaced.
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

    /// The file that will appear; empty for stdout, a device or a pipe.
    public Optional<Path> file() {
        return target instanceof Target.Beside(WorkFile work) ? Optional.of(work.target()) : Optional.empty();
    }

    /// Removes the file of an earlier run that this one will replace, so that nobody takes it together with other
    /// new files. Called when all is written, just before [#finish].
    public void withdraw() throws IOException {
        stream.flush();
        if (target instanceof Target.Beside(WorkFile work)) {
            Files.deleteIfExists(work.target());
        }
    }

    /// The stream to write results to.
    public OutputStream stream() {
        return stream;
    }

    /// Overwrites the first bytes of the output.
    public void patch(byte[] start) throws IOException {
        stream.flush();
        FileChannel channel = switch (target) {
            case Target.Direct() -> throw new IllegalStateException("not patchable");
            case Target.Beside(WorkFile work) -> work.channel();
            case Target.Spooled(SpoolFile spool, OutputStream destination) -> spool.channel();
        };
        ByteBuffer bytes = ByteBuffer.wrap(start);
        long position = 0;
        try {
            while (bytes.hasRemaining()) {
                position += channel.write(bytes, position);
            }
        } catch (IOException e) {
            throw named.failure(e);
        }
    }

    /// Moves the completely written file to its final place.
    public void finish() throws IOException {
        stream.flush();
        switch (target) {
            case Target.Direct() -> {}
            case Target.Beside(WorkFile work) -> work.publish();
            case Target.Spooled(SpoolFile spool, OutputStream destination) -> {
                spool.copyTo(destination);
                destination.flush();
            }
        }
        finished = true;
    }

    @Override
    public void close() throws IOException {
        if (finished) {
            closeAll();
            return;
        }
        try {
            closeAll();
        } catch (IOException e) {
            // The buffered rest is discarded anyway, and the failure that led here is the one to report.
        }
    }

    private void closeAll() throws IOException {
        try {
            stream.close();
        } finally {
            switch (target) {
                case Target.Direct() -> {}
                case Target.Beside(WorkFile work) -> work.close();
                case Target.Spooled(SpoolFile spool, OutputStream destination) -> destination.close();
            }
        }
    }

    /// An output stream whose exceptions include its name.
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

    /// Standard output: never closed, and distinguishes a closed pipe from other failures.
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
