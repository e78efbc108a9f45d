package io.github.sgpt4j.server.routing;

import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.server.ServerOptions;
import io.github.sgpt4j.server.http.Body;
import io.github.sgpt4j.server.http.Handler;
import io.github.sgpt4j.server.http.Request;
import io.github.sgpt4j.server.http.Response;
import io.github.sgpt4j.server.inference.Deadline;
import io.github.sgpt4j.server.inference.LongWork;
import io.github.sgpt4j.server.json.JsonParsing;
import io.github.sgpt4j.server.metrics.Metrics;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Excerpt;
import io.github.sgpt4j.server.problem.Problem;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Finds the route of a request, checks what must hold before it, and says what goes wrong in the client's dialect.
public final class Router implements Handler {
    /// Values of a body besides its texts.
    private static final int MORE_VALUES = 4096;
    /// The media type of answers that are lines of JSON.
    private static final String LINES = "application/x-ndjson";
    /// Values of a body whose answer is lines.
    private static final int LINES_VALUES = 1 << 18;
    /// Bodies of requests, with what is read from them, take up at most one of so many parts of the heap.
    private static final int REQUEST_PARTS = 8;
    /// Answers that are being sent do so, too.
    private static final int ANSWER_PARTS = 4;

    private final List<Route> routes;
    private final ServerOptions options;
    private final Metrics metrics;
    private final LongWork work;
    private final Supplier<Readiness> readiness;
    private final JsonParsing parsing;
    /// For requests whose answers are lines, which may have more inputs.
    private final JsonParsing parsingForLines;
    private final BodyReader bodies;
    private final Room answers;
    private final Semaphore running;
    private final RequestLog log;
    private final Hosts hosts;
    private final Key key;

    /// @param routes the first that fits answers
    /// @param work reads large bodies and writes large answers
    /// @param readiness of the models
    /// @param memory bytes, of which bodies and answers take up parts
    public Router(
            List<Route> routes,
            ServerOptions options,
            Metrics metrics,
            LongWork work,
            Supplier<Readiness> readiness,
            long memory) {
        this.routes = List.copyOf(routes);
        this.options = options;
        this.metrics = metrics;
        this.work = work;
        this.readiness = readiness;
        int maxBytes = options.limits().bodyBytes();
        parsing = new JsonParsing(maxBytes, Math.addExact(4 * options.limits().clientBatchSize(), MORE_VALUES));
        parsingForLines = new JsonParsing(
                maxBytes, Math.max(LINES_VALUES, 4 * options.limits().clientBatchSize()));
        bodies = new BodyReader(maxBytes, new Room(Math.max(memory / REQUEST_PARTS, maxBytes)));
        answers = new Room(memory / ANSWER_PARTS);
        running = new Semaphore(options.limits().concurrentRequests());
        log = new RequestLog(options);
        hosts = new Hosts(options);
        key = new Key(options.apiKey());
    }

    @Override
    public Response handle(Request request) throws IOException {
        Deadline deadline = Deadline.after(options.limits().requestTimeout());
        Response response;
        Optional<Route> route = find(request);
        Exchange exchange = new Exchange(
                request, deadline, route.map(Route::dialect).orElseGet(() -> dialectOf(request)), answers, work);
        try {
            hosts.require(request);
            response = isPreflight(request) ? preflight() : answer(request, route, exchange);
        } catch (ApiException e) {
            response = refused(exchange, e);
        } catch (CancelledException e) {
            // Only the end of the server interrupts requests.
            response = refused(exchange, new ApiException(Problem.UNAVAILABLE, "the server is ending", e));
        } catch (RuntimeException | Error e) {
            response = refused(exchange, failed(e));
        }
        if (readiness.get() == Readiness.DRAINING) {
            response = response.with("connection", "close");
        }
        response = response.with("x-request-id", request.id());
        if (options.corsOrigin().isPresent()) {
            response = response.with(
                            "access-control-allow-origin", options.corsOrigin().get())
                    .with("access-control-expose-headers", "x-request-id, x-truncated, retry-after")
                    .with("vary", vary(response));
        }
        try {
            log.answered(exchange, route.map(Route::path).orElse("none"), response.status());
        } catch (RuntimeException | Error e) {
            response.close();
            throw e;
        }
        return response;
    }

    /// Of a request without a route: that of the path's other methods, or of the path's likely client.
    private Dialect dialectOf(Request request) {
        boolean isOpenAi = request.path().startsWith("/v1") || request.path().startsWith("/v2");
        return routes.stream()
                .filter(route -> route.isFor(request.path()))
                .map(Route::dialect)
                .findFirst()
                .orElse(isOpenAi ? Dialect.OPENAI : Dialect.TEI);
    }

    private static String vary(Response response) {
        String other = response.headers().get("vary");
        return other == null ? "origin" : other + ", origin";
    }

    private Optional<Route> find(Request request) {
        String method = request.method().equals("HEAD") ? "GET" : request.method();
        return routes.stream()
                .filter(route -> route.method().equals(method) && route.isFor(request.path()))
                .findFirst();
    }

