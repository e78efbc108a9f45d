package io.github.sgpt4j.server.http;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/// An HTTP answer. Who sends it closes it afterwards, whether or not that succeeded.
///
/// @param headers besides those of the body
/// @param sent gives back what the answer takes up; called once, by [#close]
public record Response(int status, Map<String, String> headers, Body body, Runnable sent) implements AutoCloseable {
    /// Copies the headers.
    public Response {
        headers = Map.copyOf(headers);
    }

    /// An answer that has nothing to give back.
    public Response(int status, Map<String, String> headers, Body body) {
        this(status, headers, body, () -> {});
    }

    /// A text.
    public static Response text(int status, String mediaType, String text) {
        return new Response(status, Map.of(), new Body.Bytes(mediaType, text.getBytes(StandardCharsets.UTF_8)));
    }

    /// With one more header, or with another value for it.
    public Response with(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(name, value);
        return new Response(status, more, body, sent);
    }

    /// That does something after it was sent.
    public Response whenSent(Runnable action) {
        return new Response(status, headers, body, action);
    }

    @Override
    public void close() {
        sent.run();
    }
}
