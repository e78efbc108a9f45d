package io.github.sgpt4j.server.routing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.server.Limits;
import io.github.sgpt4j.server.ServerOptions;
import io.github.sgpt4j.server.http.Body;
import io.github.sgpt4j.server.http.Request;
import io.github.sgpt4j.server.http.Response;
import io.github.sgpt4j.server.inference.LongWork;
import io.github.sgpt4j.server.metrics.Metrics;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What is checked before an action, in which order, and how errors are said.
@Timeout(60)
class RouterTest {
    /// Answers take up a quarter.
    private static final int MEMORY = 64 << 20;
    private static final String KEY = "k3y-\u00e9";

    private final List<String> log = Collections.synchronizedList(new ArrayList<>());
    private final ServerOptions options = ServerOptions.DEFAULT
            .withApiKey(KEY)
            .withLog(log::add, false)
            .withLimits(
                    Limits.DEFAULT.withConcurrentRequests(1).withBodyBytes(1000).withClientBatchSize(10));
    private Route.Action action = exchange -> Response.text(200, "text/plain", "done");
    private Readiness readiness = Readiness.READY;
    private final Metrics metrics = new Metrics();
    private final LongWork work = new LongWork(1);

    @AfterEach
    void end() {
        work.close();
    }

    private Response handle(ServerOptions used, Request request) throws IOException {
        List<Route> routes = new ArrayList<>();
        for (Access access : Access.values()) {
            String path = "/" + access.name().toLowerCase(Locale.ROOT);
            routes.add(new Route("POST", path, access, Dialect.TEI, exchange -> action.answer(exchange)));
        }
        routes.add(new Route("GET", "/open", Access.OPEN, Dialect.TEI, exchange -> action.answer(exchange)));
        routes.add(new Route("POST", "/v1/openai", Access.COMPUTING, Dialect.OPENAI, e -> action.answer(e)));
        routes.add(new Route("GET", "/all/*", Access.OPEN, Dialect.TEI, exchange -> action.answer(exchange)));
        return new Router(routes, used, metrics, work, () -> readiness, MEMORY).handle(request);
    }

    private Response handle(Request request) throws IOException {
        return handle(options, request);
    }

    private static Request request(String method, String path, String body, String... headers) {
        Map<String, List<String>> all = new HashMap<>();
        all.put("content-type", List.of("application/json"));
        all.put("authorization", List.of("Bearer " + KEY));
        for (int i = 0; i < headers.length; i += 2) {
            if (headers[i + 1] == null) {
                all.remove(headers[i]);
            } else {
                all.put(headers[i], List.of(headers[i + 1]));
            }
        }
        return new Request(method, path, all, new ByteArrayInputStream(body.getBytes(StandardCharsets.UTF_8)), "id-1");
    }

    private static byte[] bytes(Response response) {
        return ((Body.Bytes) response.body()).bytes();
    }

    private static JsonNode json(Response response) throws IOException {
        return new JsonMapper().readTree(bytes(response));
    }

    private void assertStatus(int expected, Request request) throws IOException {
        assertEquals(expected, handle(request).status());
    }

    @Test
    void answersAndNamesTheRequest() throws IOException {
        Response response = handle(request("POST", "/computing", "{}"));
        assertEquals(200, response.status());
        assertArrayEquals("done".getBytes(StandardCharsets.UTF_8), bytes(response));
        assertEquals("id-1", response.headers().get("x-request-id"));
        JsonNode line = new JsonMapper().readTree(log.getFirst());
        assertEquals("POST /computing", line.get("route").asText());
        assertEquals(200, line.get("status").asInt());
        assertEquals("id-1", line.get("id").asText());
        assertFalse(line.has("body"));
    }

    @Test
    void headIsGetAndStarsAreAnything() throws IOException {
        assertStatus(200, request("HEAD", "/open", ""));
        assertStatus(200, request("GET", "/all/of/it", ""));
        assertStatus(404, request("GET", "/all", ""));
        assertStatus(404, request("GET", "/open/", ""));
        assertStatus(404, request("GET", "/OPEN", ""));
    }

