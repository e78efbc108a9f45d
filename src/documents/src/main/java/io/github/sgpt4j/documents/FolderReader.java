package io.github.sgpt4j.documents;

import io.github.sgpt4j.documents.decoding.BinaryContent;
import io.github.sgpt4j.documents.decoding.FileProblem;
import io.github.sgpt4j.documents.decoding.ReadingLimits;
import io.github.sgpt4j.documents.folder.FileNotes;
import io.github.sgpt4j.documents.folder.FolderFile;
import io.github.sgpt4j.documents.folder.FolderScan;
import io.github.sgpt4j.documents.format.FileSource;
import io.github.sgpt4j.documents.kind.NoText;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.interrupts.Interrupts;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Reads the files of a folder, at any depth, as documents, in the order of their names: plain text and
/// source code, Markdown, reStructuredText, web pages, PDF, Word's `.docx`, tables, JSON and JSON Lines,
/// and `.gz` of them. Anything hidden, links, and files that are no text are passed over.
///
/// The id of a document is the file's path below the folder, with `/` between names; in files with a
/// document per record (`.jsonl`, `.csv`, `.tsv`, an array in `.json`), followed by `#` and the number of
/// the record from 1. Metadata are `path`, `kind`, `modified` (UTC, as `2026-01-31T23:59:59Z`), `title` if
/// there is one, `record` or `pages`, and what the file says.
///
/// A file that cannot be read is reported and does not end the reading; where a later record is damaged,
/// the earlier ones were delivered. Not safe to share between threads.
public final class FolderReader implements Iterator<Document>, Closeable {
    private final ReadingLimits limits;
    private final Tally tally;
    private final Iterator<FolderFile> files;
    private final ReadFiles finished = new ReadFiles();
    private final long bytes;
    private long position;
    private long delivered;
    private @Nullable OpenFile open;
    private Optional<Document> ahead = Optional.empty();

    private FolderReader(FolderScan scan, List<FolderFile> files, FolderOptions options, Tally tally) {
        limits = new ReadingLimits(
                options.metadataFields(),
                options.maxBytes(),
                options.maxCharacters(),
                options.maxSeconds(),
                options.systemFonts());
        this.tally = tally;
        this.files = files.iterator();
        bytes = files.stream().mapToLong(file -> file.state().size()).sum();
        tally.add(scan);
    }

    /// Looks through a folder; its files are opened when their documents are asked for.
    ///
    /// @throws IOException if the folder cannot be read
    /// @throws io.github.sgpt4j.error.FormatException if it is none
    public static FolderReader open(Path folder, FolderOptions options, FolderListener listener) throws IOException {
        FolderScan scan = FolderScan.of(folder, options.excluded());
        return of(scan, options, new Tally(listener), Optional.empty());
    }

    /// @param notes which files are not read; empty to read all
    static FolderReader of(FolderScan scan, FolderOptions options, Tally tally, Optional<FileNotes> notes) {
        List<FolderFile> changed = new ArrayList<>();
        for (FolderFile file : scan.files()) {
            if (notes.filter(known -> known.isUnchanged(file)).isEmpty()) {
                changed.add(file);
                continue;
            }
            Optional<NoText> reason = notes.flatMap(known -> known.reason(file));
            Optional<String> failure = notes.flatMap(known -> known.failure(file));
            if (reason.isPresent()) {
                tally.passOver(file.name(), reason.get());
            } else if (failure.isPresent()) {
                tally.fail(file.name(), failure.get());
            } else {
                tally.unchanged();
            }
        }
        return new FolderReader(scan, changed, options, tally);
    }

    /// Whether the folder has files that may be read.
    ///
    /// @throws IOException if the folder cannot be read
    public static boolean hasFiles(Path folder, FolderOptions options) throws IOException {
        return !FolderScan.of(folder, options.excluded()).files().isEmpty();
    }

    @Override
    public boolean hasNext() {
        while (ahead.isEmpty()) {
            Interrupts.check("reading files");
            if (open != null) {
                advance(open);
            } else if (files.hasNext()) {
                begin(files.next());
            } else {
                return false;
            }
        }
        return true;
    }