    private Response answer(Request request, Optional<Route> found, Exchange exchange) throws IOException {
        if (found.isEmpty()) {
            throw notFound(request);
        }
        Route route = found.get();
        if (route.access() != Access.OPEN) {
            key.require(request);
        }
        return switch (route.access()) {
            case OPEN, KEYED -> act(route, exchange);
            case LOADED -> {
                requireLoaded();
                yield act(route, exchange);
            }
            case COMPUTING -> {
                requireLoaded();
                yield compute(request, route, exchange);
            }
        };
    }

    /// The client's connection is not used here: what cannot be read is a file of the server.
    private static Response act(Route route, Exchange exchange) {
        try {
            return route.action().answer(exchange);
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private static ApiException failed(Throwable cause) {
        return new ApiException(Problem.INTERNAL, "the server failed: see its log", cause);
    }

    private ApiException notFound(Request request) {
        List<String> methods = methods(request.path());
        return methods.isEmpty()
                ? new ApiException(Problem.PATH_NOT_FOUND, "%s: no such path".formatted(Excerpt.of(request.path())))
                : new ApiException(
                        Problem.METHOD_NOT_ALLOWED,
                        "%s: expected %s, got %s"
                                .formatted(
                                        Excerpt.of(request.path()),
                                        String.join(" or ", methods),
                                        Excerpt.of(request.method())));
    }

    private List<String> methods(String path) {
        return routes.stream()
                .filter(route -> route.isFor(path))
                .flatMap(route -> route.method().equals("GET") ? Stream.of("GET", "HEAD") : Stream.of(route.method()))
                .distinct()
                .toList();
    }

    private void requireLoaded() {
        Readiness now = readiness.get();
        if (now != Readiness.READY) {
            throw new ApiException(Problem.UNAVAILABLE, now.sentence());
        }
    }

    private Response compute(Request request, Route route, Exchange exchange) throws IOException {
        requireJson(request);
        if (!running.tryAcquire()) {
            throw new ApiException(
                    Problem.OVERLOADED,
                    "%d requests are running: no more are taken at a time"
                            .formatted(options.limits().concurrentRequests()));
        }
        metrics.running(1);
        boolean sends = false;
        BodyReader.@Nullable Held body = null;
        try {
            body = bodies.read(request);
            parse(request, exchange, body);
            Response response = act(route, exchange);
            Response counted = response.body() instanceof Body.Bytes(String type, byte[] bytes)
                    ? kept(exchange, body, bytes.length, response)
                    : streamed(exchange, body, response);
            sends = true;
            return counted;
        } finally {
            if (!sends) {
                exchange.giveBack();
                if (body != null) {
                    body.close();
                }
                end();
            }
        }
    }

    private void parse(Request request, Exchange exchange, BodyReader.Held body) {
        byte[] bytes = body.bytes();
        JsonParsing reading = request.accepts(LINES) ? parsingForLines : parsing;
        JsonParsing.Parsed parsed = exchange.work(bytes.length, () -> reading.parse(bytes));
        exchange.read(parsed.object());
        body.become(parsed.bytes());
    }

    /// It is computed while it is sent.
    private Response streamed(Exchange exchange, BodyReader.Held body, Response response) {
        return response.whenSent(() -> {
            exchange.giveBack();
            body.close();
            end();
        });
    }

    /// Counts a large answer until it was sent: clients that read slowly must not fill the memory.
    private Response kept(Exchange exchange, BodyReader.Held body, int length, Response response) {
        exchange.keep(length <= Room.BLOCK ? 0 : length);
        body.close();
        end();
        return response.whenSent(exchange::giveBack);
    }

    /// Lets the next request run.
    private void end() {
        metrics.running(-1);
        running.release();
    }

    /// Other media types are those of forms, which pages of other sites could send.
    private static void requireJson(Request request) {
        String type = request.header("content-type").orElse("none");
        String media = type.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
        if (!media.equals("application/json")) {
            throw new ApiException(
                    Problem.MEDIA_TYPE, "Content-Type: expected application/json, got " + Excerpt.of(type));
        }
    }

    private Response refused(Exchange exchange, ApiException e) {
        if (e.problem() != Problem.PATH_NOT_FOUND && e.problem() != Problem.METHOD_NOT_ALLOWED) {
            metrics.failure(e.problem());
        }
        if (e.problem() == Problem.INTERNAL) {
            log.failure(exchange, e);
        }
        Response response = exchange.dialect().error(e);
        return switch (e.problem()) {
            case OVERLOADED, UNAVAILABLE -> response.with("retry-after", "1");
            case INVALID_API_KEY -> response.with("www-authenticate", "Bearer");
            case METHOD_NOT_ALLOWED ->
                response.with(
                        "allow", String.join(", ", methods(exchange.request().path())));
            default -> response;
        };
    }

    private boolean isPreflight(Request request) {
        return options.corsOrigin().isPresent()
                && request.method().equals("OPTIONS")
                && request.header("access-control-request-method").isPresent();
    }

    /// Clients send headers of their own (OpenAI's `x-stainless-…`). The asterisk does not contain the first.
    private static Response preflight() {
        return Response.text(204, "text/plain", "")
                .with("access-control-allow-methods", "GET, POST")
                .with("access-control-allow-headers", "authorization, *")
                .with("access-control-max-age", "600");
    }
}
