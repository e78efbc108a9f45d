package io.github.sgpt4j.weightstools.hub;

import io.github.sgpt4j.text.Quoted;
import java.net.http.HttpHeaders;
import java.util.regex.Pattern;

/// A file of a repository at one commit.
///
/// @param path in the repository, segments separated by slashes
/// @param bytes its length
/// @param etag identifies its content, and names it in the cache: SHA-256 of a large file, git's hash
///     of any other
record RemoteFile(String path, long bytes, String etag) {
    static final long MAX_BYTES = 1L << 42;

    private static final long MAX_OTHER_BYTES = 1L << 28;
    private static final Pattern ETAG = Pattern.compile("[0-9A-Za-z][0-9A-Za-z_.-]{0,127}");
    private static final Pattern WEIGHTS = Pattern.compile(".*\\.(safetensors|bin)");

    /// @throws HubException if length or tag are not possible for such a file
    static RemoteFile checked(HubRepository repository, String path, long bytes, String etag) throws HubException {
        String what = repository.id() + ": " + path;
        long most = isWeights(path) || repository instanceof HubDataset ? MAX_BYTES : MAX_OTHER_BYTES;
        if (bytes < 0 || bytes > most) {
            throw new HubException(
                    "%s: expected a length of 0 to %d bytes, the hub says %d".formatted(what, most, bytes));
        }
        if (!ETAG.matcher(etag).matches() || etag.contains("..")) {
            throw new HubException("%s: expected a hash as its tag, the hub says %s".formatted(what, Quoted.of(etag)));
        }
        return new RemoteFile(path, bytes, etag);
    }

    /// The file as described by the headers of a response.
    ///
    /// @throws HubException if they are incomplete or invalid
    static RemoteFile of(HubRepository repository, String path, HttpHeaders headers) throws HubException {
        String tag = headers.firstValue("X-Linked-Etag")
                .or(() -> headers.firstValue("ETag"))
                .orElse("");
        boolean elsewhere = headers.firstValue("Location").isPresent();
        String length = headers.firstValue("X-Linked-Size")
                .or(() -> headers.firstValue("Content-Length").filter(value -> !elsewhere))
                .orElse("");
        if (!length.matches("[0-9]{1,18}")) {
            throw new HubException("%s: %s: expected its length from the hub, got %s"
                    .formatted(repository.id(), path, Quoted.of(length)));
        }
        return checked(repository, path, Long.parseLong(length), plain(tag));
    }

    /// The tag without HTTP's quotes and weak mark.
    private static String plain(String tag) {
        String value = tag.startsWith("W/") ? tag.substring(2) : tag;
        return value.length() > 1 && value.startsWith("\"") && value.endsWith("\"")
                ? value.substring(1, value.length() - 1)
                : value;
    }

    static boolean isWeights(String path) {
        return WEIGHTS.matcher(path).matches();
    }
}
