package io.github.sgpt4j.documents;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.github.sgpt4j.documents.folder.FileNotes;
import io.github.sgpt4j.documents.folder.FolderFile;
import io.github.sgpt4j.documents.folder.FolderScan;
import io.github.sgpt4j.retrieval.SemanticIndex;
import io.github.sgpt4j.retrieval.UpdateListener;
import io.github.sgpt4j.retrieval.UpdateReport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/// An index that is kept up to date with a folder of files. Files whose size and time are as they were when
/// they were read are not read again; which these are is noted in the folder of the index
/// (`sgpt-files.jsonl`). Everything else is as in [SemanticIndex#update]: unchanged documents are skipped,
/// and texts that the index has are not embedded again.
///
/// The index is borrowed. One thread at a time may use an object of this class.
public final class FolderIndex {
    /// The index of a folder `DIR` for which none is named lies in `DIR/.sgpt`.
    public static final String DEFAULT_NAME = ".sgpt";

    /// Changes when files are read in another way.
    private static final int FORM = 1;

    private final SemanticIndex index;
    private final Path place;
    private final Path folder;
    private final FolderOptions options;

    /// @param index open for writing
    /// @param place its folder, which is not entered if it lies in `folder`
    /// @param folder of files
    /// @throws IOException if a folder cannot be found
    public FolderIndex(SemanticIndex index, Path place, Path folder, FolderOptions options) throws IOException {
        this.index = index;
        this.place = place;
        this.folder = folder;
        Set<Path> excluded = new HashSet<>(options.excluded());
        excluded.add(place.toRealPath());
        this.options = options.withExcluded(excluded);
    }

    /// Reads what is new or changed into the index.
    ///
    /// @param removeMissing whether to remove documents of other files than those of the folder, and of
    ///     records that their files no longer have. Documents of files that cannot be read now are kept
    /// @param listener is told of each file that is not read
    /// @throws IOException if the index cannot be written, or the folder not be read
    /// @throws io.github.sgpt4j.error.CancelledException if the thread is interrupted; what was committed
    ///     stays, and its files are not read again
    public FolderUpdate update(boolean removeMissing, FolderListener listener, FolderProgress progress)
            throws IOException {
        FolderScan scan = FolderScan.of(folder, options.excluded());
        Optional<FileNotes> notes = notes();
        Tally tally = new Tally(listener);
        try (FolderReader reader = FolderReader.of(scan, options, tally, notes)) {
            if (notes.isPresent()) {
                forgetChanged(scan, notes.get());
            }
            UpdateListener told = progress.of(reader);
            UpdateReport report = index.update(reader, false, settling(reader, notes, told));
            if (notes.isPresent() && reader.finished().settle(Long.MAX_VALUE, notes.get())) {
                notes.get().save();
            }
            long removed = removeMissing ? new Removal(index).remove(scan, reader.finished()) : 0;
            return new FolderUpdate(reader.report(), report, removed);
        }
    }

    private Optional<FileNotes> notes() throws IOException {
        Optional<String> id = index.id();
        if (id.isEmpty()) {
            return Optional.empty();
        }
        ArrayNode key = JsonNodeFactory.instance.arrayNode();
        key.add(FORM).add(id.get()).add(folder.toRealPath().toString());
        options.metadataFields().stream().sorted().forEach(key::add);
        key.add(options.maxBytes()).add(options.maxCharacters()).add(options.maxSeconds());
        return Optional.of(FileNotes.of(place, key.toString()));
    }

    /// Before the documents of files change in the index, no note may say that they are the old ones.
    private static void forgetChanged(FolderScan scan, FileNotes notes) throws IOException {
        Set<String> unchanged = new HashSet<>();
        for (FolderFile file : scan.files()) {
            if (notes.isUnchanged(file)) {
                unchanged.add(file.name());
            }
        }
        if (notes.retain(unchanged)) {
            notes.save();
        }
    }

    private static UpdateListener settling(FolderReader reader, Optional<FileNotes> notes, UpdateListener told) {
        return new UpdateListener() {
            @Override
            public void batchRead() {
                told.batchRead();
            }

            @Override
            public void embedded(long done, long total) {
                told.embedded(done, total);
            }

            @Override
            public void committed(UpdateReport soFar) {
                if (notes.isPresent() && reader.finished().settle(soFar.read(), notes.get())) {
                    save(notes.get());
                }
                told.committed(soFar);
            }
        };
    }

    private static void save(FileNotes notes) {
        try {
            notes.save();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
