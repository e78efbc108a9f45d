package io.github.sgpt4j.server.http;

import java.io.InputStream;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// An HTTP request, whatever server received it.
///
/// @param method in upper case, such as `POST`
/// @param path decoded, without the query string
/// @param headers by name in lower case
/// @param body what was sent, not yet decompressed; read by one thread
/// @param id names the request in the answer and in logs
public record Request(String method, String path, Map<String, List<String>> headers, InputStream body, String id) {
    /// Whether the client asks for answers of a media type by its name.
    public boolean accepts(String mediaType) {
        return header("accept").orElse("").toLowerCase(Locale.ROOT).contains(mediaType);
    }

    /// The first value of a header.
    ///
    /// @param name in any case
    public Optional<String> header(String name) {
        List<String> values = headers.getOrDefault(name.toLowerCase(Locale.ROOT), List.of());
        return values.isEmpty() ? Optional.empty() : Optional.ofNullable(values.getFirst());
    }
}
