package io.github.sgpt4j.documents;

import io.github.sgpt4j.documents.folder.FolderScan;
import io.github.sgpt4j.error.FormatException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/// Waits until something in a folder changes, at any depth. What has changed is not told: a look at all
/// sizes and times ([FolderIndex#update]) finds it, also where the system lost events because there were
/// too many. Hidden files and folders do not count.
///
/// Call [#refresh] before each such look: what is changed after it ends the next [#await].
public final class FolderWatch implements Closeable {
    /// How long nothing must change until a change is reported, so that copying many files is one change.
    public static final Duration QUIET = Duration.ofSeconds(1);

    private static final long LOOK_SECONDS = 5;
    private static final int MAX_QUIET_PERIODS = 10;

    private final Path folder;
    private final FolderOptions options;
    private final Duration quiet;
    private final WatchService service;

    private FolderWatch(Path folder, FolderOptions options, Duration quiet, WatchService service) {
        this.folder = folder;
        this.options = options;
        this.quiet = quiet;
        this.service = service;
    }

    /// Begins to watch.
    ///
    /// @param options of which [FolderOptions#excluded] counts
    /// @param quiet how long nothing must change until a change is reported; ten times that at most
    /// @throws IOException if the folder cannot be watched
    public static FolderWatch open(Path folder, FolderOptions options, Duration quiet) throws IOException {
        FolderWatch watch =
                new FolderWatch(folder, options, quiet, folder.getFileSystem().newWatchService());
        try {
            watch.refresh();
            return watch;
        } catch (IOException | RuntimeException e) {
            watch.close();
            throw e;
        }
    }

    /// Watches folders that are new.
    ///
    /// @throws IOException if they cannot be watched
    public void refresh() throws IOException {
        for (Path each : FolderScan.of(folder, options.excluded()).folders()) {
            try {
                each.register(
                        service,
                        StandardWatchEventKinds.ENTRY_CREATE,
                        StandardWatchEventKinds.ENTRY_MODIFY,
                        StandardWatchEventKinds.ENTRY_DELETE);
            } catch (IOException e) {
                if (Files.isDirectory(each)) {
                    throw new IOException("%s: cannot be watched: %s".formatted(each, FolderScan.reason(e)), e);
                }
            }
        }
    }

    /// Waits for a change, and then until nothing changes for a while.
    ///
    /// @throws InterruptedException if the thread is interrupted
    /// @throws FormatException if the folder is gone
    public void await() throws InterruptedException {
        // A folder that is moved away causes no event.
        WatchKey first = service.poll(LOOK_SECONDS, TimeUnit.SECONDS);
        while (first == null || !take(first)) {
            requireFolder();
            first = service.poll(LOOK_SECONDS, TimeUnit.SECONDS);
        }
        long end = System.nanoTime() + MAX_QUIET_PERIODS * quiet.toNanos();
        WatchKey key = service.poll(quiet.toNanos(), TimeUnit.NANOSECONDS);
        while (key != null && System.nanoTime() < end) {
            take(key);
            key = service.poll(quiet.toNanos(), TimeUnit.NANOSECONDS);
        }
        if (key != null) {
            take(key);
        }
        requireFolder();
    }

    /// Whether the events of a key count.
    private static boolean take(WatchKey key) {
        boolean counts = false;
        for (WatchEvent<?> event : key.pollEvents()) {
            counts |= event.kind().equals(StandardWatchEventKinds.OVERFLOW)
                    || !String.valueOf(event.context()).startsWith(".");
        }
        return !key.reset() || counts;
    }

    private void requireFolder() {
        if (!Files.isDirectory(folder)) {
            throw new FormatException(folder + ": expected the directory that is watched, it is gone");
        }
    }

    @Override
    public void close() throws IOException {
        service.close();
    }
}
