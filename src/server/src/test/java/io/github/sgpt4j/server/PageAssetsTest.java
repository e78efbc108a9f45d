package io.github.sgpt4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// The page's parts as they are served.
class PageAssetsTest {
    private static final String HTML = "text/html,application/xhtml+xml,*/*;q=0.8";
    private static final Pattern REFERENCE = Pattern.compile("(?:src|href)=\"([^\"#]+)\"|from '\\./([^']+)'");

    private static DemoServer server;

    @BeforeAll
    static void start() throws IOException {
        server = new DemoServer(
                ServerOptions.DEFAULT.withApiKey("secret").withCorsOrigin("https://other.example"),
                DemoServer.Use.BOTH,
                encoder -> Optional.empty());
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static HttpResponse<String> get(String path, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(server.uri(path));
        for (int i = 0; i < headers.length; i += 2) {
            request.header(headers[i], headers[i + 1]);
        }
        return server.send(request);
    }

    private static String header(HttpResponse<String> response, String name) {
        return String.join(", ", response.headers().allValues(name));
    }

    @Test
    void browsersGetThePageAndOthersHowTheServerIs() throws Exception {
        HttpResponse<String> page = get("/", "accept", HTML);
        assertEquals(200, page.statusCode());
        assertEquals("text/html; charset=utf-8", header(page, "content-type"));
        assertTrue(page.body().startsWith("<!doctype html>"));
        assertEquals("accept, origin", header(page, "vary"));
        HttpResponse<String> other = get("/", "accept", "*/*");
        assertEquals("{\"status\":\"ok\"}", other.body());
        assertEquals("accept, origin", header(other, "vary"));
        assertEquals(404, get("/page/").statusCode());
        assertEquals(404, get("/page/index.html").statusCode());
        assertEquals(404, get("/page/package-info.class").statusCode());
        assertEquals(404, get("/page/..%2f..%2fmodule-info.class").statusCode());
    }

    @Test
    void everyPartIsThereWithoutTheKeyAndRefersToNothingElse() throws Exception {
        Deque<String> left = new ArrayDeque<>(Set.of("/"));
        Set<String> seen = new LinkedHashSet<>(left);
        while (!left.isEmpty()) {
            String path = left.pop();
            HttpResponse<String> part = get(path, "accept", HTML);
            assertEquals(200, part.statusCode(), path);
            assertEquals(
                    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
                            + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                    header(part, "content-security-policy"));
            assertEquals("nosniff", header(part, "x-content-type-options"));
            assertEquals("no-referrer", header(part, "referrer-policy"));
            String text = part.body();
            String foreign = text.replace("http://www.w3.org/2000/svg", "");
            assertFalse(foreign.contains("://"), path + " names another place");
            if (path.endsWith(".js")) {
                assertFalse(
                        text.matches(
                                "(?s).*\\b(innerHTML|outerHTML|insertAdjacentHTML|document\\.write|eval|Function)\\b.*"),
                        path);
            }
            Matcher references = REFERENCE.matcher(text);
            while (references.find()) {
                String name = references.group(1) == null ? "page/" + references.group(2) : references.group(1);
                if (seen.add("/" + name)) {
                    left.add("/" + name);
                }
            }
        }
        assertTrue(seen.size() >= 11, seen.toString());
    }

    @Test
    void thePageHasNoScriptOrStyleOfItsOwn() throws Exception {
        String page = get("/", "accept", HTML).body();
        assertFalse(Pattern.compile("<style|\\sstyle=|\\son[a-z]+=|javascript:")
                .matcher(page)
                .find());
        assertTrue(Pattern.compile("<script[^>]*>[^<]+")
                .matcher(page)
                .results()
                .findAny()
                .isEmpty());
    }

    @Test
    void partsThatAreKnownAreNotSentAgain() throws Exception {
        for (String path : Set.of("/", "/page/style.css", "/page/page.js")) {
            HttpResponse<String> first = get(path, "accept", HTML);
            String tag = header(first, "etag");
            assertTrue(tag.matches("\"[0-9a-f]{24}\""), tag);
            assertEquals("no-cache", header(first, "cache-control"));
            HttpResponse<String> second = get(path, "accept", HTML, "if-none-match", "W/\"x\", " + tag);
            assertEquals(304, second.statusCode());
            assertEquals("", second.body());
            assertEquals(tag, header(second, "etag"));
            assertEquals(
                    200, get(path, "accept", HTML, "if-none-match", "\"x\"").statusCode());
        }
    }

    @Test
    void headGetsTheHeadersOnly() throws Exception {
        HttpResponse<String> head = server.send(HttpRequest.newBuilder(server.uri("/page/style.css"))
                .method("HEAD", HttpRequest.BodyPublishers.noBody()));
        assertEquals(200, head.statusCode());
        assertEquals("", head.body());
        assertEquals("text/css; charset=utf-8", header(head, "content-type"));
    }

    @Test
    void whatThePageAsksForNeedsTheKey() throws Exception {
        assertEquals(401, get("/info").statusCode());
        assertEquals(200, get("/info", "authorization", "Bearer secret").statusCode());
    }
}
