package io.github.sgpt4j.server.dialect;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.TextCut;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.server.http.Body;
import io.github.sgpt4j.server.http.Response;
import io.github.sgpt4j.server.inference.EmbedRequest;
import io.github.sgpt4j.server.inference.Embedded;
import io.github.sgpt4j.server.inference.Input;
import io.github.sgpt4j.server.inference.Reading;
import io.github.sgpt4j.server.json.Json;
import io.github.sgpt4j.server.json.JsonObject;
import io.github.sgpt4j.server.json.JsonWriting;
import io.github.sgpt4j.server.models.ServedModels;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import io.github.sgpt4j.server.routing.Access;
import io.github.sgpt4j.server.routing.Dialect;
import io.github.sgpt4j.server.routing.Exchange;
import io.github.sgpt4j.server.routing.Route;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Supplier;

/// The routes of text-embeddings-inference (router/src/http) that embed and compare.
public final class TeiRoutes {
    /// A cosine, as JSON.
    private static final long COSINE_BYTES = 16;

    private final Supplier<Service> service;
    private final RerankRoutes rerank;

    /// @param service there once the models are loaded
    /// @param rerank answers `POST /` if no model embeds
    public TeiRoutes(Supplier<Service> service, RerankRoutes rerank) {
        this.service = service;
        this.rerank = rerank;
    }

    /// All of them.
    public List<Route> routes() {
        return List.of(
                new Route("POST", "/embed", Access.COMPUTING, Dialect.TEI, this::embed),
                new Route("POST", "/", Access.COMPUTING, Dialect.TEI, this::usual),
                new Route("POST", "/invocations", Access.COMPUTING, Dialect.TEI, this::usual),
                new Route("POST", "/similarity", Access.COMPUTING, Dialect.TEI, this::similarity));
    }

    private Response usual(Exchange exchange) throws IOException {
        return service.get().models().embedder(Optional.empty()).isPresent()
                ? embed(exchange)
                : rerank.rerank(exchange);
    }

    private Response embed(Exchange exchange) {
        Service now = service.get();
        JsonObject body = exchange.body();
        if (exchange.request().accepts(EmbedLines.MEDIA_TYPE)) {
            return lines(exchange);
        }
        List<Input> inputs = Input.list(body, "inputs", now.options().limits().clientBatchSize());
        ServedModels.Embedder embedder = now.embedder(body.text("model"));
        EmbedRequest request = request(now, embedder, inputs, body);
        exchange.reserve(request.answerBytes());
        Embedded embedded = now.inference().embed(request, exchange.deadline());
        exchange.note(embedded.totalTokens());
        Response response = exchange.json(request.answerBytes(), json -> {
            json.writeStartArray();
            for (float[] vector : embedded.vectors()) {
                JsonWriting.numbers(json, vector);
            }
            json.writeEndArray();
        });
        return Headers.describe(response, embedded, embedder.model().computeType());
    }

    private static EmbedRequest request(
            Service now, ServedModels.Embedder embedder, List<Input> inputs, JsonObject body) {
        TextKind kind = embedder.kind().orElse(now.options().inputType());
        return request(now, embedder, inputs, "inputs", body, kind)
                .withDimensions(body.whole("dimensions"))
                .withNormalize(body.truth("normalize").orElse(true));
    }

    /// An answer of lines. What no input is to blame for, and is known before the first line, is a usual error.
    private Response lines(Exchange exchange) {
        Service now = service.get();
        JsonObject body = exchange.body();
        List<Json> elements = Input.elements(body, "inputs");
        ServedModels.Embedder embedder = now.embedder(body.text("model"));
        EmbedLines lines =
                new EmbedLines(now.inference(), request(now, embedder, List.of(), body), elements, exchange.deadline());
        exchange.reserve(lines.bytes());
        lines.advance();
        exchange.note(lines.tokens());
        return new Response(
                200,
                Map.of("x-compute-type", embedder.model().computeType()),
                new Body.Stream(EmbedLines.MEDIA_TYPE, lines::writeTo));
    }

