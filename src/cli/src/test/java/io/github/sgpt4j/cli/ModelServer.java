package io.github.sgpt4j.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CopyOnWriteArraySet;
import java.util.stream.Stream;

/// A hub with one model, `owner/tiny`, which consists of the files of a directory, at branch `main` and tag `v1`; and
/// with datasets.
final class ModelServer implements AutoCloseable {
    static final String COMMIT = "89abcdef".repeat(5);

    final List<String> requests = new CopyOnWriteArrayList<>();
    final Map<String, byte[]> files = new TreeMap<>();

    /// Files of datasets by id.
    final Map<String, Map<String, byte[]>> datasets = new TreeMap<>();

    /// Paths of files whose ETag is not a hash.
    final Set<String> unhashed = new CopyOnWriteArraySet<>();

    private final HttpServer server;

    ModelServer(Path directory) throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                files.put(directory.relativize(file).toString().replace('\\', '/'), Files.readAllBytes(file));
            }
        }
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            try (exchange) {
                String path = exchange.getRequestURI().getPath();
                requests.add(path);
                answer(exchange, path);
            }
        });
        server.start();
    }

    String endpoint() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private void answer(HttpExchange exchange, String path) throws IOException {
        String resolve = "/owner/tiny/resolve/" + COMMIT + "/";
        if (path.matches("/api/models/owner/tiny/revision/(main|v1|" + COMMIT + ")")) {
            send(exchange, listing(files).toString().getBytes(StandardCharsets.UTF_8));
        } else if (path.contains("/datasets/")) {
            answerDataset(exchange, path);
        } else if (path.startsWith(resolve) && files.containsKey(path.substring(resolve.length()))) {
            send(exchange, files.get(path.substring(resolve.length())));
        } else {
            exchange.sendResponseHeaders(404, -1);
        }
    }

    private void answerDataset(HttpExchange exchange, String path) throws IOException {
        for (Map.Entry<String, Map<String, byte[]>> dataset : datasets.entrySet()) {
            String resolve = "/datasets/%s/resolve/%s/".formatted(dataset.getKey(), COMMIT);
            if (path.equals("/api/datasets/%s/revision/main".formatted(dataset.getKey()))) {
                send(exchange, listing(dataset.getValue()).toString().getBytes(StandardCharsets.UTF_8));
                return;
            }
            if (path.startsWith(resolve)) {
                send(exchange, dataset.getValue().getOrDefault(path.substring(resolve.length()), new byte[0]));
                return;
            }
        }
        exchange.getResponseHeaders().set("X-Error-Code", "RepoNotFound");
        exchange.sendResponseHeaders(404, -1);
    }

    private ObjectNode listing(Map<String, byte[]> contents) {
        ObjectNode listing = Cli.JSON.createObjectNode().put("sha", COMMIT);
        ArrayNode siblings = listing.putArray("siblings");
        contents.forEach((path, content) -> siblings.addObject()
                .put("rfilename", path)
                .put("size", content.length)
                .putObject("lfs")
                .put("size", content.length)
                .put("sha256", unhashed.contains(path) ? "v1-" + content.length : sha256(content)));
        return listing;
    }

    private static String sha256(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void send(HttpExchange exchange, byte[] content) throws IOException {
        exchange.sendResponseHeaders(200, content.length);
        exchange.getResponseBody().write(content);
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