    @Test
    void wrongMethodsAreToldTheRightOnes() throws IOException {
        Response response = handle(request("DELETE", "/open", ""));
        assertEquals(405, response.status());
        assertEquals("POST, GET, HEAD", response.headers().get("allow"));
        assertEquals(
                "/open: expected POST or GET or HEAD, got DELETE",
                json(response).get("error").asText());
        Response missing = handle(request("GET", "/v1/" + "x".repeat(500), ""));
        assertEquals(404, missing.status());
        assertTrue(json(missing).get("error").get("message").asText().length() < 120);
        assertFalse(metrics.text(() -> 0, List.of()).contains("te_request_failure{err=\"validation\"} 1"));
    }

    @ParameterizedTest
    @EnumSource(Access.class)
    void theKeyIsNeededByAllButOpenRoutes(Access access) throws IOException {
        String path = "/" + access.name().toLowerCase(Locale.ROOT);
        int refused = access == Access.OPEN ? 200 : 401;
        assertStatus(200, request("POST", path, "{}"));
        assertStatus(200, request("POST", path, "{}", "authorization", "bearer   " + KEY + " "));
        String utf8 = new String(KEY.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
        assertStatus(200, request("POST", path, "{}", "authorization", "Bearer " + utf8));
        for (String wrong : new String[] {
            null,
            "",
            KEY,
            "Bearer",
            "Bearer ",
            "Bearer k3y-",
            "Bearer " + KEY + KEY,
            "Bearer K3Y-\u00e9",
            "Basic " + KEY,
            "Bearer\t" + KEY
        }) {
            assertStatus(
                    refused, request("POST", path, "not JSON", "authorization", wrong, "content-type", "text/plain"));
        }
    }

    @Test
    void aRefusalOfTheKeySaysHow() throws IOException {
        Response wrong = handle(request("POST", "/v1/openai", "{}", "authorization", "Bearer x"));
        assertEquals("Bearer", wrong.headers().get("www-authenticate"));
        assertEquals("the API key is wrong", json(wrong).get("message").asText());
        assertEquals("invalid_api_key", json(wrong).get("error").get("code").asText());
        Response missing = handle(request("POST", "/keyed", "{}", "authorization", null));
        assertEquals(
                "the API key is missing: expected the header Authorization: Bearer KEY",
                json(missing).get("error").asText());
        assertFalse(log.toString().contains(KEY));
    }

    @Test
    void withoutAKeyEverybodyMay() throws IOException {
        assertEquals(
                200,
                handle(ServerOptions.DEFAULT, request("POST", "/computing", "{}", "authorization", null))
                        .status());
    }

    @ParameterizedTest
    @EnumSource(
            value = Readiness.class,
            names = {"LOADING", "FAILED", "DRAINING"})
    void modelsMustBeReady(Readiness now) throws IOException {
        readiness = now;
        assertStatus(200, request("POST", "/open", "{}"));
        assertStatus(200, request("POST", "/keyed", "{}"));
        for (String path : List.of("/loaded", "/computing", "/v1/openai")) {
            Response response = handle(request("POST", path, "{}"));
            assertEquals(503, response.status());
            assertEquals("1", response.headers().get("retry-after"));
            assertTrue(new String(bytes(response), StandardCharsets.UTF_8).contains(now.sentence()));
        }
        // Strangers do not learn that.
        assertStatus(401, request("POST", "/computing", "{}", "authorization", null));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "text/plain",
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=x",
                "application/jsonx",
                "application/json, text/plain",
                "application/x-json",
                ""
            })
    void bodiesMustBeJson(String type) throws IOException {
        assertStatus(415, request("POST", "/computing", "{}", "content-type", type));
        assertStatus(415, request("POST", "/computing", "{}", "content-type", null));
        assertStatus(200, request("POST", "/computing", "{}", "content-type", "Application/JSON ; charset=utf-8"));
    }

