package io.github.sgpt4j.documents;

import io.github.sgpt4j.documents.folder.FileNotes;
import io.github.sgpt4j.documents.folder.FolderFile;
import io.github.sgpt4j.documents.kind.NoText;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Files that were read, until their documents are committed.
final class ReadFiles {
    private final Deque<Finished> waiting = new ArrayDeque<>();
    private final Map<String, Long> records = new LinkedHashMap<>();
    private final Set<String> withoutText = new HashSet<>();

    /// @param file in the state in which it was read
    /// @param documents number of documents that were delivered up to its end
    /// @param steady whether the file surely was the same from the beginning of reading to its end
    private record Finished(
            FolderFile file, Optional<NoText> reason, Optional<String> failure, long documents, boolean steady) {}

    /// @param lastRecord number of the file's last record; 0 if it is one document
    void add(FolderFile file, long documents, boolean steady, long lastRecord) {
        waiting.add(new Finished(file, Optional.empty(), Optional.empty(), documents, steady));
        if (file.kind().isPresent() && file.kind().get().hasRecords()) {
            records.put(file.name(), lastRecord);
        }
    }

    /// A file that was opened and holds no document.
    void addWithoutText(FolderFile file, NoText reason, long documents, boolean steady) {
        waiting.add(new Finished(file, Optional.of(reason), Optional.empty(), documents, steady));
        withoutText.add(file.name());
    }

    /// A file whose content is damaged, so that reading it again would fail again.
    void addFailure(FolderFile file, String failure, long documents, boolean steady) {
        waiting.add(new Finished(file, Optional.empty(), Optional.of(failure), documents, steady));
    }

    /// Notes the files all of whose documents are committed.
    ///
    /// @param documents number of documents committed, from the first that was delivered
    /// @return whether there were any
    boolean settle(long documents, FileNotes notes) {
        boolean any = false;
        while (!waiting.isEmpty() && waiting.peek().documents <= documents) {
            Finished finished = waiting.remove();
            if (finished.steady) {
                finished.failure.ifPresentOrElse(
                        failure -> notes.addFailure(finished.file, failure),
                        () -> notes.add(finished.file, finished.reason));
                any = true;
            }
        }
        return any;
    }

    /// Last records of the files that may have several, by name.
    Map<String, Long> records() {
        return records;
    }

    /// Names of files that were opened and hold no document.
    Set<String> withoutText() {
        return withoutText;
    }
}
