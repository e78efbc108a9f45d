package io.github.sgpt4j.cli;

import java.io.Closeable;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.zip.GZIPInputStream;

/// Texts to work on, read piece by piece: arguments, `.txt` (one text a line), `.jsonl` (objects), gz of either, or
/// standard input as `.txt`. Lines of JSON Lines that are blank are passed over; a blank line of text is an empty text.
final class TextInput implements Closeable {
    /// Texts worked on together.
    static final int CHUNK_TEXTS = 4096;

    private static final long CHUNK_CHARACTERS = 16L << 20;

    private final Iterator<InputRecord> records;
    private final Closeable resource;
    private final OptionalLong size;
    private final CountingStream counter;

    private TextInput(Iterator<InputRecord> records, Closeable resource, OptionalLong size, CountingStream counter) {
        this.records = records;
        this.resource = resource;
        this.size = size;
        this.counter = counter;
    }

    /// Texts given as arguments.
    static TextInput ofArguments(List<String> arguments) {
        List<InputRecord> records = new ArrayList<>();
        for (String argument : arguments) {
            records.add(InputRecord.of("argument " + (records.size() + 1), checkDecoded(argument)));
        }
        return new TextInput(
                records.iterator(), () -> {}, OptionalLong.empty(), new CountingStream(InputStream.nullInputStream()));
    }

    /// Java has put U+FFFD for what the locale's charset does not know; better no result than one of another text.
    static String checkDecoded(String argument) {
        Charset charset = Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"), Charset.defaultCharset());
        if (argument.indexOf('\uFFFD') >= 0 && !charset.name().equals("UTF-8")) {
            throw new CliException(
                    "arguments: expected characters of this locale's charset (%s), got others;".formatted(charset)
                            + " set LC_ALL=C.UTF-8, or give texts on stdin or in a file");
        }
        return argument;
    }

    /// Whether a name is one that [#open] takes.
    static boolean isSupported(String file) {
        String name = plainName(file);
        return file.equals("-") || name.endsWith(".txt") || name.endsWith(".jsonl");
    }

    /// Whether a file holds JSON Lines by its name.
    static boolean isJson(String file) {
        return plainName(file).endsWith(".jsonl");
    }

    private static String plainName(String file) {
        String name = file.toLowerCase(Locale.ROOT);
        return name.endsWith(".gz") ? name.substring(0, name.length() - 3) : name;
    }

    /// Opens a file, or standard input for `-`. The caller closes it.
    static TextInput open(String file, Console console) throws IOException {
        if (file.equals("-")) {
            CountingStream in = new CountingStream(console.in());
            return of(new LineReader(in, "stdin"), false, OptionalLong.empty(), in);
        }
        Path path = path(file);
        if (Files.isDirectory(path)) {
            throw new CliException(file + ": expected a file, got a directory");
        }
        CountingStream raw = new CountingStream(Files.newInputStream(path));
        try {
            boolean packed = file.toLowerCase(Locale.ROOT).endsWith(".gz");
            InputStream in = packed ? new GZIPInputStream(raw, 1 << 16) : raw;
            return of(new LineReader(in, file), isJson(file), OptionalLong.of(Files.size(path)), raw);
        } catch (IOException e) {
            raw.close();
            throw new CliException("%s: cannot be read: %s".formatted(file, Failures.sentence(e)), e);
        }
    }

    /// Takes a stream of JSON Lines, and closes it when closed.
    static TextInput ofJsonLines(InputStream stream, String name) {
        CountingStream in = new CountingStream(stream);
        return of(new LineReader(in, name), true, OptionalLong.empty(), in);
    }

    static Path path(String file) {
        try {
            return Path.of(file);
        } catch (InvalidPathException e) {
            throw new CliException("%s: not a path: %s".formatted(file, e.getReason()), e);
        }
    }

    private static TextInput of(LineReader lines, boolean json, OptionalLong size, CountingStream counter) {
        Iterator<InputRecord> records = json ? new JsonLinesIterator(lines) : new TextIterator(lines);
        return new TextInput(records, lines, size, counter);
    }

    /// The next texts, at most [#CHUNK_TEXTS] and not much more than 16 million characters; empty at the end.
    List<InputRecord> chunk() {
        return chunk(CHUNK_TEXTS);
    }

    /// The next texts, at most `texts` and not much more than 16 million characters; empty at the end.
    List<InputRecord> chunk(int texts) {
        List<InputRecord> chunk = new ArrayList<>();
        long characters = 0;
        while (chunk.size() < texts && characters < CHUNK_CHARACTERS && records.hasNext()) {
            InputRecord next = records.next();
            characters += next.characters();
            chunk.add(next);
        }
        return chunk;
    }

    /// Whether the texts were arguments.
    boolean isArguments() {
        return !(records instanceof RecordIterator);
    }

    /// Bytes of the file, if it is one.
    OptionalLong size() {
        return size;
    }

    /// Bytes of the file that were read.
    long position() {
        return counter.count;
    }

    @Override
    public void close() throws IOException {
        resource.close();
    }

    /// Each line a text.
    private static final class TextIterator extends RecordIterator {
        TextIterator(LineReader lines) {
            super(lines);
        }

        @Override
        Optional<InputRecord> read() {
            return lines.next().map(line -> InputRecord.of(lines.where(), line));
        }
    }

    /// Each line that is not blank an object.
    private static final class JsonLinesIterator extends RecordIterator {
        private final JsonRecords json = new JsonRecords();

        JsonLinesIterator(LineReader lines) {
            super(lines);
        }

        @Override
        Optional<InputRecord> read() {
            Optional<String> line = lines.next();
            while (line.filter(String::isBlank).isPresent()) {
                line = lines.next();
            }
            return line.map(text -> json.parse(lines.where(), text));
        }
    }

    private abstract static class RecordIterator implements Iterator<InputRecord> {
        final LineReader lines;
        private Optional<InputRecord> ahead = Optional.empty();

        RecordIterator(LineReader lines) {
            this.lines = lines;
        }

        abstract Optional<InputRecord> read();

        @Override
        public boolean hasNext() {
            if (ahead.isEmpty()) {
                ahead = read();
            }
            return ahead.isPresent();
        }

        @Override
        public InputRecord next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            InputRecord record = ahead.orElseThrow();
            ahead = Optional.empty();
            return record;
        }
    }

    private static final class CountingStream extends FilterInputStream {
        private long count;

        CountingStream(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            int value = super.read();
            count += value < 0 ? 0 : 1;
            return value;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            int read = super.read(bytes, offset, length);
            count += Math.max(0, read);
            return read;
        }
    }
}