    @Test
    void onlySoManyRequestsRun() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch leave = new CountDownLatch(1);
        Router router = new Router(
                List.of(
                        new Route("POST", "/slow", Access.COMPUTING, Dialect.OPENAI, exchange -> {
                            inside.countDown();
                            try {
                                leave.await();
                            } catch (InterruptedException e) {
                                throw new IllegalStateException(e);
                            }
                            throw new ApiException(Problem.TIMEOUT, "late");
                        }),
                        new Route("GET", "/open", Access.OPEN, Dialect.TEI, e -> Response.text(200, "text/plain", ""))),
                options,
                metrics,
                work,
                () -> Readiness.READY,
                MEMORY);
        FutureTask<Response> first = new FutureTask<>(() -> router.handle(request("POST", "/slow", "{}")));
        Thread.startVirtualThread(first);
        inside.await();
        Response second = router.handle(request("POST", "/slow", "{}"));
        assertEquals(429, second.status());
        assertEquals("1", second.headers().get("retry-after"));
        assertEquals("overloaded", json(second).get("error").get("code").asText());
        assertEquals(200, router.handle(request("GET", "/open", "")).status());
        leave.countDown();
        assertEquals(504, first.get().status());
        // The failure gave its place back.
        assertEquals(504, router.handle(request("POST", "/slow", "{}")).status());
    }

    @Test
    void refusedBodiesGiveTheirPlaceBack() throws IOException {
        Router router = new Router(
                List.of(new Route(
                        "POST", "/x", Access.COMPUTING, Dialect.TEI, e -> Response.text(200, "text/plain", ""))),
                options,
                metrics,
                work,
                () -> Readiness.READY,
                MEMORY);
        for (int i = 0; i < 3; i++) {
            assertEquals(400, router.handle(request("POST", "/x", "{")).status());
            assertEquals(
                    413, router.handle(request("POST", "/x", " ".repeat(2000))).status());
            assertEquals(200, router.handle(request("POST", "/x", "{}")).status());
        }
    }

    @Test
    void failuresOfTheServerAreLoggedAndNotTold() throws IOException {
        for (Throwable failure : List.of(
                new IllegalStateException("secret"), new OutOfMemoryError("secret"), new StackOverflowError())) {
            log.clear();
            action = exchange -> {
                switch (failure) {
                    case RuntimeException e -> throw e;
                    case Error e -> throw e;
                    default -> throw new AssertionError();
                }
            };
            Response response = handle(request("POST", "/v1/openai", "{}"));
            assertEquals(500, response.status());
            assertFalse(new String(bytes(response), StandardCharsets.UTF_8).contains("secret"));
            assertTrue(
                    log.stream()
                            .anyMatch(line -> line.contains(failure.getClass().getName())),
                    log.toString());
            assertEquals(424, handle(request("POST", "/computing", "{}")).status());
        }
    }

    @Test
    void clientsThatAreGoneGetNothing() {
        IOException gone = new IOException("reset");
        InputStream cut = new InputStream() {
            @Override
            public int read() throws IOException {
                throw gone;
            }
        };
        Request usual = request("POST", "/computing", "");
        Request broken = new Request("POST", "/computing", usual.headers(), cut, "id");
        assertSame(gone, assertThrows(IOException.class, () -> handle(broken)));
        assertEquals(List.of(), log);
    }

    @Test
    void filesThatCannotBeReadAreFailuresOfTheServer() throws IOException {
        for (String path : List.of("/open", "/v1/openai")) {
            log.clear();
            action = exchange -> {
                throw new IOException("no such index");
            };
            assertTrue(handle(request("POST", path, "{}")).status() >= 424);
            action = exchange -> {
                throw new UncheckedIOException(new IOException("no such index"));
            };
            assertTrue(handle(request("POST", path, "{}")).status() >= 424);
            assertEquals(
                    2,
                    log.stream().filter(line -> line.contains("no such index")).count(),
                    log.toString());
        }
    }

    @Test
    void aServerThatEndsClosesConnections() throws IOException {
        assertFalse(handle(request("POST", "/open", "")).headers().containsKey("connection"));
        readiness = Readiness.DRAINING;
        assertEquals("close", handle(request("POST", "/open", "")).headers().get("connection"));
        assertEquals(
                "close", handle(request("POST", "/computing", "{}")).headers().get("connection"));
        action = exchange -> {
            throw new CancelledException("interrupted");
        };
        log.clear();
        assertEquals(503, handle(request("POST", "/open", "")).status());
        assertEquals(1, log.size(), log.toString());
    }

    @Test
    void largeAnswersAreCountedUntilTheyAreSent() throws IOException {
        // Several answers of half of what there is room for.
        byte[] large = new byte[MEMORY / 4 / 2];
        action = exchange -> new Response(200, Map.of(), new Body.Bytes("text/plain", large));
        Router router = new Router(
                List.of(new Route("POST", "/x", Access.COMPUTING, Dialect.TEI, exchange -> action.answer(exchange))),
                options,
                metrics,
                work,
                () -> Readiness.READY,
                MEMORY);
        List<Response> sending = new ArrayList<>();
        Response last = router.handle(request("POST", "/x", "{}"));
        while (last.status() == 200) {
            sending.add(last);
            assertTrue(sending.size() < 20, "no limit");
            last = router.handle(request("POST", "/x", "{}"));
        }
        assertEquals(429, last.status());
        assertFalse(sending.isEmpty());
        // Small ones pass.
        action = exchange -> Response.text(200, "text/plain", "small");
        assertEquals(200, router.handle(request("POST", "/x", "{}")).status());
        sending.getFirst().close();
        action = exchange -> new Response(200, Map.of(), new Body.Bytes("text/plain", large));
        assertEquals(200, router.handle(request("POST", "/x", "{}")).status());
    }

    @Test
    void answersThatAreComputedAreCountedToo() throws IOException {
        List<Integer> statuses = new ArrayList<>();
        Router[] router = new Router[1];
        Route.Action small = exchange -> {
            exchange.reserve(1);
            return Response.text(200, "text/plain", "small");
        };
        Route.Action large = exchange -> {
            exchange.reserve(MEMORY / 4);
            statuses.add(router[0].handle(request("POST", "/small", "{}")).status());
            return Response.text(200, "text/plain", "large");
        };
        router[0] = new Router(
                List.of(
                        new Route("POST", "/small", Access.COMPUTING, Dialect.TEI, small),
                        new Route("POST", "/large", Access.COMPUTING, Dialect.TEI, large)),
                options,
                metrics,
                work,
                () -> readiness,
                MEMORY);
        for (int i = 0; i < 2; i++) {
            assertEquals(200, router[0].handle(request("POST", "/large", "{}")).status());
            assertEquals(200, router[0].handle(request("POST", "/small", "{}")).status());
        }
        assertEquals(List.of(429, 429), statuses);
    }

    @Test
    void answersBeyondAllMemoryAreRefused() throws IOException {
        action = exchange -> {
            exchange.reserve(MEMORY / 4 + 1);
            throw new AssertionError("it was reserved");
        };
        Response response = handle(request("POST", "/v1/openai", "{}"));
        assertEquals(413, response.status());
        assertEquals(
                "the answer would take up about 17 MiB, and answers may take up 16: ask for less at a time",
                json(response).get("message").asText());
    }

    @Test
    void whatIsReservedIsKeptUntilTheAnswerIsSent() throws IOException {
        Route.Action all = exchange -> {
            exchange.reserve(MEMORY / 4);
            return new Response(200, Map.of(), new Body.Stream("text/plain", out -> out.write('a')));
        };
        Route.Action some = exchange -> {
            exchange.reserve(1);
            return Response.text(200, "text/plain", "b");
        };
        Router router = new Router(
                List.of(
                        new Route("POST", "/all", Access.COMPUTING, Dialect.TEI, all),
                        new Route("POST", "/some", Access.COMPUTING, Dialect.TEI, some)),
                options.withLimits(options.limits().withConcurrentRequests(2)),
                metrics,
                work,
                () -> readiness,
                MEMORY);
        for (int i = 0; i < 2; i++) {
            Response streaming = router.handle(request("POST", "/all", "{}"));
            assertEquals(200, streaming.status());
            assertEquals(429, router.handle(request("POST", "/some", "{}")).status());
            streaming.close();
            assertEquals(200, router.handle(request("POST", "/some", "{}")).status());
        }
    }

    @Test
    void textsAreLoggedOnlyIfAsked() throws IOException {
        String body = "{\"input\":[\"private\\ud800\",1,1.5,true,null,[1,2],{\"a\":1e400}]}";
        handle(request("POST", "/computing", body));
        assertFalse(log.toString().contains("private"));
        log.clear();
        handle(options.withLog(log::add, true), request("POST", "/computing", body));
        JsonNode logged = new JsonMapper().readTree(log.getFirst()).get("body").get("input");
        assertEquals("private\ufffd", logged.get(0).asText());
        assertEquals("[1,2]", logged.get(5).toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "localhost",
                "LocalHost:8080",
                "localhost.",
                "127.0.0.1",
                "127.0.0.1:8080",
                "127.1.2.3:1",
                "[::1]:8080",
                "[0:0:0:0:0:0:0:1]",
                "api.example.org:443",
                "API.example.org"
            })
    void hostsOfThisMachineAndNamedOnesAreAnswered(String host) throws IOException {
        ServerOptions named = options.withAllowedHosts(List.of("api.example.org"));
        assertEquals(
                200, handle(named, request("POST", "/open", "", "host", host)).status());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "example.org",
                "example.org:8080",
                "localhost.example.org",
                "127.0.0.1.example.org",
                "notlocalhost",
                "10.0.0.1",
                "0.0.0.0:8080",
                "[::2]:8080",
                "[::1",
                "::1.example.org",
                "localhost:8080:8080",
                "localhost@example.org",
                "",
            })
    void otherHostsAreRefusedBeforeAnythingElse(String host) throws IOException {
        for (String path : List.of("/open", "/v1/openai", "/nothing")) {
            Response response = handle(request("POST", path, "{", "host", host, "authorization", null));
            assertEquals(403, response.status(), path);
            String text = new String(bytes(response), StandardCharsets.UTF_8);
            assertTrue(text.contains("this server does not answer to the host " + host), text);
        }
        ServerOptions all = options.withAllowedHosts(List.of("*"));
        assertEquals(
                200, handle(all, request("POST", "/open", "", "host", host)).status());
        // Elsewhere, only if there are names.
        ServerOptions elsewhere = options.withAddress("0.0.0.0", 8080);
        assertEquals(
                200,
                handle(elsewhere, request("POST", "/open", "", "host", host)).status());
        ServerOptions named = elsewhere.withAllowedHosts(List.of("api.example.org"));
        int status = handle(named, request("POST", "/open", "", "host", host)).status();
        assertEquals(host.startsWith("0.0.0.0") ? 200 : 403, status);
    }

    @Test
    void everyOneOfSeveralHostsCounts() throws IOException {
        Request two = request("GET", "/open", "");
        two.headers().put("host", List.of("localhost", "example.org"));
        assertStatus(403, two);
        assertStatus(200, request("GET", "/open", "", "host", null));
    }

    @Test
    void originsAreAllowedOnlyIfTheServerSaysSo() throws IOException {
        Request preflight =
                request("OPTIONS", "/computing", "", "origin", "https://a", "access-control-request-method", "POST");
        assertEquals(405, handle(preflight).status());
        assertFalse(handle(request("POST", "/open", "")).headers().containsKey("access-control-allow-origin"));
        ServerOptions cors = options.withCorsOrigin("https://a");
        Response allowed = handle(cors, preflight);
        assertEquals(204, allowed.status());
        assertEquals("https://a", allowed.headers().get("access-control-allow-origin"));
        Response refused = handle(cors, request("POST", "/computing", "{}", "authorization", null));
        assertEquals(401, refused.status());
        assertEquals("https://a", refused.headers().get("access-control-allow-origin"));
    }
}
