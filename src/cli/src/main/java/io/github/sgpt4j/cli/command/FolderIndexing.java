package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.cli.console.CliException;
import io.github.sgpt4j.cli.console.Interruption;
import io.github.sgpt4j.documents.FolderIndex;
import io.github.sgpt4j.documents.FolderListener;
import io.github.sgpt4j.documents.FolderOptions;
import io.github.sgpt4j.documents.FolderProgress;
import io.github.sgpt4j.documents.FolderReader;
import io.github.sgpt4j.documents.FolderUpdate;
import io.github.sgpt4j.documents.FolderWatch;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.retrieval.SemanticIndex;
import io.github.sgpt4j.retrieval.UpdateReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalTime;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// Indexes a folder of any files, once or whenever it changes.
final class FolderIndexing {
    private final ModelCommand command;
    private final CorpusOptions reading;
    private final Path folder;
    private final Path place;
    private final FolderOptions options;

    /// Number of files that could not be read when that was said last.
    private long failed;

    /// @param folder of files
    /// @param place of the index
    FolderIndexing(ModelCommand command, CorpusOptions reading, Path folder, Path place) throws IOException {
        this.command = command;
        this.reading = reading;
        this.folder = folder;
        this.place = place;
        FolderOptions all = reading.folder(command);
        options = Files.isDirectory(place) ? all.withExcluded(Set.of(place.toRealPath())) : all;
    }

    /// Refuses a folder without any file to read, before anything is made for it.
    void requireFiles() throws IOException {
        if (!FolderReader.hasFiles(folder, options)) {
            FolderReader reader = FolderReader.open(folder, options, FolderListener.NONE);
            throw new CliException("%s: expected files to read, found none: %s"
                    .formatted(folder, reader.report().sentence()));
        }
    }

    /// Indexes what is new or changed.
    FolderUpdate update(SemanticIndex index, boolean removeMissing) throws IOException {
        try (Display display = new Display()) {
            FolderUpdate update = new FolderIndex(index, place, folder, options)
                    .update(removeMissing, reading.listener(command), display::of);
            reading.report(command, folder.toString(), update.files());
            failed = update.files().failures();
            return update;
        }
    }

    /// The progress of an update, once its files are known.
    private final class Display implements AutoCloseable {
        private @Nullable IndexProgress progress;

        IndexProgress of(FolderReader files) {
            IndexProgress shown =
                    new IndexProgress(command.console(), command.common().quiet(), files.size(), files::position);
            progress = shown;
            return shown;
        }

        @Override
        public void close() {
            if (progress != null) {
                progress.close();
            }
        }
    }

    /// Follows what changes until the process is asked to end. Documents of files that are deleted are removed.
    ///
    /// @param exit completed with the code that the process ends with
    void watch(SemanticIndex index, CompletableFuture<Integer> exit) throws IOException {
        try (Interruption _ = Interruption.ofThisThread(exit);
                FolderWatch watch = FolderWatch.open(folder, options, FolderWatch.QUIET)) {
            command.notice("watching %s; Ctrl-C ends".formatted(folder));
            FolderIndex following = new FolderIndex(index, place, folder, options);
            // What changed between the first look and the watch.
            follow(index, following);
            while (true) {
                watch.await();
                watch.refresh();
                follow(index, following);
            }
        } catch (CancelledException | InterruptedException e) {
            throw CliException.interrupted(
                    String.format(
                            Locale.ROOT, "watching %s has ended; %s has %,d documents", folder, place, index.size()),
                    e);
        }
    }

    private void follow(SemanticIndex index, FolderIndex following) throws IOException {
        FolderUpdate update = following.update(true, changesOnly(reading.listener(command)), FolderProgress.NONE);
        UpdateReport documents = update.documents();
        long failures = update.files().failures();
        if (documents.added() + documents.replaced() + update.removed() == 0 && failures == failed) {
            return;
        }
        failed = failures;
        command.notice(String.format(
                Locale.ROOT,
                "%s %s: documents added %,d, replaced %,d, removed %,d; files that cannot be read %,d; %s has %,d documents",
                LocalTime.now().truncatedTo(ChronoUnit.SECONDS),
                folder,
                documents.added(),
                documents.replaced(),
                update.removed(),
                failures,
                place,
                index.size()));
    }

    /// What is passed over was told in the beginning.
    private static FolderListener changesOnly(FolderListener listener) {
        return new FolderListener() {
            @Override
            public void failed(String name, String reason) {
                listener.failed(name, reason);
            }

            @Override
            public void told(String name, String sentence) {
                listener.told(name, sentence);
            }
        };
    }
}
