package io.github.sgpt4j.weightstools.hub;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;

/// A server that behaves like the Hugging Face hub, with one model and any number of datasets. Weights are large files
/// on a
/// second server, to which it redirects. Tests can make it misbehave.
public final class FakeHub implements AutoCloseable {
    private static final long TIME_TO_READ_NANOS = 500_000_000;

    public static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
    public static final String ID = "owner/some-model";

    private static final ObjectMapper JSON = new ObjectMapper();

    /// A received request.
    ///
    /// @param server `hub` or `cdn`
    public record Request(String server, String method, URI uri, Optional<String> token, Optional<String> range) {
        boolean isFor(String path) {
            return uri.getPath().endsWith(path);
        }
    }

    /// Answers a request in place of the server.
    @FunctionalInterface
    interface Answer {
        void give(HttpExchange exchange) throws IOException;
    }

    public final List<Request> requests = new CopyOnWriteArrayList<>();
    public final Map<String, byte[]> files = new TreeMap<>();

    /// Files of datasets by id.
    final Map<String, Map<String, byte[]>> datasets = new TreeMap<>();

    final Map<String, String> revisions = new ConcurrentHashMap<>(Map.of("main", COMMIT));

    /// Responses to the next requests whose path ends like this, one for each.
    private final Map<String, Deque<Answer>> answers = new ConcurrentHashMap<>();

    /// Responses to all requests whose path ends like this.
    private final Map<String, Answer> always = new ConcurrentHashMap<>();

    private final HttpServer hub;
    private final HttpServer cdn;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    volatile String cdnHost = "127.0.0.1";
    volatile boolean ranges = true;
    volatile boolean blobs = true;

    public FakeHub() throws IOException {
        hub = start("hub", this::answerHub);
        cdn = start("cdn", this::answerCdn);
    }

