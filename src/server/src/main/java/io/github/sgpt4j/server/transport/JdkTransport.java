package io.github.sgpt4j.server.transport;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.github.sgpt4j.server.Limits;
import io.github.sgpt4j.server.http.Body;
import io.github.sgpt4j.server.http.Handler;
import io.github.sgpt4j.server.http.Request;
import io.github.sgpt4j.server.http.Response;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Pattern;

/// Serves a [Handler] with the JDK's HTTP server, a virtual thread for each request.
///
/// The JDK reads limits of time, connections and headers from system properties, once in the life of a virtual
/// machine. The first transport sets those that are not set.
public final class JdkTransport implements AutoCloseable {
    private static final Pattern REQUEST_ID = Pattern.compile("[!-~]{1,128}");
    private static final int BACKLOG = 1024;
    private static final int MAX_HEADER_BYTES = 32 << 10;
    private static final int MAX_HEADERS = 100;
    /// What is read, after the answer, of a body that nobody wanted, so that the client gets the answer and not a
    /// reset connection.
    private static final long DRAINED_BYTES = 64L << 20;
    /// The JDK copies what is written twice, into memory that each connection keeps.
    private static final int WRITTEN_BYTES = 1 << 14;

    private final HttpServer server;
    private final ExecutorService executor;
    private final Handler handler;
    private final Lock lock = new ReentrantLock();
    private final Condition idle = lock.newCondition();
    private int running;

    /// @param address to listen at
    /// @throws IOException if that is not possible
    public JdkTransport(InetSocketAddress address, Limits limits, Handler handler) throws IOException {
        setUnset("sun.net.httpserver.nodelay", "true");
        setUnset("sun.net.httpserver.maxReqTime", limits.readTimeout().toSeconds());
        setUnset("sun.net.httpserver.maxRspTime", responseSeconds(limits));
        setUnset("sun.net.httpserver.idleInterval", limits.readTimeout().toSeconds());
        setUnset("sun.net.httpserver.maxIdleConnections", limits.connections());
        setUnset("jdk.httpserver.maxConnections", limits.connections());
        setUnset("sun.net.httpserver.maxReqHeaderSize", MAX_HEADER_BYTES);
        setUnset("sun.net.httpserver.maxReqHeaders", MAX_HEADERS);
        setUnset("sun.net.httpserver.drainAmount", DRAINED_BYTES);
        this.handler = handler;
        server = HttpServer.create(address, BACKLOG);
        executor = Executors.newThreadPerTaskExecutor(
                Thread.ofVirtual().name("sgpt4j-request-", 0).factory());
        server.setExecutor(executor);
        server.createContext("/", this::exchange);
    }

    /// The time of an answer begins when the request was read, so it contains the computation.
    private static long responseSeconds(Limits limits) {
        return limits.requestTimeout().plus(limits.readTimeout()).toSeconds();
    }

    private static void setUnset(String property, Object value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, String.valueOf(value));
        }
    }

    /// Begins to answer.
    public void start() {
        server.start();
    }

    /// Where it listens.
    public InetSocketAddress address() {
        return server.getAddress();
    }

    /// @throws IOException if the client is gone; the JDK's server then forgets the connection, which otherwise
    ///     would count as open until the time of an answer is over
    private void exchange(HttpExchange exchange) throws IOException {
        change(1);
        try (exchange) {
            answer(exchange);
        } finally {
            change(-1);
        }
    }

    private void change(int by) {
        lock.lock();
        try {
            running += by;
            if (running == 0) {
                idle.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (Response response = handler.handle(request(exchange))) {
            send(exchange, response);
        }
    }

    private static void send(HttpExchange exchange, Response response) throws IOException {
        response.headers().forEach(exchange.getResponseHeaders()::set);
        exchange.getResponseHeaders().set("x-content-type-options", "nosniff");
        exchange.getResponseHeaders().set("content-type", response.body().mediaType());
        boolean head = exchange.getRequestMethod().equals("HEAD");
        switch (response.body()) {
            case Body.Bytes(String type, byte[] bytes) -> {
                if (head) {
                    exchange.getResponseHeaders().set("content-length", String.valueOf(bytes.length));
                }
                boolean none = head || bytes.length == 0;
                exchange.sendResponseHeaders(response.status(), none ? -1 : bytes.length);
                if (!none) {
                    write(exchange, out -> writeParts(out, bytes));
                }
            }
            case Body.Stream(String type, Body.Writing writing) -> {
                exchange.sendResponseHeaders(response.status(), head ? -1 : 0);
                if (!head) {
                    write(exchange, writing);
                }
            }
        }
    }

    private static void write(HttpExchange exchange, Body.Writing writing) throws IOException {
        try (OutputStream out = exchange.getResponseBody()) {
            writing.writeTo(out);
        }
    }

    private static void writeParts(OutputStream out, byte[] bytes) throws IOException {
        for (int from = 0; from < bytes.length; from += WRITTEN_BYTES) {
            out.write(bytes, from, Math.min(WRITTEN_BYTES, bytes.length - from));
        }
    }

    private static Request request(HttpExchange exchange) {
        Map<String, List<String>> headers = new HashMap<>();
        exchange.getRequestHeaders().forEach((name, values) -> headers.put(name.toLowerCase(Locale.ROOT), values));
        List<String> ids = headers.getOrDefault("x-request-id", List.of());
        String id = !ids.isEmpty() && REQUEST_ID.matcher(ids.getFirst()).matches()
                ? ids.getFirst()
                : UUID.randomUUID().toString();
        String path = exchange.getRequestURI().getPath();
        return new Request(
                exchange.getRequestMethod(),
                path == null ? "/" : path,
                headers,
                new RequestBody(exchange.getRequestBody()),
                id);
    }

    /// A body whose chunks may be malformed in ways that the JDK does not look for.
    private static final class RequestBody extends FilterInputStream {
        RequestBody(InputStream body) {
            super(body);
        }

        @Override
        public int read(byte[] bytes, int from, int length) throws IOException {
            try {
                return super.read(bytes, from, length);
            } catch (IndexOutOfBoundsException e) {
                throw new IOException("a chunk of negative length", e);
            }
        }
    }

    /// Waits until no request is being answered.
    ///
    /// @return whether that was so in time
    /// @throws InterruptedException if this thread is interrupted
    public boolean awaitIdle(Duration time) throws InterruptedException {
        long left = time.toNanos();
        lock.lockInterruptibly();
        try {
            while (running > 0 && left > 0) {
                left = idle.awaitNanos(left);
            }
            return running == 0;
        } finally {
            lock.unlock();
        }
    }

    /// Closes all connections.
    @Override
    public void close() {
        server.stop(0);
        executor.shutdownNow();
        try {
            // What was interrupted is gone at once; nothing waits for it.
            boolean ended = executor.awaitTermination(1, TimeUnit.SECONDS);
            assert ended || executor.isShutdown();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
