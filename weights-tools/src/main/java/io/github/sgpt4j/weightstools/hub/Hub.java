package io.github.sgpt4j.weightstools.hub;

import io.github.sgpt4j.error.CancelledException;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// Models and datasets of a Hugging Face hub, in a cache shared with the Python client: each finds what the other
/// downloaded.
///
/// Downloads the files that the engine reads: configuration, tokenizer, module folders of
/// sentence-transformers, and weights as safetensors if there are any, otherwise as pickles; of a dataset
/// a collection in BEIR's layout, or its judgements. A snapshot
/// appears when all of its files are present and checked against their hashes; an interrupted download
/// is resumed. The token is sent only to the hub's own scheme, host and port.
///
/// Safe for use by several threads and processes: one downloads a model, the others wait.
public final class Hub {
    private final HubSettings settings;
    /// The time over which the rate of a download is measured.
    private static final Duration RATE_WINDOW = Duration.ofMinutes(1);

    private final Retries retries;
    private final Duration window;

    /// A client of a hub.
    ///
    /// @param settings where the hub and the cache are
    public Hub(HubSettings settings) {
        this(settings, Retries.DEFAULT, RATE_WINDOW);
    }

    Hub(HubSettings settings, Retries retries, Duration window) {
        this.settings = settings;
        this.retries = retries;
        this.window = window;
    }

    /// The repository's snapshot if the cache contains all of it. The hub is not asked.
    ///
    /// @throws IOException if the cache cannot be read
    public Optional<Path> find(HubRepository repository) throws IOException {
        return local(repository).filter(LocalSnapshot::isComplete).map(LocalSnapshot::directory);
    }

    /// The repository's snapshot, downloaded if it is not in the cache; the hub is not asked for a newer
    /// version.
    ///
    /// A snapshot made by another program may lack files, which the cache alone cannot tell; it is
    /// completed once, or used unchanged if the hub does not answer.
    ///
    /// @param listener notified if something is downloaded
    /// @throws HubException if it must be downloaded and the hub cannot be reached, refuses, or sends
    ///     something invalid, or if connections are forbidden
    /// @throws CancelledException if the thread is interrupted; a later call resumes the download
    /// @throws io.github.sgpt4j.error.SgptException if the repository contains no model or collection
    ///     that can be read
    /// @throws IOException if the cache cannot be read or written
    public Path get(HubRepository repository, HubListener listener) throws IOException {
        return get(repository, HubOptions.DEFAULT, listener);
    }

    /// As [#get(HubRepository, HubListener)], with other options.
    ///
    /// @param options of the download, if there is one; existing files are not downloaded again
    /// @throws IOException as there
    public Path get(HubRepository repository, HubOptions options, HubListener listener) throws IOException {
        HubOptions missing = options.withForce(false);
        Optional<LocalSnapshot> there = local(repository);
        if (there.filter(LocalSnapshot::isComplete).isPresent()) {
            return there.get().directory();
        }
        Optional<LocalSnapshot> usable = there.filter(LocalSnapshot::isUsable);
        if (usable.isEmpty()) {
            requireOnline(repository, there.isPresent());
            listener.notice("%s is not %sin the cache: downloading it from %s"
                    .formatted(repository, there.isPresent() ? "completely " : "", settings.endpoint()));
            return download(repository, missing, listener, true);
        }
        if (settings.offline() || !RepositoryName.isCommit(usable.get().commit())) {
            return usable.get().directory();
        }
        listener.notice("%s is in the cache, perhaps incomplete: asking %s".formatted(repository, settings.endpoint()));
        try {
            return download(repository.withRevision(usable.get().commit()), missing, listener, true);
        } catch (IOException e) {
            listener.notice("%s; using the cached files of %s".formatted(e.getMessage(), repository));
            return usable.get().directory();
        }
    }

    /// Brings the cache up to date with the hub: downloads the missing files of the revision's current
    /// commit.
    ///
    /// If connections are forbidden, or the hub does not answer, the snapshot in the cache is returned,
    /// if there is one.
    ///
    /// @return the snapshot's directory
    /// @throws HubException if the hub cannot be reached, refuses, or sends something invalid
    /// @throws CancelledException if the thread is interrupted; a later call resumes the download
    /// @throws io.github.sgpt4j.error.SgptException if the repository contains no model or collection
    ///     that can be read
    /// @throws IOException if the cache cannot be read or written
    public Path download(HubRepository repository, HubOptions options, HubListener listener) throws IOException {
        if (!settings.offline()) {
            return download(repository, options, listener, false);
        }
        Optional<Path> usable = usable(repository);
        if (usable.isEmpty() || options.force()) {
            requireOnline(repository, usable.isPresent());
        }
        listener.notice("%s: HF_HUB_OFFLINE is set, so the hub is not asked for a newer version".formatted(repository));
        return usable.orElseThrow();
    }

    private Optional<LocalSnapshot> local(HubRepository repository) throws IOException {
        return LocalSnapshot.of(folder(repository), repository);
    }

    private RepositoryFolder folder(HubRepository repository) {
        return RepositoryFolder.of(settings.cache(), repository);
    }

    private Optional<Path> usable(HubRepository repository) throws IOException {
        return local(repository)
                .filter(snapshot -> snapshot.isComplete() || snapshot.isUsable())
                .map(LocalSnapshot::directory);
    }

    private void requireOnline(HubRepository repository, boolean there) throws HubException {
        if (settings.offline()) {
            throw new HubException("%s: %s in %s, and HF_HUB_OFFLINE forbids downloading it"
                    .formatted(
                            repository,
                            there ? "incomplete" : "not",
                            folder(repository).root()));
        }
    }

    /// @param complete whether a complete snapshot may be left unchanged
    private Path download(HubRepository repository, HubOptions options, HubListener listener, boolean complete)
            throws IOException {
        try {
            return fetch(repository, options, listener, complete);
        } catch (CancelledException | ClosedByInterruptException e) {
            Thread.currentThread().interrupt();
            CancelledException cancelled = new CancelledException(
                    "%s: the download was interrupted; what was received is kept".formatted(repository));
            cancelled.initCause(e);
            throw cancelled;
        }
    }

    private Path fetch(HubRepository repository, HubOptions options, HubListener listener, boolean complete)
            throws IOException {
        RepositoryFolder folder = folder(repository);
        RateFloor floor = new RateFloor(options.minRate(), window, System::nanoTime);
        try (HubClient client = new HubClient(settings, repository, floor)) {
            SnapshotDownload download =
                    new SnapshotDownload(repository, client, folder, options, settings.symlinks(), retries, listener);
            Listing listing;
            try {
                listing = download.list();
            } catch (UnreachableException e) {
                Optional<Path> usable = options.force() ? Optional.empty() : usable(repository);
                if (usable.isEmpty()) {
                    throw e;
                }
                listener.notice("%s; using the cached version".formatted(e.getMessage()));
                return usable.get();
            }
            RepositoryLock lock = RepositoryLock.take(
                    folder.lockFile(),
                    () -> listener.notice("waiting for another process that downloads " + repository.id()));
            try {
                // Another process may have downloaded it in the meantime.
                Optional<Path> there = complete ? find(repository) : Optional.empty();
                if (there.isPresent()) {
                    return there.get();
                }
                Path snapshot = download.fetch(listing);
                folder.refer(repository.revision(), listing.commit());
                return snapshot;
            } finally {
                lock.close();
            }
        }
    }
}
