package io.github.sgpt4j.cli.input;

import io.github.sgpt4j.cli.console.CliException;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.retrieval.corpus.RecordReader;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import java.io.Closeable;
import java.io.IOException;
import java.io.PushbackInputStream;
import java.nio.charset.Charset;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// Input texts, read chunk by chunk: arguments, a file that [RecordReader] supports, or standard input as
/// `.txt`.
public final class TextInput implements Closeable {
    /// Maximum number of texts in a chunk.
    public static final int CHUNK_TEXTS = 4096;

    private static final long CHUNK_CHARACTERS = 16L << 20;

    private final Iterator<TextRecord> records;
    private final Optional<RecordReader> reader;

    private TextInput(Iterator<TextRecord> records, Optional<RecordReader> reader) {
        this.records = records;
        this.reader = reader;
    }

    private static TextInput of(RecordReader reader) {
        return new TextInput(reader, Optional.of(reader));
    }

    /// Texts given as arguments.
    public static TextInput ofArguments(List<String> arguments) {
        List<TextRecord> records = new ArrayList<>();
        for (String argument : arguments) {
            records.add(TextRecord.of("argument " + (records.size() + 1), checkDecoded(argument)));
        }
        return new TextInput(records.iterator(), Optional.empty());
    }

    /// Refuses an argument in which Java put U+FFFD for bytes outside of the locale's charset: no result is
    /// better than the result of a different text.
    public static String checkDecoded(String argument) {
        Charset charset = Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"), Charset.defaultCharset());
        if (argument.indexOf('\uFFFD') >= 0 && !charset.name().equals("UTF-8")) {
            throw new CliException(
                    "arguments: expected characters of this locale's charset (%s), got others;".formatted(charset)
                            + " set LC_ALL=C.UTF-8, or pass texts on stdin or in a file");
        }
        return argument;
    }

    /// Whether [#open] supports a file of this name.
    public static boolean isSupported(String file) {
        return file.equals("-") || RecordReader.isSupported(file);
    }

    /// Opens a file, or standard input for `-`. The caller closes it.
    public static TextInput open(String file, Console console) throws IOException {
        return of(file.equals("-") ? RecordReader.ofText(console.in(), "stdin") : RecordReader.open(path(file)));
    }

    /// The lines of standard input, or nothing if it has none. The caller closes it.
    public static Optional<TextInput> lines(Console console) throws IOException {
        PushbackInputStream in = new PushbackInputStream(console.in());
        int first = in.read();
        if (first < 0) {
            return Optional.empty();
        }
        in.unread(first);
        return Optional.of(of(RecordReader.ofText(in, "stdin")));
    }

    public static Path path(String file) {
        try {
            return Path.of(file);
        } catch (InvalidPathException e) {
            throw new CliException("%s: not a path: %s".formatted(file, e.getReason()), e);
        }
    }

    /// The next texts, at most [#CHUNK_TEXTS] and not much more than 16 million characters; empty at the end.
    public List<TextRecord> chunk() {
        return chunk(CHUNK_TEXTS);
    }

    /// The next texts, at most `texts` and not much more than 16 million characters; empty at the end.
    public List<TextRecord> chunk(int texts) {
        List<TextRecord> chunk = new ArrayList<>();
        long characters = 0;
        while (chunk.size() < texts && characters < CHUNK_CHARACTERS && records.hasNext()) {
            TextRecord next = records.next();
            characters += next.characters();
            chunk.add(next);
        }
        return chunk;
    }

    /// Whether the texts were arguments.
    public boolean isArguments() {
        return reader.isEmpty();
    }

    /// Size of the file in bytes; empty if there is no file.
    public OptionalLong size() {
        return reader.map(RecordReader::size).orElse(OptionalLong.empty());
    }

    /// Bytes read from the file so far.
    public long position() {
        return reader.map(RecordReader::position).orElse(0L);
    }

    @Override
    public void close() throws IOException {
        if (reader.isPresent()) {
            reader.get().close();
        }
    }
}
