package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.ProgressListener;
import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.cli.progress.ProgressDisplay;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import java.util.List;
import java.util.OptionalLong;

/// Reads an input chunk by chunk and shows the progress: in bytes of the file, or in texts if there is no file.
public final class Chunks implements AutoCloseable {
    private final TextInput in;
    private final boolean inBytes;
    private final ProgressDisplay progress;
    private long from;
    private long to;

    private Chunks(TextInput in, boolean inBytes, ProgressDisplay progress) {
        this.in = in;
        this.inBytes = inBytes;
        this.progress = progress;
    }

    /// @param in stays open
    public static Chunks of(TextInput in, ModelCommand command, String task) {
        OptionalLong size = in.size();
        boolean quiet = command.common().quiet() || in.isArguments();
        return new Chunks(in, size.isPresent(), ProgressDisplay.start(command.console(), quiet, task, size));
    }

    /// The next texts; empty at the end.
    public List<TextRecord> next() {
        from = to;
        List<TextRecord> chunk = in.chunk();
        to = inBytes ? in.position() : from + chunk.size();
        return chunk;
    }

    /// A listener for the work on the chunk that [#next] returned last.
    public ProgressListener listener() {
        return progress.between(from, to);
    }

    @Override
    public void close() {
        progress.close();
    }
}