    /// @param settings holds `truncate`, `truncation_direction` and `prompt_name`
    private static EmbedRequest request(
            Service now,
            ServedModels.Embedder embedder,
            List<Input> inputs,
            String field,
            JsonObject settings,
            TextKind kind) {
        return new EmbedRequest(
                embedder.encoder(),
                inputs,
                field,
                reading(settings, embedder, kind),
                settings.truth("truncate").orElse(now.options().autoTruncate()),
                cut(settings),
                OptionalInt.empty(),
                true);
    }

    private static Reading reading(JsonObject settings, ServedModels.Embedder embedder, TextKind kind) {
        Optional<String> name = settings.text("prompt_name");
        if (name.isEmpty()) {
            return new Reading.Kind(kind);
        }
        Map<String, String> prompts = embedder.model().info().prompts();
        return switch (name.get()) {
            case "query" -> new Reading.Kind(TextKind.QUERY);
            case "document" -> new Reading.Kind(TextKind.DOCUMENT);
            case String other when prompts.containsKey(other) -> new Reading.Prompt(prompts.get(other));
            default ->
                throw new ApiException(
                        Problem.INVALID_VALUE,
                        settings.named("prompt_name"),
                        "prompt_name: expected query, document%s"
                                .formatted(prompts.isEmpty() ? "" : " or one of " + prompts.keySet()));
        };
    }

    /// The side that texts are cut on.
    static TextCut cut(JsonObject settings) {
        return settings.text("truncation_direction")
                .map(side -> switch (side) {
                    case "right", "Right" -> TextCut.RIGHT;
                    case "left", "Left" -> TextCut.LEFT;
                    default ->
                        throw new ApiException(
                                Problem.INVALID_VALUE,
                                settings.named("truncation_direction"),
                                "truncation_direction: expected right or left, got something else");
                })
                .orElse(TextCut.USUAL);
    }

    private Response similarity(Exchange exchange) {
        Service now = service.get();
        JsonObject inputs = exchange.body().requiredObject("inputs");
        JsonObject settings = exchange.body().object("parameters").orElse(exchange.body());
        String source = Input.text("inputs.source_sentence", inputs.required("source_sentence", "a string"));
        List<Json> elements = inputs.requiredElements("sentences", "an array of strings");
        if (elements.isEmpty()) {
            throw new ApiException(Problem.EMPTY_INPUT, "inputs.sentences", "inputs.sentences is empty");
        }
        Input.requireAtMost(
                "inputs.sentences", elements.size(), now.options().limits().clientBatchSize());
        List<Input> sentences = new ArrayList<>(elements.size());
        for (int i = 0; i < elements.size(); i++) {
            sentences.add(new Input.Text(Input.text("inputs.sentences[%d]".formatted(i), elements.get(i))));
        }
        ServedModels.Embedder embedder = now.embedder(exchange.body().text("model"));
        boolean asymmetric = isAsymmetric(embedder);
        EmbedRequest query = request(
                now,
                embedder,
                List.of(new Input.Text(source)),
                "inputs.source_sentence",
                settings,
                asymmetric ? TextKind.QUERY : TextKind.TEXT);
        EmbedRequest others = request(
                now, embedder, sentences, "inputs.sentences", settings, asymmetric ? TextKind.DOCUMENT : TextKind.TEXT);
        exchange.reserve(query.vectorBytes() + others.vectorBytes() + 2 * COSINE_BYTES * sentences.size());
        Embedded embedded = now.inference().embed(List.of(query, others), exchange.deadline());
        exchange.note(embedded.totalTokens());
        float[] first = embedded.vectors().getFirst();
        Response response = exchange.json(COSINE_BYTES * sentences.size(), json -> {
            json.writeStartArray();
            for (float[] vector :
                    embedded.vectors().subList(1, embedded.vectors().size())) {
                // The cosine, as both have length 1.
                json.writeNumber(Similarity.DOT.of(first, vector));
            }
            json.writeEndArray();
        });
        return Headers.describe(response, embedded, embedder.model().computeType());
    }

    /// Whether the model reads queries and documents differently.
    private static boolean isAsymmetric(ServedModels.Embedder embedder) {
        return embedder.model().info().specb();
    }
}
