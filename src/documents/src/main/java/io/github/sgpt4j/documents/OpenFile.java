package io.github.sgpt4j.documents;

import io.github.sgpt4j.documents.folder.FileState;
import io.github.sgpt4j.documents.folder.FolderFile;
import io.github.sgpt4j.documents.format.Content;
import io.github.sgpt4j.documents.format.Contents;
import io.github.sgpt4j.documents.format.FileSource;
import io.github.sgpt4j.documents.format.Readers;
import io.github.sgpt4j.documents.kind.FileKind;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// A file that is being read.
final class OpenFile implements Closeable {
    /// A file that was changed so shortly before it was read may change again without another time.
    private static final long STEADY_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final FolderFile file;
    private final FileKind kind;
    private final Contents contents;
    private final List<String> sentences;
    private final long began;
    private long documents;
    private long blankRecords;
    private long lastRecord;

    private OpenFile(FolderFile file, FileKind kind, Contents contents, List<String> sentences, long began) {
        this.file = file;
        this.kind = kind;
        this.contents = contents;
        this.sentences = sentences;
        this.began = began;
    }

    /// @param sentences that `source` tells
    static OpenFile of(FolderFile file, FileSource source, List<String> sentences) throws IOException {
        long began = now();
        if (file.kind().isEmpty()) {
            source.requireText();
        }
        FileKind kind = file.kind().orElse(FileKind.TEXT);
        return new OpenFile(file, kind, Readers.of(kind).open(source), sentences, began);
    }

    private static long now() {
        return TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis());
    }

    FolderFile file() {
        return file;
    }

    /// Documents that it gave.
    long documents() {
        return documents;
    }

    /// Records that were left out.
    long blankRecords() {
        return blankRecords;
    }

    /// Number of the last record; 0 if the file is one document.
    long lastRecord() {
        return lastRecord;
    }

    /// The next document with a title or a text; empty at the end.
    Optional<Document> next() throws IOException {
        while (true) {
            Optional<Content> content = contents.next();
            if (content.isEmpty()) {
                return Optional.empty();
            }
            lastRecord = content.get().record().orElse(0);
            if (content.get().text().isBlank() && content.get().title().isEmpty()) {
                blankRecords++;
                continue;
            }
            Document document = FolderDocuments.of(file, kind, content.get());
            documents++;
            return Optional.of(document);
        }
    }

    /// What was told since the last call.
    List<String> takeSentences() {
        List<String> taken = List.copyOf(sentences);
        sentences.clear();
        return taken;
    }

    /// Whether the file surely was the same from the look at the folder until now.
    boolean isSteady() {
        return isSteady(file, began);
    }

    static boolean isSteady(FolderFile file) {
        return isSteady(file, now());
    }

    private static boolean isSteady(FolderFile file, long began) {
        try {
            return file.state().modified() + STEADY_NANOS < began
                    && FileState.of(file.path()).equals(file.state());
        } catch (IOException e) {
            // It is gone, or no longer readable: the next look will tell.
            return false;
        }
    }

    /// What is wrong with a file, without its name.
    static String reason(FolderFile file, RuntimeException failure) {
        String message = String.valueOf(failure.getMessage());
        if (!(failure instanceof SgptException)) {
            return "%s: %s".formatted(failure.getClass().getSimpleName(), message);
        }
        String last = String.valueOf(file.path().getFileName()) + ": ";
        int name = message.indexOf(last);
        return name < 0 ? message : message.substring(name + last.length());
    }

    @Override
    public void close() {
        try {
            contents.close();
        } catch (IOException e) {
            // It was read only.
            return;
        }
    }
}
