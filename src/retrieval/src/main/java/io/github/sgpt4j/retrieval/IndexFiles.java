package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.text.WellFormed;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.SegmentInfos;
import org.apache.lucene.store.AlreadyClosedException;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.LockObtainFailedException;
import org.apache.lucene.store.MMapDirectory;

/// Opens directories that hold an index, with failures in this library's words. Indexes are read
/// through memory-mapped files: an interrupt of a reading thread cannot close a mapping, as it would a
/// channel.
final class IndexFiles {
    private static final Pattern OWN_FILE = Pattern.compile("write\\.lock|(pending_)?segments.*|_.*");

    /// How Lucene begins the message for a failure in the thread of a merge, which is the cause.
    private static final String MERGE_FAILED = "background merge hit exception";

    private IndexFiles() {}

    /// Something that reads an index.
    @FunctionalInterface
    interface Reading<T> {
        T read() throws IOException;
    }

    /// A directory to write to, created if needed.
    static CheckedDirectory open(Path path) throws IOException {
        if (Files.exists(path) && !Files.isDirectory(path)) {
            throw new FormatException(path + ": expected a directory for an index, got a file");
        }
        return new CheckedDirectory(new MMapDirectory(path));
    }

    /// A directory to read from.
    ///
    /// @throws FormatException if it contains no index
    static CheckedDirectory openExisting(Path path) throws IOException {
        if (!Files.isDirectory(path)) {
            throw new FormatException("%s: expected the directory of an index, %s"
                    .formatted(path, Files.exists(path) ? "got a file" : "found nothing"));
        }
        if (ShardFolder.isOne(path)) {
            throw ShardFolder.refusal(path);
        }
        CheckedDirectory directory = new CheckedDirectory(new MMapDirectory(path));
        if (!DirectoryReader.indexExists(directory)) {
            try (directory) {
                requireNoParts(path, directory);
            }
            throw new FormatException(path + ": expected an index in the directory, found none");
        }
        return directory;
    }

    /// Refuses to make an index among other files. Remains of an index that was never finished are
    /// allowed.
    static void requireOwn(Path path, Directory directory) throws IOException {
        for (String name : directory.listAll()) {
            if (!OWN_FILE.matcher(name).matches()) {
                throw new FormatException(
                        "%s: expected an index or an empty directory, found %s".formatted(path, name));
            }
        }
        requireNoParts(path, directory);
    }

    /// An index without the file that lists its parts is damaged, not absent: a new index in its place
    /// would delete the parts.
    private static void requireNoParts(Path path, Directory directory) throws IOException {
        for (String name : directory.listAll()) {
            if (name.startsWith("_")) {
                throw IndexDamage.broken(path, "file segments_N, which lists the parts, is missing", null);
            }
        }
    }

    /// The last commit, if all of its files are there and look whole.
    ///
    /// @throws FormatException if the index is broken
    static SegmentInfos commit(Path path, CheckedDirectory directory) throws IOException {
        return checked(
                path,
                () -> new SegmentInfos.FindSegmentsFile<SegmentInfos>(directory) {
                    @Override
                    protected SegmentInfos doBody(String name) throws IOException {
                        SegmentInfos commit = SegmentInfos.readCommit(directory, name);
                        for (String file : commit.files(false)) {
                            directory.check(file);
                        }
                        return commit;
                    }
                }.run());
    }

    /// The only writer of an index.
    ///
    /// @throws IndexInUseException if there is another
    static IndexWriter writer(Path path, Directory directory, IndexWriterConfig config) throws IOException {
        try {
            return checked(path, () -> new IndexWriter(directory, config));
        } catch (LockObtainFailedException e) {
            throw new IndexInUseException(path, e);
        }
    }

    /// Runs something that reads or writes an index, and tells broken indexes from other failures.
    ///
    /// @throws FormatException if the index is broken or of another version of this library
    static <T> T checked(Path path, Reading<T> reading) throws IOException {
        try {
            return reading.read();
        } catch (IOException e) {
            requireUndamaged(path, e);
            throw named(path, e);
        } catch (RuntimeException | Error e) {
            requireUndamaged(path, e);
            throw e;
        }
    }

    /// As [#checked], for an index that another thread may close.
    ///
    /// @throws IllegalStateException if the index is closed
    static <T> T whileOpen(Path path, Reading<T> reading) throws IOException {
        try {
            return checked(path, reading);
        } catch (AlreadyClosedException e) {
            throw new IllegalStateException(closed(path), e);
        }
    }

    /// The message for calls after the index was closed.
    static String closed(Path path) {
        return path + ": the index is closed";
    }

    private static void requireUndamaged(Path path, Throwable failure) {
        Optional<FormatException> damage = IndexDamage.in(path, failure);
        if (damage.isPresent()) {
            throw damage.get();
        }
    }

    /// Adds the path to a failure that does not name it, such as a full disk.
    private static IOException named(Path path, IOException e) {
        if (String.valueOf(e.getMessage()).startsWith(MERGE_FAILED) && e.getCause() instanceof IOException cause) {
            return named(path, cause);
        }
        return e.getClass() == IOException.class
                        && !String.valueOf(e.getMessage()).contains(path.toString())
                ? new IOException("%s: %s".formatted(path, e.getMessage()), e)
                : e;
    }

    /// Checks that id, title and text can be stored as they are; metadata are Unicode text anyway.
    static Document check(Document document) {
        checkId(document.id());
        requireUnicode(document, "title", document.title().orElse(""));
        requireUnicode(document, "text", document.text());
        return document;
    }

    private static void requireUnicode(Document document, String part, String text) {
        if (!WellFormed.is(text)) {
            throw new FormatException("document %s: %s: expected Unicode text, got an unpaired surrogate"
                    .formatted(Quoted.of(document.id()), part));
        }
    }

    /// Checks ids to look for.
    ///
    /// @return those that a document of an index may have
    static List<String> checkIds(Collection<String> ids) {
        Objects.requireNonNull(ids, "ids");
        List<String> possible = new ArrayList<>(ids.size());
        for (String id : ids) {
            Objects.requireNonNull(id, "ids: expected texts, got null");
            // In UTF-8, half a surrogate pair would become another character, and the id that of another document.
            if (WellFormed.is(id)) {
                possible.add(id);
            }
        }
        return possible;
    }

    /// Checks that an id fits into an index.
    static String checkId(String id) {
        if (!WellFormed.is(id)) {
            // As question marks, different ids would become one.
            throw new FormatException("document id \"%s\": expected Unicode text, got an unpaired surrogate"
                    .formatted(id.length() > 40 ? id.substring(0, 40) : id));
        }
        int length = id.getBytes(StandardCharsets.UTF_8).length;
        if (length > IndexWriter.MAX_TERM_LENGTH) {
            throw new FormatException("document id %s...: expected at most %,d bytes, got %,d"
                    .formatted(id.substring(0, 40), IndexWriter.MAX_TERM_LENGTH, length));
        }
        return id;
    }
}
