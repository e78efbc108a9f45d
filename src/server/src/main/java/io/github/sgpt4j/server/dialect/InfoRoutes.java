package io.github.sgpt4j.server.dialect;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.Pooling;
import io.github.sgpt4j.retrieval.SearchMode;
import io.github.sgpt4j.server.ServerOptions;
import io.github.sgpt4j.server.http.Response;
import io.github.sgpt4j.server.json.JsonWriting;
import io.github.sgpt4j.server.metrics.Metrics;
import io.github.sgpt4j.server.models.ServedModel;
import io.github.sgpt4j.server.models.ServedModels;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import io.github.sgpt4j.server.routing.Access;
import io.github.sgpt4j.server.routing.Dialect;
import io.github.sgpt4j.server.routing.Exchange;
import io.github.sgpt4j.server.routing.Readiness;
import io.github.sgpt4j.server.routing.Route;
import io.github.sgpt4j.server.search.SearchCollection;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/// What the server says of itself: health, models and devices, metrics.
public final class InfoRoutes {
    private static final String METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private final Supplier<Optional<Service>> service;
    private final Supplier<Readiness> readiness;
    private final Metrics metrics;
    private final ServerOptions options;

    /// @param service empty until the models are loaded
    public InfoRoutes(
            Supplier<Optional<Service>> service,
            Supplier<Readiness> readiness,
            Metrics metrics,
            ServerOptions options) {
        this.service = service;
        this.readiness = readiness;
        this.metrics = metrics;
        this.options = options;
    }

    /// All of them.
    public List<Route> routes() {
        return List.of(
                new Route("GET", "/health", Access.OPEN, Dialect.TEI, this::health),
                new Route("GET", "/ping", Access.OPEN, Dialect.TEI, this::health),
                new Route("GET", "/metrics", Access.OPEN, Dialect.TEI, this::metrics),
                new Route("GET", "/info", Access.LOADED, Dialect.TEI, this::info));
    }

    /// 200 if requests are answered, 503 if not.
    public Response health(Exchange exchange) {
        Readiness now = readiness.get();
        if (now != Readiness.READY) {
            throw new ApiException(Problem.UNAVAILABLE, now.sentence());
        }
        return JsonWriting.response(200, json -> {
            json.writeStartObject();
            json.writeStringField("status", "ok");
            json.writeEndObject();
        });
    }

    private Response metrics(Exchange exchange) {
        Optional<Service> now = service.get();
        List<String> models = now.map(
                        s -> s.models().all().stream().map(ServedModel::id).toList())
                .orElse(List.of());
        return Response.text(
                200,
                METRICS_TYPE,
                metrics.text(() -> now.map(s -> s.inference().queue().size()).orElse(0), models));
    }

    private Response info(Exchange exchange) {
        Service now = service.get().orElseThrow();
        ServedModel model = now.models()
                .embedder(Optional.empty())
                .map(embedder -> embedder.model())
                .orElse(now.models().all().getFirst());
        Optional<BiEncoder> encoder = model.encoder();
        Optional<Documents> documents = now.collection().map(InfoRoutes::documents);
        return JsonWriting.response(200, json -> {
            json.writeStartObject();
            JsonWriting.textField(json, "model_id", model.id());
            json.writeNullField("model_sha");
            json.writeStringField("model_dtype", dtype(model));
            JsonWriting.textField(json, "served_model_name", model.id());
            json.writeObjectFieldStart("model_type");
            if (encoder.isPresent()) {
                json.writeObjectFieldStart("embedding");
                json.writeStringField("pooling", pooling(encoder.get()));
                json.writeEndObject();
            } else {
                json.writeObjectFieldStart("reranker");
                json.writeObjectFieldStart("id2label");
                json.writeEndObject();
                json.writeObjectFieldStart("label2id");
                json.writeEndObject();
                json.writeEndObject();
            }
            json.writeEndObject();
            json.writeNumberField("max_concurrent_requests", options.limits().concurrentRequests());
            json.writeNumberField("max_input_length", maxLength(model));
            json.writeNumberField("max_batch_tokens", now.batchTokens());
            json.writeNullField("max_batch_requests");
            json.writeNumberField("max_client_batch_size", options.limits().clientBatchSize());
            json.writeBooleanField("auto_truncate", options.autoTruncate());
            json.writeNumberField("tokenization_workers", Runtime.getRuntime().availableProcessors());
            json.writeStringField("version", options.version());
            json.writeNullField("sha");
            json.writeNullField("docker_label");
            json.writeArrayFieldStart("capabilities");
            for (String capability : capabilities(now)) {
                json.writeString(capability);
            }
            json.writeEndArray();
            if (encoder.isPresent()) {
                json.writeNumberField("dimensions", encoder.get().dimension());
                json.writeStringField("fingerprint", model.fingerprint().orElseThrow());
            }
            json.writeStringField("device", model.model().device());
            Optional<ServedModels.Scorer> scorer = now.models().scorer(Optional.empty());
            if (scorer.isPresent()) {
                JsonWriting.textField(json, "rerank_model", scorer.get().model().id());
                Optional<String> note = scorer.get().model().rerankNote();
                if (note.isPresent()) {
                    JsonWriting.textField(json, "rerank_note", note.get());
                }
            }
            if (documents.isPresent()) {
                json.writeFieldName("collection");
                write(json, documents.get());
            } else if (now.documentsPending()) {
                json.writeBooleanField("collection_pending", true);
            }
            json.writeEndObject();
        });
    }

    /// What is searched.
    private record Documents(String name, int count, List<SearchMode> modes) {}

    private static Documents documents(SearchCollection collection) {
        try {
            return new Documents(collection.name(), collection.size(), collection.modes());
        } catch (IOException e) {
            throw new ApiException(Problem.INTERNAL, "the documents cannot be read: see the server's log", e);
        }
    }

    private static void write(JsonGenerator json, Documents documents) throws IOException {
        json.writeStartObject();
        JsonWriting.textField(json, "name", documents.name());
        json.writeNumberField("documents", documents.count());
        json.writeArrayFieldStart("modes");
        for (SearchMode mode : documents.modes()) {
            json.writeString(SearchRequest.name(mode));
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static List<String> capabilities(Service now) {
        List<String> capabilities = new ArrayList<>();
        if (now.models().embedder(Optional.empty()).isPresent()) {
            capabilities.add("embed");
        }
        if (now.models().scorer(Optional.empty()).isPresent()) {
            capabilities.add("rerank");
        }
        if (now.collection().isPresent()) {
            capabilities.add("search");
        }
        return capabilities;
    }

    private static int maxLength(ServedModel model) {
        return model.encoder()
                .map(BiEncoder::maxLength)
                .or(() -> model.scorer().map(scorer -> scorer.maxLength()))
                .orElseThrow();
    }

    private static String pooling(BiEncoder encoder) {
        return encoder.pooling().stream()
                .map(Pooling::name)
                .map(name -> name.toLowerCase(Locale.ROOT))
                .collect(Collectors.joining("+"));
    }

    /// As in PyTorch. On the CPU arithmetic has 32 bits, whatever the weights have.
    private static String dtype(ServedModel model) {
        return switch (model.model().dtypeInUse()) {
            case FP32, TF32, AUTO -> "float32";
            case BF16 -> "bfloat16";
            case FP16 -> "float16";
            case FP8 -> "float8";
        };
    }
}
