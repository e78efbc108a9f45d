package io.github.sgpt4j.retrieval.corpus;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Locale;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.OptionalLong;

/// Reads texts one by one: `.txt` (one text per line), `.jsonl` (one object per line), or gz of either.
/// Blank lines of JSON Lines are skipped; a blank line of text is an empty text. Errors name file and
/// line ([FormatException]).
public final class RecordReader implements Iterator<TextRecord>, Closeable {
    private final LineReader lines;
    private final Optional<JsonRecords> json;
    private final CountingStream counter;
    private final OptionalLong size;
    private Optional<TextRecord> ahead = Optional.empty();

    private RecordReader(LineReader lines, Optional<JsonRecords> json, CountingStream counter, OptionalLong size) {
        this.lines = lines;
        this.json = json;
        this.counter = counter;
        this.size = size;
    }

    /// Opens a file whose name ends in `.txt`, `.jsonl`, or either with `.gz`; a file with any other
    /// name is read as `.txt`.
    ///
    /// @throws IOException if it cannot be opened
    /// @throws FormatException if it is a directory, or is not compressed as its name says
    public static RecordReader open(Path file) throws IOException {
        return open(file, MetadataFields.NONE);
    }

    /// @param fields what is read as metadata
    static RecordReader open(Path file, MetadataFields fields) throws IOException {
        if (Files.isDirectory(file)) {
            throw new FormatException(file + ": expected a file, got a directory");
        }
        CountingStream raw = new CountingStream(Files.newInputStream(file));
        String name = file.toString();
        try {
            boolean packed = name.toLowerCase(Locale.ROOT).endsWith(".gz");
            InputStream in = packed ? GzipFile.open(file, raw) : raw;
            Optional<JsonRecords> json = isJson(name) ? Optional.of(new JsonRecords(fields)) : Optional.empty();
            return new RecordReader(new LineReader(in, name), json, raw, OptionalLong.of(Files.size(file)));
        } catch (IOException e) {
            raw.close();
            Interrupts.checkCause(file.toString(), e);
            throw new FormatException("%s: cannot be read: %s".formatted(file, LineReader.reason(e)), e);
        }
    }

    /// Reads each line of a stream as a text.
    ///
    /// @param stream closed with the reader
    /// @param name for errors
    public static RecordReader ofText(InputStream stream, String name) {
        return of(stream, name, Optional.empty());
    }

    /// Reads a stream of JSON Lines.
    ///
    /// @param stream closed with the reader
    /// @param name for errors
    public static RecordReader ofJsonLines(InputStream stream, String name) {
        return ofJsonLines(stream, name, MetadataFields.NONE);
    }

    /// @param fields what is read as metadata
    static RecordReader ofJsonLines(InputStream stream, String name, MetadataFields fields) {
        return of(stream, name, Optional.of(new JsonRecords(fields)));
    }

    private static RecordReader of(InputStream stream, String name, Optional<JsonRecords> json) {
        CountingStream in = new CountingStream(stream);
        return new RecordReader(new LineReader(in, name), json, in, OptionalLong.empty());
    }

    /// Whether a name has one of the extensions of text files.
    public static boolean isSupported(String file) {
        return plainName(file).endsWith(".txt") || isJson(file);
    }

    /// Whether a file's name says that it is JSON Lines.
    public static boolean isJson(String file) {
        return plainName(file).endsWith(".jsonl");
    }

    private static String plainName(String file) {
        String name = file.toLowerCase(Locale.ROOT);
        return name.endsWith(".gz") ? name.substring(0, name.length() - 3) : name;
    }

    @Override
    public boolean hasNext() {
        if (ahead.isEmpty()) {
            ahead = read();
        }
        return ahead.isPresent();
    }

    @Override
    public TextRecord next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        TextRecord record = ahead.orElseThrow();
        ahead = Optional.empty();
        return record;
    }

    private Optional<TextRecord> read() {
        Optional<String> line = lines.next();
        if (json.isEmpty()) {
            return line.map(text -> TextRecord.of(lines.where(), text));
        }
        while (line.filter(String::isBlank).isPresent()) {
            line = lines.next();
        }
        return line.map(text -> json.get().parse(lines.where(), text));
    }

    /// Bytes of the file, compressed if it is; empty if the input is not a file.
    public OptionalLong size() {
        return size;
    }

    /// How many bytes of the file have been read.
    public long position() {
        return counter.count();
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }
}
