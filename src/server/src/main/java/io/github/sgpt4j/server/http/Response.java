package io.github.sgpt4j.server.http;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/// An HTTP answer.
///
/// @param headers besides those of the body
public record Response(int status, Map<String, String> headers, Body body) {
    /// Copies the headers.
    public Response {
        headers = Map.copyOf(headers);
    }

    /// A text.
    public static Response text(int status, String mediaType, String text) {
        return new Response(status, Map.of(), new Body.Bytes(mediaType, text.getBytes(StandardCharsets.UTF_8)));
    }

    /// With one more header, or with another value for it.
    public Response with(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(name, value);
        return new Response(status, more, body);
    }
}
