package io.github.sgpt4j.retrieval.corpus;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/// Reads a collection's documents one by one. A collection is
///
/// - a file that [RecordReader] reads: `.txt`, one document per line; `.jsonl`, with `text` and
///   optionally `title`, `_id` and `metadata`; either may be a gz file. A document without `_id` has its
///   0-based position as its id.
/// - a directory with `corpus.jsonl` or `corpus.jsonl.gz`, the BEIR layout;
/// - a directory of `.txt` files, at any depth, each a document, whose id is its path below the
///   directory with `/` between names, in the order of these paths. Links to directories are not
///   followed. Files of other kinds are passed over; `sgpt4j-documents` reads them.
///
/// `metadata` is an object of strings, numbers, booleans, or lists of one of these kinds ([Metadata]). A
/// null or an empty list is as if it were absent; anything else is an error.
///
/// Errors name file and line ([FormatException]).
public final class CorpusReader implements Iterator<Document>, Closeable {
    private static final List<String> BEIR_NAMES = List.of("corpus.jsonl", "corpus.jsonl.gz");

    private final Source source;
    private final boolean idsNeeded;
    private long count;

    /// Where documents come from.
    private sealed interface Source {
        record Records(RecordReader reader) implements Source {}

        record Files(TextFiles files) implements Source {}
    }

    private CorpusReader(Source source, boolean idsNeeded) {
        this.source = source;
        this.idsNeeded = idsNeeded;
    }

    /// Opens a collection.
    ///
    /// @throws IOException if it cannot be opened
    /// @throws FormatException if it is not a collection
    public static CorpusReader open(Path path) throws IOException {
        return open(path, MetadataFields.OBJECT);
    }

    /// Opens a collection whose JSON objects have more metadata beside `metadata`.
    ///
    /// @param fields names of keys, such as `year`, whose values become metadata under the same names
    /// @throws IOException if it cannot be opened
    /// @throws FormatException if it is not a collection
    /// @throws IllegalArgumentException if keys are named and it is plain text, which has none, or no
    ///     metadata can have such a name
    public static CorpusReader open(Path path, List<String> fields) throws IOException {
        return open(path, new MetadataFields(true, fields));
    }

    /// Opens a collection for its texts: whatever its metadata are, they are not read.
    ///
    /// @throws IOException if it cannot be opened
    /// @throws FormatException if it is not a collection
    public static CorpusReader openWithoutMetadata(Path path) throws IOException {
        return open(path, MetadataFields.NONE);
    }

    /// Whether a path is a directory in the BEIR layout, with `corpus.jsonl` or `corpus.jsonl.gz`.
    public static boolean isBeirFolder(Path path) {
        return BEIR_NAMES.stream().anyMatch(name -> Files.isRegularFile(path.resolve(name)));
    }

    private static CorpusReader open(Path path, MetadataFields fields) throws IOException {
        if (!Files.isDirectory(path)) {
            return openFile(path, fields);
        }
        for (String name : BEIR_NAMES) {
            if (Files.isRegularFile(path.resolve(name))) {
                return openFile(path.resolve(name), fields);
            }
        }
        TextFiles files = TextFiles.of(path);
        if (files.paths.isEmpty()) {
            throw new FormatException(path + ": expected corpus.jsonl or .txt files in the directory, found neither");
        }
        requireNoKeys(path, fields);
        return new CorpusReader(new Source.Files(files), false);
    }

    private static CorpusReader openFile(Path file, MetadataFields fields) throws IOException {
        if (!RecordReader.isSupported(file.toString())) {
            throw new FormatException(
                    "%s: expected a directory or a name ending in .txt, .jsonl, .txt.gz or .jsonl.gz".formatted(file));
        }
        if (!RecordReader.isJson(file.toString())) {
            requireNoKeys(file, fields);
        }
        return new CorpusReader(new Source.Records(RecordReader.open(file, fields)), false);
    }

    /// Refuses names of keys for plain text.
    private static void requireNoKeys(Path path, MetadataFields fields) {
        if (!fields.names().isEmpty()) {
            throw new IllegalArgumentException(
                    "%s: expected JSON Lines, whose objects may have the key %s, got plain text"
                            .formatted(path, MetadataValues.shown(fields.names().getFirst())));
        }
    }

    /// Reads a stream of JSON Lines.
    ///
    /// @param stream closed with the reader
    /// @param name for errors
    public static CorpusReader ofJsonLines(InputStream stream, String name) {
        return new CorpusReader(
                new Source.Records(RecordReader.ofJsonLines(stream, name, MetadataFields.OBJECT)), false);
    }

    /// The same collection from its current position, where a document without `_id` is an error:
    /// judgements refer to ids, so that a document without one would count as not found.
    ///
    /// @return the reader to use instead of this one
    public CorpusReader withIdsNeeded() {
        return new CorpusReader(source, true);
    }

    private Document document(TextRecord record) {
        if (idsNeeded && record.id().isEmpty()) {
            throw new FormatException(record.where() + ": expected \"_id\", found none");
        }
        return Document.of(record, ++count);
    }

    @Override
    public boolean hasNext() {
        return switch (source) {
            case Source.Records(RecordReader reader) -> reader.hasNext();
            case Source.Files(TextFiles files) -> files.next < files.paths.size();
        };
    }

    @Override
    public Document next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        return switch (source) {
            case Source.Records(RecordReader reader) -> document(reader.next());
            case Source.Files(TextFiles files) -> files.read();
        };
    }

    /// Bytes of the collection's files, compressed if they are, if known.
    public OptionalLong size() {
        return switch (source) {
            case Source.Records(RecordReader reader) -> reader.size();
            case Source.Files(TextFiles files) -> OptionalLong.of(files.bytes);
        };
    }

    /// How many bytes of the files have been read.
    public long position() {
        return switch (source) {
            case Source.Records(RecordReader reader) -> reader.position();
            case Source.Files(TextFiles files) -> files.read;
        };
    }

    @Override
    public void close() throws IOException {
        if (source instanceof Source.Records(RecordReader reader)) {
            reader.close();
        }
    }

    /// The text files below a directory.
    private static final class TextFiles {
        private final Path directory;
        private final List<Path> paths;
        private final long bytes;
        private int next;
        private long read;

        private TextFiles(Path directory, List<Path> paths, long bytes) {
            this.directory = directory;
            this.paths = paths;
            this.bytes = bytes;
        }

        static TextFiles of(Path directory) throws IOException {
            List<Path> paths = new ArrayList<>();
            long bytes = 0;
            try (Stream<Path> all = Files.walk(directory)) {
                for (Path path : (Iterable<Path>) all::iterator) {
                    boolean text = path.toString().toLowerCase(Locale.ROOT).endsWith(".txt");
                    if (text && Files.isRegularFile(path)) {
                        paths.add(path);
                        bytes += Files.size(path);
                    }
                }
            } catch (UncheckedIOException e) {
                throw e.getCause();
            }
            paths.sort(null);
            return new TextFiles(directory, paths, bytes);
        }

        Document read() {
            Path file = paths.get(next++);
            List<String> names = new ArrayList<>();
            directory.relativize(file).forEach(name -> names.add(name.toString()));
            try {
                String text = LineReader.readWhole(file);
                read += Files.size(file);
                return new Document(String.join("/", names), Optional.empty(), text);
            } catch (IOException e) {
                Interrupts.checkCause(file.toString(), e);
                throw new FormatException("%s: cannot be read: %s".formatted(file, LineReader.reason(e)), e);
            }
        }
    }
}
