package io.github.sgpt4j.server.page;

import io.github.sgpt4j.server.http.Body;
import io.github.sgpt4j.server.http.Response;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import io.github.sgpt4j.server.routing.Access;
import io.github.sgpt4j.server.routing.Dialect;
import io.github.sgpt4j.server.routing.Exchange;
import io.github.sgpt4j.server.routing.Route;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// The page: a document at `/`, for clients that want one, and its parts below `/page/`. All are files
/// of this module.
///
/// The page may load and ask nothing but this server, contains no script or style of its own, and may
/// not be shown inside other pages. It is open to everybody; what it asks for needs the key.
public final class PageRoutes {
    private static final String FOLDER = "/page/";
    private static final String DOCUMENT = "index.html";
    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
            + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    private static final String SCRIPT = "text/javascript; charset=utf-8";
    private static final Map<String, String> TYPES = Map.ofEntries(
            Map.entry(DOCUMENT, "text/html; charset=utf-8"),
            Map.entry("style.css", "text/css; charset=utf-8"),
            Map.entry("icon.svg", "image/svg+xml"),
            Map.entry("page.js", SCRIPT),
            Map.entry("api.js", SCRIPT),
            Map.entry("dom.js", SCRIPT),
            Map.entry("search.js", SCRIPT),
            Map.entry("why.js", SCRIPT),
            Map.entry("compare.js", SCRIPT),
            Map.entry("server.js", SCRIPT),
            Map.entry("metrics.js", SCRIPT));

    private final Route.Action health;

    /// A file.
    ///
    /// @param tag changes with its contents
    private record Part(String type, byte[] bytes, String tag) {}

    /// @param health answers clients that want no page
    public PageRoutes(Route.Action health) {
        this.health = health;
    }

    /// All of them.
    public List<Route> routes() {
        return List.of(
                new Route("GET", "/", Access.OPEN, Dialect.TEI, this::root),
                new Route("GET", FOLDER + "*", Access.OPEN, Dialect.TEI, this::part));
    }

    private Response root(Exchange exchange) throws IOException {
        boolean page = exchange.request()
                .header("accept")
                .orElse("")
                .toLowerCase(Locale.ROOT)
                .contains("text/html");
        Response response = page ? answer(exchange, DOCUMENT) : health.answer(exchange);
        return response.with("vary", "accept");
    }

    private Response part(Exchange exchange) {
        String name = exchange.request().path().substring(FOLDER.length());
        if (name.equals(DOCUMENT) || !TYPES.containsKey(name)) {
            throw new ApiException(Problem.PATH_NOT_FOUND, "the page has no such part");
        }
        return answer(exchange, name);
    }

    private Response answer(Exchange exchange, String name) {
        Part part = Optional.ofNullable(Parts.ALL.get(name)).orElseThrow();
        boolean known = exchange.request().header("if-none-match").orElse("").contains(part.tag());
        byte[] bytes = known ? new byte[0] : part.bytes();
        return new Response(
                known ? 304 : 200,
                Map.of(
                        "etag", part.tag(),
                        "cache-control", "no-cache",
                        "content-security-policy", POLICY,
                        "referrer-policy", "no-referrer",
                        "cross-origin-opener-policy", "same-origin",
                        "cross-origin-resource-policy", "same-origin"),
                new Body.Bytes(part.type(), bytes));
    }

    /// Read when the first client wants the page.
    private static final class Parts {
        static final Map<String, Part> ALL = read();

        private static Map<String, Part> read() {
            Map<String, Part> parts = new LinkedHashMap<>();
            TYPES.forEach((name, type) -> {
                byte[] bytes = bytes(name);
                parts.put(name, new Part(type, bytes, tag(bytes)));
            });
            return Map.copyOf(parts);
        }

        private static byte[] bytes(String name) {
            try (InputStream in = PageRoutes.class.getResourceAsStream(name)) {
                if (in == null) {
                    throw new IllegalStateException(name + ": not found beside this class");
                }
                return in.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static String tag(byte[] bytes) {
            try {
                byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
                return "\"" + HexFormat.of().formatHex(digest, 0, 12) + "\"";
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("every Java platform has SHA-256", e);
            }
        }
    }
}
