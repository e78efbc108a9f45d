package io.github.sgpt4j.server.dialect;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.sgpt4j.server.http.Response;
import io.github.sgpt4j.server.inference.Input;
import io.github.sgpt4j.server.inference.ScoreRequest;
import io.github.sgpt4j.server.inference.Scored;
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
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/// Re-ranking, as text-embeddings-inference, Jina, vLLM and Cohere ask for it.
public final class RerankRoutes {
    /// A result without its document, as JSON.
    private static final long RESULT_BYTES = 80;

    private final Supplier<Service> service;

    /// @param service there once the models are loaded
    public RerankRoutes(Supplier<Service> service) {
        this.service = service;
    }

    /// All of them.
    public List<Route> routes() {
        return List.of(
                new Route("POST", "/rerank", Access.COMPUTING, Dialect.OPENAI, this::rerank),
                new Route("POST", "/v1/rerank", Access.COMPUTING, Dialect.OPENAI, exchange -> documents(exchange, "1")),
                new Route(
                        "POST", "/v2/rerank", Access.COMPUTING, Dialect.OPENAI, exchange -> documents(exchange, "2")));
    }

    /// Of whichever client sent the body.
    Response rerank(Exchange exchange) {
        if (exchange.body().has("documents")) {
            exchange.speak(Dialect.OPENAI);
            return documents(exchange, "1");
        }
        exchange.speak(Dialect.TEI);
        return texts(exchange);
    }

    private Response texts(Exchange exchange) {
        Service now = service.get();
        JsonObject body = exchange.body();
        String query = Input.text("query", body.required("query", "a string"));
        List<String> texts = all(now, "texts", body.requiredElements("texts", "an array of strings"), false);
        boolean raw = body.truth("raw_scores").orElse(false);
        boolean returned = body.truth("return_text").orElse(false);
        ServedModels.Scorer scorer = now.scorer(body.text("model"));
        ScoreRequest request = request(now, scorer, query, texts, "texts", exchange);
        long size = reserve(request, returned, exchange);
        Scored scored = score(now, request, exchange);
        Response response = exchange.json(size, json -> {
            json.writeStartArray();
            for (int index : order(scored)) {
                json.writeStartObject();
                json.writeNumberField("index", index);
                if (returned) {
                    JsonWriting.textField(json, "text", texts.get(index));
                }
                writeScore(json, "score", scored, index, raw);
                json.writeEndObject();
            }
            json.writeEndArray();
        });
        return Headers.describe(response, scored, scorer.model().computeType());
    }

    private Response documents(Exchange exchange, String version) {
        Service now = service.get();
        JsonObject body = exchange.body();
        String query = Input.text("query", body.required("query", "a string"));
        List<String> documents =
                all(now, "documents", body.requiredElements("documents", "an array of strings or objects"), true);
        int top = top(body, documents.size());
        boolean raw = body.truth("raw_scores").orElse(false);
        boolean returned = body.truth("return_documents").orElse(false);
        Optional<String> name = body.text("model");
        ServedModels.Scorer scorer = now.scorer(name);
        ScoreRequest request = request(now, scorer, query, documents, "documents", exchange);
        long size = reserve(request, returned, exchange);
        Scored scored = score(now, request, exchange);
        String model = name.filter(now.models()::knows).orElse(scorer.model().id());
        Response response = exchange.json(size, json -> {
            json.writeStartObject();
            json.writeStringField("id", UUID.randomUUID().toString());
            json.writeStringField("object", "rerank");
            JsonWriting.textField(json, "model", model);
            json.writeArrayFieldStart("results");
            for (int index : order(scored).subList(0, top)) {
                json.writeStartObject();
                json.writeNumberField("index", index);
                writeScore(json, "relevance_score", scored, index, raw);
                if (returned) {
                    json.writeObjectFieldStart("document");
                    JsonWriting.textField(json, "text", documents.get(index));
                    json.writeEndObject();
                }
                json.writeEndObject();
            }
            json.writeEndArray();
            Usage.write(json, scored);
            meta(json, version);
            json.writeEndObject();
        });
        return Headers.describe(response, scored, scorer.model().computeType());
    }

    /// What Cohere's client expects.
    private static void meta(JsonGenerator json, String version) throws IOException {
        json.writeObjectFieldStart("meta");
        json.writeObjectFieldStart("api_version");
        json.writeStringField("version", version);
        json.writeEndObject();
        json.writeObjectFieldStart("billed_units");
        json.writeNumberField("search_units", 1);
        json.writeEndObject();
        json.writeEndObject();
    }

    private static int top(JsonObject body, int documents) {
        OptionalInt top = body.whole("top_n");
        if (top.isPresent() && top.getAsInt() < 0) {
            throw new ApiException(Problem.INVALID_VALUE, "top_n", "top_n: expected at least 0, got " + top.getAsInt());
        }
        return top.isEmpty() || top.getAsInt() == 0 ? documents : Math.min(documents, top.getAsInt());
    }

    /// @param objects whether a document may be an object with `text`
    private static List<String> all(Service now, String field, List<Json> elements, boolean objects) {
        if (elements.isEmpty()) {
            throw new ApiException(
                    Problem.EMPTY_INPUT, field, "%s is empty: expected at least one text".formatted(field));
        }
        Input.requireAtMost(field, elements.size(), now.options().limits().clientBatchSize());
        List<String> texts = new ArrayList<>(elements.size());
        for (int i = 0; i < elements.size(); i++) {
            String place = "%s[%d]".formatted(field, i);
            Json element = elements.get(i);
            texts.add(
                    objects && element instanceof Json.Members members
                            ? Input.text(place + ".text", new JsonObject(place, members).required("text", "a string"))
                            : Input.text(place, element));
        }
        return texts;
    }

    private static ScoreRequest request(
            Service now,
            ServedModels.Scorer scorer,
            String query,
            List<String> texts,
            String field,
            Exchange exchange) {
        JsonObject body = exchange.body();
        return new ScoreRequest(
                scorer.encoder(),
                query,
                texts,
                field,
                body.truth("truncate").orElse(now.options().autoTruncate()),
                TeiRoutes.cut(body));
    }

    /// Reserves memory for the scores, and for the documents in the answer if they are returned.
    ///
    /// @return about as many bytes as the answer has
    private static long reserve(ScoreRequest request, boolean returned, Exchange exchange) {
        long size = request.documents().size() * RESULT_BYTES;
        if (returned) {
            size += request.documents().stream().mapToLong(JsonWriting::size).sum();
        }
        exchange.reserve(request.answerBytes() + 2 * size);
        return size;
    }

    private static Scored score(Service now, ScoreRequest request, Exchange exchange) {
        Scored scored = now.inference().score(request, exchange.deadline());
        exchange.note(scored.totalTokens());
        return scored;
    }

    /// Documents, highest score first; equal ones in their order.
    private static List<Integer> order(Scored scored) {
        return IntStream.range(0, scored.scores().size())
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> -scored.rank(i)))
                .toList();
    }

    private static void writeScore(JsonGenerator json, String field, Scored scored, int index, boolean raw)
            throws IOException {
        if (raw) {
            json.writeNumberField(field, scored.scores().get(index).rawValue());
        } else {
            json.writeNumberField(field, scored.relevance(index));
        }
    }
}
