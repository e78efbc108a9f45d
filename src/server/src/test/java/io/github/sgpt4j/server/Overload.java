package io.github.sgpt4j.server;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;

/// A server that is overloaded: it takes one request at a time, and one has begun whose body is not complete.
final class Overload implements AutoCloseable {
    private static final int PROBES = 10_000;
    private static final String BODY = "{\"inputs\":\"a\"}";

    private final RunningServer server;
    private final Socket held;
    private final AtomicBoolean armed = new AtomicBoolean();

    /// One that has room again as soon as it has refused a request: when its log says so, the rest of the body is sent.
    ///
    /// @param options more of them, such as a key
    /// @param key that requests need
    Overload(UnaryOperator<ServerOptions> options, String key) {
        this(options, key, true);
    }

    /// One that stays so.
    static Overload lasting(UnaryOperator<ServerOptions> options) {
        return new Overload(options, "none", false);
    }

    private Overload(UnaryOperator<ServerOptions> options, String key, boolean ends) {
        server = RunningServer.start(usual -> options.apply(usual)
                .withLimits(Limits.DEFAULT.withConcurrentRequests(1))
                .withLog(this::logged, false));
        try {
            held = new Socket(
                    InetAddress.getLoopbackAddress(), server.server().address().getPort());
            write("POST /embed HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
                    + "authorization: Bearer %s\r\nconnection: close\r\ncontent-length: %d\r\n\r\n{"
                            .formatted(key, BODY.length()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        awaitRefusal(key);
        armed.set(ends);
    }

    private void awaitRefusal(String key) {
        for (int i = 0; i < PROBES; i++) {
            int status = server.send(server.request("/embed")
                            .header("content-type", "application/json")
                            .header("authorization", "Bearer " + key)
                            .POST(HttpRequest.BodyPublishers.ofString("{}")))
                    .statusCode();
            if (status == 429) {
                return;
            }
        }
        throw new AssertionError("the server takes a second request though it may run one");
    }

    private void logged(String line) {
        if (line.contains("\"status\":429") && armed.compareAndSet(true, false)) {
            try {
                write(BODY.substring(1));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private void write(String text) throws IOException {
        OutputStream out = held.getOutputStream();
        out.write(text.getBytes(US_ASCII));
        out.flush();
    }

    RunningServer server() {
        return server;
    }

    /// Whether a request was refused, so that there is room now.
    boolean hasRefused() {
        return !armed.get();
    }

    @Override
    public void close() {
        try {
            held.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            server.close();
        }
    }
}
