package io.github.sgpt4j.weightstools.hub;

import io.github.sgpt4j.text.Quoted;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Downloads a repository at one commit into a cache: the missing ones of the files that are needed,
/// several at a time, and once all are present, the snapshot. The caller holds the repository's lock.
final class SnapshotDownload {
    private static final long MAX_LISTING_BYTES = 64 << 20;
    private static final int MAX_NAMED = 8;

    private final HubRepository repository;
    private final HubClient client;
    private final RepositoryFolder folder;
    private final HubOptions options;
    private final boolean symlinks;
    private final Retries retries;
    private final TransferProgress progress;
    private final DownloadRules rules;
    private final Map<String, RemoteFile> known = new LinkedHashMap<>();
    private final Set<String> fresh = ConcurrentHashMap.newKeySet();

    SnapshotDownload(
            HubRepository repository,
            HubClient client,
            RepositoryFolder folder,
            HubOptions options,
            boolean symlinks,
            Retries retries,
            HubListener listener) {
        this.repository = repository;
        this.client = client;
        this.folder = folder;
        this.options = options;
        this.symlinks = symlinks;
        this.retries = retries;
        this.progress = new TransferProgress(listener);
        this.rules = new DownloadRules(repository, options, progress);
    }

    /// Asks the hub for the revision's commit, and for its files.
    ///
    /// @throws UnreachableException if the hub cannot be reached, or is out of order
    /// @throws HubException if the hub refuses
    Listing list() throws IOException {
        URI address = client.at("%s/revision/%s?blobs=true"
                .formatted(RepositoryKind.of(repository).api(repository), Origin.segment(repository.revision())));
        try {
            return retries.call(progress, () -> {
                try (InputStream body =
                        client.get(address, repository.toString(), Map.of()).body()) {
                    return read(body);
                } catch (TransientException e) {
                    if (HubClient.isUnconnected(e)) {
                        throw new UnreachableException(e);
                    }
                    throw e;
                }
            });
        } catch (TransientException e) {
            throw new UnreachableException(e);
        }
    }

    private Listing read(InputStream body) throws IOException {
        String what = repository + ": list of files";
        try {
            return Listing.read(repository, new BoundedStream(body, MAX_LISTING_BYTES, what));
        } catch (TransientException e) {
            throw e.explained(what + ": " + e.getMessage());
        }
    }

    /// Downloads the missing files, and makes the snapshot.
    Path fetch(Listing listing) throws IOException {
        folder.create();
        folder.clean();
        List<RemoteFile> files = new ArrayList<>();
        for (String path : RepositoryKind.of(repository).files(repository, contents(listing))) {
            files.add(describe(listing, path));
        }
        Map<String, RemoteFile> missing = new LinkedHashMap<>();
        for (RemoteFile file : files) {
            if (!isThere(listing.commit(), file)) {
                missing.putIfAbsent(file.etag(), file);
            }
        }
        rules.check(files, missing.values(), fresh);
        announce(List.copyOf(missing.values()));
        fetchAll(listing.commit(), List.copyOf(missing.values()));
        new SnapshotPublisher(folder, listing.commit(), symlinks, fresh).publish(files);
        LocalSnapshot.note(folder, listing.commit(), files);
        return folder.snapshot(listing.commit());
    }

    private NeededFiles.Repository contents(Listing listing) {
        return new NeededFiles.Repository() {
            @Override
            public boolean has(String path) {
                return listing.entries().containsKey(path);
            }

            @Override
            public Set<String> paths() {
                return listing.entries().keySet();
            }

            @Override
            public String someNames() {
                return names(listing);
            }

            @Override
            public Path obtain(String path) throws IOException {
                RemoteFile file = describe(listing, path);
                if (!isThere(listing.commit(), file)) {
                    rules.checkFirst(file);
                    requireRoom(List.of(file));
                    progress.expect(file.bytes());
                    fetchOne(listing.commit(), file);
                }
                Path blob = folder.blob(file);
                return Files.exists(blob)
                        ? blob
                        : folder.snapshot(listing.commit()).resolve(path);
            }
        };
    }

