package io.github.sgpt4j.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.server.models.ServedModel;
import io.github.sgpt4j.server.models.ServedModels;
import io.github.sgpt4j.server.search.MemoryCollection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// A server of tests, with the built-in model, on a free port of this machine; and a client for it.
final class RunningServer implements AutoCloseable {
    /// The model's id.
    static final String MODEL = "nano";
    /// Another name for it.
    static final String ALIAS = "small";

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final JsonMapper JSON = new JsonMapper();

    private final SgptServer server;
    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(LIMIT)
            .build();
    private final Optional<ServedModel> model;

    private RunningServer(SgptServer server, Optional<ServedModel> model) {
        this.server = server;
        this.model = model;
    }

    /// Serves the built-in model.
    static RunningServer start(UnaryOperator<ServerOptions> options) {
        ServedModel served = served(MODEL, List.of(ALIAS), true, true);
        RunningServer running = new RunningServer(listen(options), Optional.of(served));
        running.server.serve(new ServedModels(List.of(served)));
        return running;
    }

    /// Serves the built-in model, as if the heap had so many bytes.
    static RunningServer small(UnaryOperator<ServerOptions> options, long memory) {
        try {
            ServedModel served = served(MODEL, List.of(ALIAS), true, true);
            SgptServer server =
                    SgptServer.start(options.apply(ServerOptions.DEFAULT.withAddress("127.0.0.1", 0)), memory);
            server.serve(new ServedModels(List.of(served)));
            return new RunningServer(server, Optional.of(served));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Serves the built-in model, and searches documents.
    static RunningServer searching(UnaryOperator<ServerOptions> options, List<Document> documents) {
        return searching(options, documents, served(MODEL, List.of(ALIAS), true, true));
    }

    /// Serves a model that embeds, and searches documents.
    static RunningServer searching(UnaryOperator<ServerOptions> options, List<Document> documents, ServedModel served) {
        RunningServer running = new RunningServer(listen(options), Optional.of(served));
        // The vectors of a broken model cannot be computed; those of the documents do not matter for it.
        float[][] vectors = new float[documents.size()][running.encoder().dimension()];
        for (float[] vector : vectors) {
            vector[0] = 1;
        }
        running.server.serve(
                new ServedModels(List.of(served)),
                Optional.of(MemoryCollection.of("documents of a test", documents, vectors, running.encoder())));
        return running;
    }

    /// Serves these models.
    static RunningServer serving(ServedModel... models) {
        return serving(options -> options, models);
    }

    /// Serves these models.
    static RunningServer serving(UnaryOperator<ServerOptions> options, ServedModel... models) {
        RunningServer running = loading(options);
        running.server.serve(new ServedModels(List.of(models)));
        return running;
    }

    /// Has no models yet.
    static RunningServer loading(UnaryOperator<ServerOptions> options) {
        return new RunningServer(listen(options), Optional.empty());
    }

    private static SgptServer listen(UnaryOperator<ServerOptions> options) {
        try {
            return SgptServer.start(options.apply(ServerOptions.DEFAULT.withAddress("127.0.0.1", 0)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// For servers that fail on purpose: what their log says is of no interest.
    static ServerOptions silent(ServerOptions usual) {
        return usual.withLog(line -> {}, false);
    }

    /// The built-in model for some purposes.
    static ServedModel served(String id, List<String> aliases, boolean embeds, boolean ranks) {
        return served(NanoModel.directory(), id, aliases, embeds, ranks);
    }

    /// A model of a directory.
    static ServedModel served(Path directory, String id, List<String> aliases, boolean embeds, boolean ranks) {
        Model opened = Model.open(directory);
        return new ServedModel(
                id,
                aliases,
                opened,
                embeds ? Optional.of(BiEncoder.of(opened, BiEncoderOptions.DEFAULT)) : Optional.empty(),
                ranks ? Optional.of(CrossEncoder.of(opened, CrossEncoderOptions.DEFAULT)) : Optional.empty());
    }

    SgptServer server() {
        return server;
    }

    /// Embeds without the server.
    BiEncoder encoder() {
        return model.orElseThrow().encoder().orElseThrow();
    }

    /// Scores without the server.
    CrossEncoder scorer() {
        return model.orElseThrow().scorer().orElseThrow();
    }

    /// Its address, without a slash at the end.
    String base() {
        return "http://127.0.0.1:" + server.address().getPort();
    }

    /// A request to it.
    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(base() + path)).timeout(LIMIT);
    }

    HttpResponse<String> get(String path) {
        return send(request(path).GET());
    }

    /// Sends a body as JSON.
    HttpResponse<String> post(String path, String body) {
        return send(request(path)
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    HttpResponse<String> send(HttpRequest.Builder request) {
        try {
            return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /// The JSON that a successful answer consists of.
    static JsonNode ok(HttpResponse<String> response) {
        if (response.statusCode() != 200) {
            throw new AssertionError("status %d: %s".formatted(response.statusCode(), response.body()));
        }
        return parsed(response.body());
    }

    static JsonNode parsed(String text) {
        try {
            return JSON.readTree(text);
        } catch (IOException e) {
            throw new UncheckedIOException(text, e);
        }
    }

    /// As text.
    static String json(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        client.close();
        server.close();
    }
}