    @Override
    public Document next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        Document document = ahead.orElseThrow();
        ahead = Optional.empty();
        delivered++;
        return document;
    }

    private void begin(FolderFile file) {
        boolean records = file.kind().isPresent() && file.kind().get().hasRecords();
        if (!records && file.state().size() > limits.maxBytes()) {
            passOver(file, NoText.LARGE, true);
            return;
        }
        List<String> sentences = new ArrayList<>();
        Optional<Problem> problem = attempt(file, () -> {
            FileSource source = new FileSource(file.path(), file.state().size(), limits, sentences::add);
            try {
                open = OpenFile.of(file, source, sentences);
            } catch (BinaryContent e) {
                if (file.kind().isPresent()) {
                    throw e;
                }
                passOver(file, NoText.BINARY, OpenFile.isSteady(file));
            }
        });
        if (problem.isPresent()) {
            fail(file, problem.get().reason(), problem.get().ofContent() && OpenFile.isSteady(file));
        }
    }

    private void advance(OpenFile from) {
        Optional<Problem> problem = attempt(from.file(), () -> ahead = from.next());
        from.takeSentences().forEach(sentence -> tally.tell(from.file().name(), sentence));
        if (problem.isPresent()) {
            String reason = problem.get().reason();
            fail(
                    from.file(),
                    from.documents() == 0 ? reason : "%s, after %,d documents".formatted(reason, from.documents()),
                    problem.get().ofContent() && from.isSteady());
        } else if (ahead.isEmpty()) {
            end(from);
        }
    }

    private void end(OpenFile from) {
        FolderFile file = from.file();
        boolean steady = from.isSteady();
        close(from);
        if (from.documents() == 0) {
            passOver(file, NoText.WITHOUT_TEXT, steady);
            return;
        }
        if (from.blankRecords() > 0) {
            tally.tell(file.name(), "records without text, left out: %,d".formatted(from.blankRecords()));
        }
        tally.read(file.name());
        finished.add(file, delivered, steady, from.lastRecord());
        position += file.state().size();
    }

    private void passOver(FolderFile file, NoText reason, boolean steady) {
        finished.addWithoutText(file, reason, delivered, steady);
        position += file.state().size();
        tally.passOver(file.name(), reason);
    }

    /// @param steady whether the content is why, and the same as long as size and time are
    private void fail(FolderFile file, String reason, boolean steady) {
        if (open != null) {
            close(open);
        }
        finished.addFailure(file, reason, delivered, steady);
        position += file.state().size();
        tally.fail(file.name(), reason);
    }

    private void close(OpenFile from) {
        open = null;
        from.close();
    }

    /// A step of reading a file.
    @FunctionalInterface
    private interface Step {
        void take() throws IOException;
    }

    /// What is wrong with a file.
    ///
    /// @param ofContent whether its bytes are, not the access to them
    private record Problem(String reason, boolean ofContent) {}

    /// What is wrong with the file, if something is.
    private static Optional<Problem> attempt(FolderFile file, Step step) {
        try {
            step.take();
            return Optional.empty();
        } catch (CancelledException e) {
            throw e;
        } catch (FileProblem e) {
            return Optional.of(new Problem(FolderScan.reason(e), true));
        } catch (IOException e) {
            Interrupts.checkCause(file.name(), e);
            return Optional.of(new Problem(FolderScan.reason(e), false));
        } catch (RuntimeException e) {
            // A library met something that it does not expect: one file must not end the reading of all.
            Interrupts.check(file.name());
            return Optional.of(new Problem(OpenFile.reason(file, e), false));
        } catch (StackOverflowError e) {
            return Optional.of(new Problem("nested too deeply", true));
        }
    }

    /// What became of the files so far.
    public FolderReport report() {
        return tally.report();
    }

    /// Bytes of the files that are read.
    public long size() {
        return bytes;
    }

    /// Bytes of the files that were read so far.
    public long position() {
        return position;
    }

    /// The files that were read.
    ReadFiles finished() {
        return finished;
    }

    @Override
    public void close() {
        if (open != null) {
            close(open);
        }
    }
}
