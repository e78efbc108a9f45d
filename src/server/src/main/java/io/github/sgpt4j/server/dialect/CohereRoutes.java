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
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;

/// Cohere's embeddings, of texts.
public final class CohereRoutes {
    private static final String TYPES = "embedding_types";

    private final Supplier<Service> service;

    /// @param service there once the models are loaded
    public CohereRoutes(Supplier<Service> service) {
        this.service = service;
    }

    /// All of them.
    public List<Route> routes() {
        return List.of(
                new Route(
                        "POST", "/v1/embed", Access.COMPUTING, Dialect.OPENAI, exchange -> embed(exchange, "1", false)),
                new Route(
                        "POST", "/v2/embed", Access.COMPUTING, Dialect.OPENAI, exchange -> embed(exchange, "2", true)));
    }

    /// @param byType whether vectors are grouped by their types even if none are asked for
    private Response embed(Exchange exchange, String version, boolean byType) {
        Service now = service.get();
        JsonObject body = exchange.body();
        List<String> texts = body.requiredTexts("texts");
        List<Input> inputs = Input.list(body, "texts", now.options().limits().clientBatchSize());
        ServedModels.Embedder embedder = now.embedder(body.text("model"));
        EmbedRequest request = new EmbedRequest(
                embedder.encoder(),
                inputs,
                "texts",
                new Reading.Kind(kind(body, embedder, now)),
                !body.text("truncate").filter("NONE"::equals).isPresent()
                        && (body.has("truncate") || now.options().autoTruncate()),
                cut(body),
                body.whole("output_dimension"),
                true);
        List<VectorForm> forms = forms(body, request, now);
        long size = request.answerBytes() * Math.max(1, forms.size())
                + texts.stream().mapToLong(JsonWriting::size).sum();
        exchange.reserve(size);
        Embedded embedded = now.inference().embed(request, exchange.deadline());
        exchange.note(embedded.totalTokens());
        Response response = exchange.json(size, json -> {
            json.writeStartObject();
            json.writeStringField("id", UUID.randomUUID().toString());
            writeVectors(json, embedded, forms, byType || body.has(TYPES));
            json.writeArrayFieldStart("texts");
            for (String text : texts) {
                JsonWriting.text(json, text);
            }
            json.writeEndArray();
            writeMeta(json, version, embedded);
            json.writeEndObject();
        });
        return Headers.describe(response, embedded, embedder.model().computeType());
    }

    private static TextKind kind(JsonObject body, ServedModels.Embedder embedder, Service now) {
        Optional<String> type = body.text("input_type");
        if (type.filter(name -> name.equals("classification") || name.equals("clustering"))
                .isPresent()) {
            return TextKind.TEXT;
        }
        return Kinds.asked(body).or(embedder::kind).orElse(now.options().inputType());
    }

    private static TextCut cut(JsonObject body) {
        return body.text("truncate")
                .map(side -> switch (side) {
                    case "START" -> TextCut.LEFT;
                    case "END" -> TextCut.RIGHT;
                    case "NONE" -> TextCut.USUAL;
                    default ->
                        throw new ApiException(
                                Problem.INVALID_VALUE,
                                "truncate",
                                "truncate: expected NONE, START or END, got something else");
                })
                .orElse(TextCut.USUAL);
    }

    private static List<VectorForm> forms(JsonObject body, EmbedRequest request, Service now) {
        if (!body.has(TYPES)) {
            return List.of(VectorForm.FLOATS);
        }
        List<VectorForm> forms = new ArrayList<>();
        for (String name : body.requiredTexts(TYPES)) {
            if (forms.stream().noneMatch(form -> form.name().equals(name))) {
                forms.add(VectorForm.named(name, TYPES, request, now));
            }
        }
        return forms.isEmpty() ? List.of(VectorForm.FLOATS) : forms;
    }

    private static void writeVectors(JsonGenerator json, Embedded embedded, List<VectorForm> forms, boolean byType)
            throws IOException {
        json.writeStringField("response_type", byType ? "embeddings_by_type" : "embeddings_floats");
        json.writeFieldName("embeddings");
        if (!byType) {
            write(json, embedded, VectorForm.FLOATS);
            return;
        }
        json.writeStartObject();
        for (VectorForm form : forms) {
            json.writeFieldName(form.name());
            write(json, embedded, form);
        }
        json.writeEndObject();
    }

    private static void write(JsonGenerator json, Embedded embedded, VectorForm form) throws IOException {
        json.writeStartArray();
        for (float[] vector : embedded.vectors()) {
            form.write(json, vector);
        }
        json.writeEndArray();
    }

    private static void writeMeta(JsonGenerator json, String version, Embedded embedded) throws IOException {
        json.writeObjectFieldStart("meta");
        json.writeObjectFieldStart("api_version");
        json.writeStringField("version", version);
        json.writeEndObject();
        json.writeObjectFieldStart("billed_units");
        json.writeNumberField("input_tokens", embedded.totalTokens());
        json.writeEndObject();
        json.writeEndObject();
    }
}
