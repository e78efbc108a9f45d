package io.github.sgpt4j.weightstools.hub;

import io.github.sgpt4j.error.CancelledException;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// Models of a Hugging Face hub, in a cache that the Python client shares: what either fetched, both find.
///
/// Fetched are the files that the engine reads: configuration, tokenizer, module folders of sentence-transformers,
/// and weights as safetensors if there are any, otherwise as pickles. A snapshot appears when all its files are
/// there and checked against their hashes; an interrupted download goes on where it stopped. The token goes to the
/// hub's own scheme, host and port only.
///
/// Safe for use by several threads and processes: one downloads a model, the others wait.
public final class Hub {
    private final HubSettings settings;
    /// Over which the rate of a download is measured.
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

    /// The model's snapshot if the cache has all of it. Nothing is asked of the hub.
    ///
    /// @throws IOException if the cache cannot be read
    public Optional<Path> find(HubModel model) throws IOException {
        return local(model).filter(LocalSnapshot::isComplete).map(LocalSnapshot::directory);
    }

    /// The model's snapshot, downloaded if the cache does not have it; the hub is not asked about a newer one.
    ///
    /// A snapshot by another program that may lack files, which cannot be told from the cache, is completed once;
    /// where the hub does not answer, it is used as it is.
    ///
    /// @param listener hears of it, if something is downloaded
    /// @throws HubException if it has to be downloaded and the hub cannot be reached, refuses, or sends what it
    ///     should not, or if connections are forbidden
    /// @throws CancelledException if the thread is interrupted; a later call goes on with what has come
    /// @throws io.github.sgpt4j.error.SgptException if the repository holds no model that can be read
    /// @throws IOException if the cache cannot be read or written
    public Path get(HubModel model, HubListener listener) throws IOException {
        return get(model, HubOptions.DEFAULT, listener);
    }

    /// As [#get(HubModel, HubListener)], with other options.
    ///
    /// @param options of the download, if there is one; files that are there are not fetched anew
    /// @throws IOException as there
    public Path get(HubModel model, HubOptions options, HubListener listener) throws IOException {
        HubOptions missing = options.withForce(false);
        Optional<LocalSnapshot> there = local(model);
        if (there.filter(LocalSnapshot::isComplete).isPresent()) {
            return there.get().directory();
        }
        Optional<LocalSnapshot> usable = there.filter(LocalSnapshot::isUsable);
        if (usable.isEmpty()) {
            requireOnline(model, there.isPresent());
            listener.notice("%s is not in the cache%s: downloading it from %s"
                    .formatted(model, there.isPresent() ? " as a whole" : "", settings.endpoint()));
            return download(model, missing, listener, true);
        }
        if (settings.offline() || !HubModel.isCommit(usable.get().commit())) {
            return usable.get().directory();
        }
        listener.notice("%s is in the cache, perhaps not as a whole: asking %s".formatted(model, settings.endpoint()));
        try {
            return download(model.withRevision(usable.get().commit()), missing, listener, true);
        } catch (IOException e) {
            listener.notice("%s; using %s as it is".formatted(e.getMessage(), model));
            return usable.get().directory();
        }
    }

    /// Brings the cache up to date with the hub: fetches what is missing of the revision as it is now.
    ///
    /// Where connections are forbidden, or the hub does not answer, the snapshot in the cache is returned, if there
    /// is one.
    ///
    /// @return the snapshot's directory
    /// @throws HubException if the hub cannot be reached, refuses, or sends what it should not
    /// @throws CancelledException if the thread is interrupted; a later call goes on with what has come
    /// @throws io.github.sgpt4j.error.SgptException if the repository holds no model that can be read
    /// @throws IOException if the cache cannot be read or written
    public Path download(HubModel model, HubOptions options, HubListener listener) throws IOException {
        if (!settings.offline()) {
            return download(model, options, listener, false);
        }
        Optional<Path> usable = usable(model);
        if (usable.isEmpty() || options.force()) {
            requireOnline(model, usable.isPresent());
        }
        listener.notice("%s: HF_HUB_OFFLINE is set, so the hub is not asked for a newer one".formatted(model));
        return usable.orElseThrow();
    }

    private Optional<LocalSnapshot> local(HubModel model) throws IOException {
        return LocalSnapshot.of(folder(model), model);
    }

    private RepositoryFolder folder(HubModel model) {
        return RepositoryFolder.of(settings.cache(), model);
    }

    private Optional<Path> usable(HubModel model) throws IOException {
        return local(model)
                .filter(snapshot -> snapshot.isComplete() || snapshot.isUsable())
                .map(LocalSnapshot::directory);
    }

    private void requireOnline(HubModel model, boolean there) throws HubException {
        if (settings.offline()) {
            throw new HubException("%s: %s in %s, and HF_HUB_OFFLINE forbids to download it"
                    .formatted(
                            model, there ? "not complete" : "not", folder(model).root()));
        }
    }

    /// @param complete whether a complete snapshot may be left as it is
    private Path download(HubModel model, HubOptions options, HubListener listener, boolean complete)
            throws IOException {
        try {
            return fetch(model, options, listener, complete);
        } catch (CancelledException | ClosedByInterruptException e) {
            Thread.currentThread().interrupt();
            CancelledException cancelled =
                    new CancelledException("%s: the download was interrupted; what has come is kept".formatted(model));
            cancelled.initCause(e);
            throw cancelled;
        }
    }

    private Path fetch(HubModel model, HubOptions options, HubListener listener, boolean complete) throws IOException {
        RepositoryFolder folder = folder(model);
        RateFloor floor = new RateFloor(options.minRate(), window, System::nanoTime);
        try (HubClient client = new HubClient(settings, model, floor)) {
            SnapshotDownload download =
                    new SnapshotDownload(model, client, folder, options, settings.symlinks(), retries, listener);
            Listing listing;
            try {
                listing = download.list();
            } catch (UnreachableException e) {
                Optional<Path> usable = options.force() ? Optional.empty() : usable(model);
                if (usable.isEmpty()) {
                    throw e;
                }
                listener.notice("%s; using what the cache has".formatted(e.getMessage()));
                return usable.get();
            }
            RepositoryLock lock = RepositoryLock.take(
                    folder.lockFile(),
                    () -> listener.notice("waiting for another process that downloads " + model.id()));
            try {
                // Another process may have fetched it meanwhile.
                Optional<Path> there = complete ? find(model) : Optional.empty();
                if (there.isPresent()) {
                    return there.get();
                }
                Path snapshot = download.fetch(listing);
                folder.refer(model.revision(), listing.commit());
                return snapshot;
            } finally {
                lock.close();
            }
        }
    }
}
