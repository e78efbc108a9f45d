package io.github.sgpt4j.server.dialect;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.sgpt4j.TextCut;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.server.http.Response;
import io.github.sgpt4j.server.inference.EmbedRequest;
import io.github.sgpt4j.server.inference.Embedded;
import io.github.sgpt4j.server.inference.Input;
import io.github.sgpt4j.server.inference.Reading;
import io.github.sgpt4j.server.json.JsonObject;
import io.github.sgpt4j.server.json.JsonWriting;
import io.github.sgpt4j.server.models.ServedModel;
import io.github.sgpt4j.server.models.ServedModels;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import io.github.sgpt4j.server.routing.Access;
import io.github.sgpt4j.server.routing.Dialect;
import io.github.sgpt4j.server.routing.Exchange;
import io.github.sgpt4j.server.routing.Route;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/// OpenAI's embeddings and list of models, as in its OpenAPI description.
public final class OpenAiRoutes {
    private static final String MODELS = "/v1/models/";

    private final Supplier<Service> service;
    private final long created = Instant.now().getEpochSecond();

    /// @param service there once the models are loaded
    public OpenAiRoutes(Supplier<Service> service) {
        this.service = service;
    }

    /// All of them.
    public List<Route> routes() {
        return List.of(
                new Route("POST", "/v1/embeddings", Access.COMPUTING, Dialect.OPENAI, this::embeddings),
                new Route("POST", "/embeddings", Access.COMPUTING, Dialect.OPENAI, this::embeddings),
                new Route("GET", "/v1/models", Access.LOADED, Dialect.OPENAI, this::models),
                new Route("GET", MODELS + "*", Access.LOADED, Dialect.OPENAI, this::model));
    }

    private Response embeddings(Exchange exchange) {
        JsonObject body = exchange.body();
        Service now = service.get();
        List<Input> inputs = Input.list(body, "input", now.options().limits().clientBatchSize());
        boolean base64 = base64(body);
        Optional<String> name = body.text("model");
        ServedModels.Embedder embedder = now.embedder(name);
        TextKind kind =
                Kinds.asked(body).or(embedder::kind).orElse(now.options().inputType());
        EmbedRequest request = new EmbedRequest(
                embedder.encoder(),
                inputs,
                "input",
                new Reading.Kind(kind),
                body.truth("truncate").orElse(now.options().autoTruncate()),
                TextCut.USUAL,
                body.whole("dimensions"),
                body.truth("normalize").orElse(true));
        VectorForm named = body.text("embedding_type")
                .map(type -> VectorForm.named(type, "embedding_type", request, now))
                .orElse(VectorForm.FLOATS);
        VectorForm form = base64 ? named.inBase64() : named;
        exchange.reserve(request.answerBytes());
        Embedded embedded = now.inference().embed(request, exchange.deadline());
        exchange.note(embedded.totalTokens());
        String model = name.filter(now.models()::knows).orElse(embedder.model().id());
        Response response = exchange.json(request.answerBytes(), json -> write(json, embedded, model, form));
        return Headers.describe(response, embedded, embedder.model().computeType());
    }

    private static boolean base64(JsonObject body) {
        String format = body.text("encoding_format").orElse("float");
        return switch (format) {
            case "float" -> false;
            case "base64" -> true;
            default ->
                throw new ApiException(
                        Problem.INVALID_VALUE,
                        "encoding_format",
                        "encoding_format: expected float or base64, got something else");
        };
    }

    private static void write(JsonGenerator json, Embedded embedded, String model, VectorForm form) throws IOException {
        json.writeStartObject();
        json.writeStringField("object", "list");
        JsonWriting.textField(json, "model", model);
        json.writeArrayFieldStart("data");
        for (int i = 0; i < embedded.vectors().size(); i++) {
            json.writeStartObject();
            json.writeStringField("object", "embedding");
            json.writeNumberField("index", i);
            json.writeFieldName("embedding");
            form.write(json, embedded.vectors().get(i));
            if (embedded.truncated()[i]) {
                json.writeBooleanField("truncated", true);
            }
            json.writeEndObject();
        }
        json.writeEndArray();
        Usage.write(json, embedded);
        json.writeEndObject();
    }

    private Response models(Exchange exchange) {
        return JsonWriting.response(200, json -> {
            json.writeStartObject();
            json.writeStringField("object", "list");
            json.writeArrayFieldStart("data");
            for (ServedModel model : service.get().models().all()) {
                write(json, model.id());
                for (String alias : model.aliases()) {
                    write(json, alias);
                }
            }
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    private Response model(Exchange exchange) {
        String name = exchange.request().path().substring(MODELS.length());
        if (!service.get().models().knows(name)) {
            throw new ApiException(
                    Problem.MODEL_NOT_FOUND, "model", "no such model is served: GET /v1/models lists those that are");
        }
        return JsonWriting.response(200, json -> write(json, name));
    }

    private void write(JsonGenerator json, String id) throws IOException {
        json.writeStartObject();
        JsonWriting.textField(json, "id", id);
        json.writeStringField("object", "model");
        json.writeNumberField("created", created);
        json.writeStringField("owned_by", "sgpt4j");
        json.writeEndObject();
    }
}
