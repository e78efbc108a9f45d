package io.github.sgpt4j.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.Model;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.corpus.CorpusReader;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.server.models.ServedModel;
import io.github.sgpt4j.server.models.ServedModels;
import io.github.sgpt4j.server.search.SearchCollection;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// A server on a free port with the built-in model, and requests to it.
final class DemoServer implements AutoCloseable {
    static final String MODEL = "nano";
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final SgptServer server;
    private final HttpClient client = HttpClient.newHttpClient();
    final Model model;
    final BiEncoder encoder;
    final CrossEncoder scorer;

    /// An answer with a JSON body.
    record Answer(int status, JsonNode body, HttpResponse<String> response) {}

    /// What the model is served for.
    enum Use {
        EMBEDDING,
        RANKING,
        BOTH
    }

    /// @param collection made with the encoder
    DemoServer(ServerOptions options, Use use, Function<BiEncoder, Optional<SearchCollection>> collection)
            throws IOException {
        model = Model.open(NanoModel.directory());
        encoder = BiEncoder.of(model, BiEncoderOptions.DEFAULT);
        scorer = CrossEncoder.of(model, CrossEncoderOptions.DEFAULT);
        server = SgptServer.start(options.withAddress("127.0.0.1", 0));
        server.serve(
                new ServedModels(List.of(new ServedModel(
                        MODEL,
                        List.of(),
                        model,
                        use == Use.RANKING ? Optional.empty() : Optional.of(encoder),
                        use == Use.EMBEDDING ? Optional.empty() : Optional.of(scorer)))),
                collection.apply(encoder));
    }

    /// The first documents of the demo corpus.
    static List<Document> documents(int count) throws IOException {
        List<Document> documents = new ArrayList<>();
        try (CorpusReader reader = CorpusReader.ofJsonLines(NanoModel.corpus(), "demo corpus")) {
            while (documents.size() < count && reader.hasNext()) {
                documents.add(reader.next());
            }
        }
        return documents;
    }

    static float[][] vectors(BiEncoder encoder, List<Document> documents) {
        return encoder.embedDocuments(documents.stream().map(Document::joined).toList());
    }

    URI uri(String path) {
        return URI.create("http://127.0.0.1:%d%s".formatted(server.address().getPort(), path));
    }

    HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return client.send(request.timeout(PATIENCE).build(), HttpResponse.BodyHandlers.ofString());
    }

    Answer post(String path, String body) throws IOException, InterruptedException {
        HttpResponse<String> response = send(HttpRequest.newBuilder(uri(path))
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body)));
        return new Answer(response.statusCode(), JSON.readTree(response.body()), response);
    }

    Answer get(String path) throws IOException, InterruptedException {
        HttpResponse<String> response = send(HttpRequest.newBuilder(uri(path)));
        return new Answer(response.statusCode(), JSON.readTree(response.body()), response);
    }

    @Override
    public void close() {
        client.shutdownNow();
        server.close();
    }
}