    private HttpServer start(String name, Answer usual) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", exchange -> {
            try (exchange) {
                requests.add(new Request(
                        name,
                        exchange.getRequestMethod(),
                        exchange.getRequestURI(),
                        Optional.ofNullable(exchange.getRequestHeaders().getFirst("Authorization")),
                        Optional.ofNullable(exchange.getRequestHeaders().getFirst("Range"))));
                pick(exchange.getRequestURI().getPath()).orElse(usual).give(exchange);
            }
        });
        server.start();
        return server;
    }

    private Optional<Answer> pick(String path) {
        for (Map.Entry<String, Deque<Answer>> entry : answers.entrySet()) {
            if (path.endsWith(entry.getKey())) {
                synchronized (entry.getValue()) {
                    if (!entry.getValue().isEmpty()) {
                        return Optional.of(entry.getValue().removeFirst());
                    }
                }
            }
        }
        return always.entrySet().stream()
                .filter(entry -> path.endsWith(entry.getKey()))
                .map(Map.Entry::getValue)
                .findFirst();
    }

    /// Adds responses to the next requests whose path ends like this.
    void next(String end, Answer... given) {
        Deque<Answer> queue = answers.computeIfAbsent(end, key -> new ArrayDeque<>());
        synchronized (queue) {
            queue.addAll(Arrays.asList(given));
        }
    }

    void always(String end, Answer given) {
        always.put(end, given);
    }

    void asUsual(String end) {
        always.remove(end);
    }

    public String endpoint() {
        return "http://127.0.0.1:" + hub.getAddress().getPort();
    }

    String cdnEndpoint() {
        return "http://" + cdnHost + ":" + cdn.getAddress().getPort();
    }

    FakeHub with(String path, String content) {
        return with(path, content.getBytes(StandardCharsets.UTF_8));
    }

    FakeHub with(String path, byte[] content) {
        files.put(path, content);
        return this;
    }

    /// A repository like those of SGPT models, with a few unneeded files.
    FakeHub withModel() {
        return with("config.json", "{\"model_type\": \"gpt2\"}")
                .with("tokenizer.json", "{}")
                .with("tokenizer_config.json", "{ }")
                .with("model.safetensors", random(100_000, 1))
                .with("pytorch_model.bin", random(100_001, 2))
                .with("README.md", "# A model")
                .with("tf_model.h5", random(1000, 3))
                .with("onnx/model.onnx", random(1000, 4))
                .with("modules.json", modules("1_Pooling"))
                .with("1_Pooling/config.json", "{\"pooling_mode_weightedmean_tokens\": true}")
                .with("1_Pooling/README.md", "?")
                .with("config_sentence_transformers.json", "{\"prompts\": {}}")
                .with("sentence_bert_config.json", "{\"max_seq_length\": 12}")
                .with("sgpt4j.json", "{\"specb\": true}");
    }

    static final List<String> NEEDED = List.of(
            "1_Pooling/config.json",
            "config.json",
            "config_sentence_transformers.json",
            "model.safetensors",
            "modules.json",
            "sentence_bert_config.json",
            "sgpt4j.json",
            "tokenizer.json",
            "tokenizer_config.json");

    static String modules(String pooling) {
        String type = "sentence_transformers.models.";
        return """
                [{"idx": 0, "name": "0", "path": "", "type": "TYPETransformer"},
                 {"idx": 1, "name": "1", "path": "POOLING", "type": "TYPEPooling"}]""".replace("POOLING", pooling).replace("TYPE", type);
    }

    static byte[] random(int bytes, long seed) {
        byte[] content = new byte[bytes];
        new Random(seed).nextBytes(content);
        return content;
    }

    /// The name of a file's blob.
    String tag(String path) {
        return tag(path, files.get(path));
    }

    static String tag(String path, byte[] content) {
        return isLarge(path) ? sha256(content) : gitHash(content);
    }

    static boolean isLarge(String path) {
        return path.matches(".*\\.(safetensors|bin|h5|onnx|jsonl\\.gz)");
    }

    static String sha256(byte[] content) {
        return hex("SHA-256", content);
    }

    private static String gitHash(byte[] content) {
        byte[] head = ("blob " + content.length + "\0").getBytes(StandardCharsets.UTF_8);
        byte[] all = Arrays.copyOf(head, head.length + content.length);
        System.arraycopy(content, 0, all, head.length, content.length);
        return hex("SHA-1", all);
    }

    private static String hex(String algorithm, byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private void answerHub(HttpExchange exchange) throws IOException {
        String[] api = exchange.getRequestURI().getRawPath().split("/");
        if (api.length > 5 && (api[1] + "/" + api[2]).equals("api/datasets")) {
            answerDataset(exchange, api[3] + "/" + api[4], api[5], decoded(api[6]));
        } else if (api.length > 6 && api[1].equals("datasets")) {
            String path = decoded(String.join("/", Arrays.copyOfRange(api, 6, api.length)));
            answerDataset(exchange, api[2] + "/" + api[3], path, decoded(api[5]));
        } else if (exchange.getRequestURI().getPath().startsWith("/api/models/" + ID + "/revision/")) {
            list(exchange, decoded(api[6]), files);
        } else if (exchange.getRequestURI().getPath().startsWith("/api/models/" + ID + "/tree/")) {
            tree(exchange);
        } else if (exchange.getRequestURI().getPath().startsWith("/" + ID + "/resolve/")) {
            String path = decoded(String.join("/", Arrays.copyOfRange(api, 5, api.length)));
            resolve(exchange, decoded(api[4]), path, files);
        } else {
            status(404, Map.of("X-Error-Code", "RepoNotFound")).give(exchange);
        }
    }

    /// @param path of a file, or `revision` for the list of files
    private void answerDataset(HttpExchange exchange, String id, String path, String revision) throws IOException {
        Map<String, byte[]> contents = datasets.get(id);
        if (contents == null) {
            status(404, Map.of("X-Error-Code", "RepoNotFound")).give(exchange);
        } else if (path.equals("revision")) {
            list(exchange, revision, contents);
        } else {
            resolve(exchange, revision, path, contents);
        }
    }

    private static String decoded(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }

    private Optional<String> commit(String revision) {
        return revisions.containsValue(revision) ? Optional.of(revision) : Optional.ofNullable(revisions.get(revision));
    }

    private void list(HttpExchange exchange, String revision, Map<String, byte[]> contents) throws IOException {
        Optional<String> commit = commit(revision);
        if (commit.isEmpty()) {
            status(404, Map.of("X-Error-Code", "RevisionNotFound")).give(exchange);
            return;
        }
        json(listing(commit.get(), contents).toString()).give(exchange);
    }

    /// The hub's list of files.
    ObjectNode listing(String commit) {
        return listing(commit, files);
    }

    private ObjectNode listing(String commit, Map<String, byte[]> contents) {
        ObjectNode listing = JSON.createObjectNode()
                .put("_id", "1")
                .put("id", ID)
                .put("modelId", ID)
                .put("private", false)
                .put("disabled", false)
                .put("gated", false)
                .put("downloads", 1)
                .put("likes", 1)
                .put("sha", commit);
        listing.putArray("tags").add("a");
        ArrayNode siblings = listing.putArray("siblings");
        contents.forEach((path, content) -> {
            ObjectNode file = siblings.addObject().put("rfilename", path);
            if (blobs) {
                file.put("size", content.length).put("blobId", gitHash(content));
                if (isLarge(path)) {
                    file.putObject("lfs")
                            .put("sha256", sha256(content))
                            .put("size", content.length)
                            .put("pointerSize", 134);
                }
            }
        });
        return listing;
    }

    private void tree(HttpExchange exchange) throws IOException {
        ArrayNode tree = JSON.createArrayNode();
        files.forEach((path, content) -> {
            ObjectNode file = tree.addObject()
                    .put("type", "file")
                    .put("oid", gitHash(content))
                    .put("size", content.length)
                    .put("path", path);
            if (isLarge(path)) {
                file.putObject("lfs")
                        .put("oid", sha256(content))
                        .put("size", content.length)
                        .put("pointerSize", 134);
            }
        });
        json(tree.toString()).give(exchange);
    }

    private void resolve(HttpExchange exchange, String revision, String path, Map<String, byte[]> contents)
            throws IOException {
        Optional<String> commit = commit(revision);
        if (commit.isEmpty()) {
            status(404, Map.of("X-Error-Code", "RevisionNotFound")).give(exchange);
            return;
        }
        exchange.getResponseHeaders().set("X-Repo-Commit", commit.get());
        if (!contents.containsKey(path)) {
            status(404, Map.of("X-Error-Code", "EntryNotFound")).give(exchange);
            return;
        }
        byte[] content = contents.get(path);
        if (isLarge(path)) {
            exchange.getResponseHeaders().set("X-Linked-Etag", "\"" + tag(path, content) + "\"");
            exchange.getResponseHeaders().set("X-Linked-Size", "" + content.length);
            exchange.getResponseHeaders()
                    .set("Location", cdnEndpoint() + "/" + tag(path, content) + "?signature=secret");
            exchange.sendResponseHeaders(302, -1);
        } else {
            exchange.getResponseHeaders().set("ETag", "\"" + tag(path, content) + "\"");
            send(exchange, content);
        }
    }

    private void answerCdn(HttpExchange exchange) throws IOException {
        String tag = exchange.getRequestURI().getPath().substring(1);
        List<Map<String, byte[]>> all = new ArrayList<>(datasets.values());
        all.add(files);
        for (Map<String, byte[]> contents : all) {
            for (Map.Entry<String, byte[]> file : contents.entrySet()) {
                if (tag(file.getKey(), file.getValue()).equals(tag)) {
                    send(exchange, file.getValue());
                    return;
                }
            }
        }
        status(404, Map.of()).give(exchange);
    }

    /// Sends content, or the requested part of it.
    void send(HttpExchange exchange, byte[] content) throws IOException {
        String range = exchange.getRequestHeaders().getFirst("Range");
        if (range == null || !ranges) {
            whole(content).give(exchange);
            return;
        }
        int from = Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
        if (from >= content.length) {
            status(416, Map.of("Content-Range", "bytes */" + content.length)).give(exchange);
            return;
        }
        exchange.getResponseHeaders()
                .set("Content-Range", "bytes %d-%d/%d".formatted(from, content.length - 1, content.length));
        exchange.sendResponseHeaders(206, content.length - from);
        exchange.getResponseBody().write(content, from, content.length - from);
    }

    static Answer whole(byte[] content) {
        return exchange -> {
            if (exchange.getRequestMethod().equals("HEAD")) {
                exchange.getResponseHeaders().set("Content-Length", "" + content.length);
                exchange.sendResponseHeaders(200, -1);
            } else {
                exchange.sendResponseHeaders(200, content.length == 0 ? -1 : content.length);
                exchange.getResponseBody().write(content);
            }
        };
    }

    static Answer json(String text) {
        return exchange -> {
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            whole(text.getBytes(StandardCharsets.UTF_8)).give(exchange);
        };
    }

    static Answer status(int status, Map<String, String> headers) {
        return exchange -> {
            headers.forEach(exchange.getResponseHeaders()::set);
            exchange.sendResponseHeaders(status, -1);
        };
    }

    static Answer redirect(String location) {
        return status(302, Map.of("Location", location));
    }

    /// Announces the full length and closes the connection after part of it, once the client has had
    /// time to read that: if the end comes together with data, the client's library may drop the data.
    static Answer dropped(byte[] content, int after) {
        return exchange -> {
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(content, 0, after);
            exchange.getResponseBody().flush();
            LockSupport.parkNanos(TIME_TO_READ_NANOS);
        };
    }

    /// Announces a length, and sends some bytes now and then, forever.
    ///
    /// @param length announced length; 0 for none, in chunks
    /// @param piece bytes to send every 10 ms
    static Answer trickle(long length, byte[] piece) {
        return exchange -> {
            exchange.sendResponseHeaders(200, length);
            while (!Thread.currentThread().isInterrupted()) {
                exchange.getResponseBody().write(piece);
                exchange.getResponseBody().flush();
                LockSupport.parkNanos(10_000_000);
            }
        };
    }

    /// Requests for files, on either server.
    List<Request> fetches() {
        return requests.stream()
                .filter(request -> !request.uri().getPath().startsWith("/api/"))
                .toList();
    }

    long count(String end) {
        return requests.stream().filter(request -> request.isFor(end)).count();
    }

    @Override
    public void close() {
        hub.stop(0);
        cdn.stop(0);
        threads.shutdownNow();
    }
}
