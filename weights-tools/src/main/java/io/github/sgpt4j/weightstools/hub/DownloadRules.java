package io.github.sgpt4j.weightstools.hub;

import io.github.sgpt4j.text.Quoted;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What a user allows a download to fetch: how many bytes, and whether files that cannot be verified.
///
/// @param repository what is downloaded
/// @param options the rules
/// @param listener notified of files that cannot be verified, if they are allowed
record DownloadRules(HubRepository repository, HubOptions options, HubListener listener) {
    private static final int MAX_NAMED = 8;

    /// Checks a file that must be downloaded before the other files are known.
    ///
    /// @throws HubException if it is not allowed
    void checkFirst(RemoteFile file) throws HubException {
        requireSize(file.bytes());
        if (options.strict()) {
            requireHash(List.of(file));
        }
    }

    /// Checks a model's files before the missing ones are downloaded.
    ///
    /// @param files all that are needed
    /// @param missing the files to download
    /// @param fresh tags of files that were downloaded just now
    /// @throws HubException if they are not allowed
    void check(List<RemoteFile> files, Collection<RemoteFile> missing, Set<String> fresh) throws HubException {
        if (!missing.isEmpty()) {
            Map<String, RemoteFile> all = new LinkedHashMap<>();
            files.forEach(file -> all.putIfAbsent(file.etag(), file));
            requireSize(all.values().stream().mapToLong(RemoteFile::bytes).sum());
        }
        if (options.strict()) {
            requireHash(files);
        }
        List<RemoteFile> unverified = unverified(files).stream()
                .filter(file -> missing.contains(file) || fresh.contains(file.etag()))
                .toList();
        if (!unverified.isEmpty()) {
            listener.notice("%s: unverified, since the hub gives no hash of their content: %s"
                    .formatted(repository, names(unverified)));
        }
    }

    private void requireSize(long bytes) throws HubException {
        if (bytes > options.maxBytes()) {
            throw new HubException("%s: expected files of at most %,d bytes in total, the hub has %,d"
                    .formatted(repository, options.maxBytes(), bytes));
        }
    }

    private void requireHash(List<RemoteFile> files) throws HubException {
        List<RemoteFile> unverified = unverified(files);
        if (!unverified.isEmpty()) {
            throw new HubException("%s: expected a hash of each file's content, the hub gives none for %s"
                    .formatted(repository, names(unverified)));
        }
    }

    private static List<RemoteFile> unverified(List<RemoteFile> files) {
        return files.stream().filter(file -> BlobHash.of(file).isEmpty()).toList();
    }

    private static String names(List<RemoteFile> files) {
        List<String> names = files.stream()
                .limit(MAX_NAMED)
                .map(file -> Quoted.of(file.path()))
                .toList();
        int more = files.size() - names.size();
        return String.join(", ", names) + (more > 0 ? " and %,d more".formatted(more) : "");
    }
}