    private static String names(Listing listing) {
        List<String> names = listing.entries().keySet().stream()
                .sorted()
                .limit(MAX_NAMED)
                .map(Quoted::of)
                .toList();
        int more = listing.entries().size() - names.size();
        return String.join(", ", names) + (more > 0 ? " and %,d more".formatted(more) : "");
    }

    /// Length and tag from the list, or from the file's own headers if the hub omits them from the
    /// list.
    private RemoteFile describe(Listing listing, String path) throws IOException {
        RemoteFile before = known.get(path);
        if (before != null) {
            return before;
        }
        Listing.Entry entry = listing.entries().get(path);
        RemoteFile file = entry != null
                        && entry.bytes().isPresent()
                        && entry.etag().isPresent()
                ? RemoteFile.checked(
                        repository,
                        path,
                        entry.bytes().getAsLong(),
                        entry.etag().get())
                : retries.call(
                        progress,
                        () -> RemoteFile.of(
                                repository, path, client.head(client.file(listing.commit(), path), what(path))));
        known.put(path, file);
        return file;
    }

    private String what(String path) {
        return repository + ": " + path;
    }

    /// Whether nothing has to be downloaded: the blob is present, or the file itself if links are not
    /// possible.
    private boolean isThere(String commit, RemoteFile file) throws IOException {
        if (fresh.contains(file.etag())) {
            return true;
        }
        if (options.force()) {
            return false;
        }
        Path blob = folder.blob(file);
        if (Files.isRegularFile(blob) && Files.size(blob) == file.bytes()) {
            return true;
        }
        Path direct = folder.snapshot(commit).resolve(file.path());
        return Files.isRegularFile(direct) && !Files.isSymbolicLink(direct) && Files.size(direct) == file.bytes();
    }

    private void announce(List<RemoteFile> missing) throws IOException {
        if (missing.isEmpty()) {
            return;
        }
        requireRoom(missing);
        long bytes = missing.stream().mapToLong(RemoteFile::bytes).sum();
        long there = 0;
        for (RemoteFile file : missing) {
            there += Math.min(file.bytes(), BlobDownload.partialBytes(folder.blob(file)));
        }
        progress.expect(bytes);
        String left = there == 0 ? "" : ", %,d of them from an earlier attempt".formatted(there);
        progress.notice("%s: fetching %s, %,d bytes%s"
                .formatted(repository, missing.size() == 1 ? "1 file" : missing.size() + " files", bytes, left));
    }

    private void requireRoom(List<RemoteFile> missing) throws IOException {
        long needed = 0;
        for (RemoteFile file : missing) {
            needed = Math.addExact(needed, Math.max(0, file.bytes() - BlobDownload.partialBytes(folder.blob(file))));
        }
        long free = Files.getFileStore(folder.root()).getUsableSpace();
        if (free < needed) {
            throw new FileSystemException(
                    folder.root().toString(), null, "needs %d bytes, has %d free".formatted(needed, free));
        }
    }

    private void fetchOne(String commit, RemoteFile file) throws IOException {
        try (BlobDownload download =
                new BlobDownload(client, file, commit, what(file.path()), folder.blob(file), retries, progress)) {
            download.run();
            fresh.add(file.etag());
        }
    }

    /// Downloads several files at a time. The first failure ends all downloads.
    private void fetchAll(String commit, List<RemoteFile> files) throws IOException {
        ExecutorService threads = Executors.newFixedThreadPool(
                Math.max(1, Math.min(options.parallel(), files.size())),
                Thread.ofPlatform().daemon().name("sgpt4j-download-", 0).factory());
        try {
            ExecutorCompletionService<Void> results = new ExecutorCompletionService<>(threads);
            List<Future<Void>> all = new ArrayList<>();
            for (RemoteFile file : files) {
                all.add(results.submit(() -> {
                    fetchOne(commit, file);
                    return null;
                }));
            }
            for (int i = 0; i < all.size(); i++) {
                results.take().get();
            }
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException cause -> throw cause;
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                case null, default -> throw new UncheckedIOException(new IOException(e));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Retries.interrupted(e);
        } finally {
            end(threads);
        }
    }

    /// Waits until nothing writes any more, since the lock is about to be released.
    private static void end(ExecutorService threads) {
        threads.shutdownNow();
        threads.close();
    }
}
