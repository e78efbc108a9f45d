package io.github.sgpt4j.server.dialect;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.TextCut;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.SearchMode;
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.filter.Filter;
import io.github.sgpt4j.retrieval.passage.Passage;
import io.github.sgpt4j.retrieval.passage.TextRange;
import io.github.sgpt4j.server.http.Response;
import io.github.sgpt4j.server.inference.EmbedRequest;
import io.github.sgpt4j.server.inference.Embedded;
import io.github.sgpt4j.server.inference.Input;
import io.github.sgpt4j.server.inference.Reading;
import io.github.sgpt4j.server.inference.ScoreRequest;
import io.github.sgpt4j.server.inference.Scored;
import io.github.sgpt4j.server.json.JsonWriting;
import io.github.sgpt4j.server.models.ServedModels;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import io.github.sgpt4j.server.routing.Access;
import io.github.sgpt4j.server.routing.Dialect;
import io.github.sgpt4j.server.routing.Exchange;
import io.github.sgpt4j.server.routing.Route;
import io.github.sgpt4j.server.search.SearchCollection;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/// Search in the server's documents.
public final class SearchRoutes {
    /// A result without its document, as JSON.
    private static final long RESULT_BYTES = 200;

    private final Supplier<Service> service;

    /// A document found.
    ///
    /// @param relevance [Scored#relevance], if the document was re-ranked
    private record Result(Hit hit, Optional<Float> rerankScore, Optional<Double> relevance) {}

    /// @param results best first
    /// @param warnings about the filter, as sentences
    private record First(List<Result> results, List<String> warnings) {}

    /// @param results best first
    /// @param warnings about the request, as sentences
    /// @param work computed for it; nothing if it was words only
    private record Answer(List<Result> results, List<String> warnings, Work work, String computeType) {}

    /// @param service there once the models are loaded
    public SearchRoutes(Supplier<Service> service) {
        this.service = service;
    }

    /// All of them.
    public List<Route> routes() {
        return List.of(new Route("POST", "/search", Access.COMPUTING, Dialect.OPENAI, this::search));
    }

    private Response search(Exchange exchange) {
        Service now = service.get();
        SearchCollection collection = now.documents();
        SearchRequest request = SearchRequest.of(exchange.body(), now, collection);
        Answer answer = answer(now, collection, request, exchange);
        exchange.note(answer.work().totalTokens());
        long size = JsonWriting.size(request.query())
                + answer.warnings().stream().mapToLong(JsonWriting::size).sum()
                + answer.results().stream().mapToLong(SearchRoutes::size).sum();
        exchange.reserve(2 * size);
        Response response = exchange.json(size, json -> {
            json.writeStartObject();
            JsonWriting.textField(json, "query", request.query());
            json.writeStringField("mode", SearchRequest.name(request.options().mode()));
            json.writeArrayFieldStart("results");
            for (Result result : answer.results()) {
                write(json, result);
            }
            json.writeEndArray();
            if (!answer.warnings().isEmpty()) {
                json.writeArrayFieldStart("warnings");
                for (String warning : answer.warnings()) {
                    JsonWriting.text(json, warning);
                }
                json.writeEndArray();
            }
            json.writeNumberField("took_ms", Math.round(exchange.deadline().elapsed() * 1e5) / 1e2);
            Usage.write(json, answer.work());
            json.writeEndObject();
        });
        return Headers.describe(response, answer.work(), answer.computeType());
    }

    /// Most bytes of a result as JSON.
    private static long size(Result result) {
        Document document = result.hit().document();
        return RESULT_BYTES
                + JsonWriting.size(document.id())
                + document.title().map(JsonWriting::size).orElse(0L)
                + JsonWriting.size(document.text())
                + JsonWriting.size(result.hit().passage().text())
                + JsonWriting.size(document.metadata().toJson());
    }

    private static Answer answer(Service now, SearchCollection collection, SearchRequest request, Exchange exchange) {
        String query = request.query();
        int limit = request.options().limit();
        int rerank = request.options().rerank();
        Optional<ServedModels.Scorer> scorer =
                rerank > 0 ? Optional.of(now.scorer(exchange.body().text("model"))) : Optional.empty();
        Work work = Work.NONE;
        float[] vector = new float[0];
        String computeType = now.models().all().getFirst().computeType();
        if (request.options().mode() != SearchMode.BM25) {
            Embedded embedded = embed(now, collection.encoder().orElseThrow(), query, exchange);
            vector = embedded.vectors().getFirst();
            work = work.plus(embedded);
        }
        float[] meaning = vector;
        First first = exchange.work(query.length(), () -> first(collection, query, meaning, request.firstStage()));
        List<Result> results = first.results();
        if (scorer.isPresent() && !results.isEmpty()) {
            List<Result> head = results.subList(0, Math.min(rerank, results.size()));
            List<String> texts =
                    head.stream().map(result -> result.hit().passageText()).toList();
            ScoreRequest pairs = new ScoreRequest(scorer.get().encoder(), query, texts, "results", true, TextCut.USUAL);
            exchange.reserve(pairs.answerBytes());
            Scored scored = now.inference().score(pairs, exchange.deadline());
            work = work.plus(scored);
            computeType = scorer.get().model().computeType();
            results = reordered(results, scored);
        }
        return new Answer(results.subList(0, Math.min(limit, results.size())), first.warnings(), work, computeType);
    }

    private static Embedded embed(Service now, BiEncoder encoder, String query, Exchange exchange) {
        EmbedRequest request = new EmbedRequest(
                encoder,
                List.of(new Input.Text(query)),
                "query",
                new Reading.Kind(TextKind.QUERY),
                exchange.body().truth("truncate").orElse(now.options().autoTruncate()),
                TextCut.USUAL,
                OptionalInt.empty(),
                false);
        return now.inference().embed(request, exchange.deadline());
    }

    private static First first(SearchCollection collection, String query, float[] vector, SearchOptions options) {
        try {
            List<Result> results = collection.search(query, vector, options).stream()
                    .map(hit -> new Result(hit, Optional.empty(), Optional.empty()))
                    .toList();
            Optional<Filter> filter = options.filter();
            return new First(results, filter.isPresent() ? collection.notices(filter.get()) : List.of());
        } catch (IOException e) {
            throw new ApiException(Problem.INTERNAL, "the documents cannot be read: see the server's log", e);
        } catch (SgptException e) {
            throw new ApiException(Problem.INTERNAL, "the search failed: " + e.getMessage(), e);
        } catch (IllegalStateException e) {
            throw new ApiException(Problem.UNAVAILABLE, "the server is ending", e);
        }
    }

    /// The first results in the order of their scores, equal ones in their old order; then the rest.
    private static List<Result> reordered(List<Result> results, Scored scored) {
        List<Result> reordered =
                new ArrayList<>(IntStream.range(0, scored.scores().size())
                        .boxed()
                        .sorted(Comparator.comparing(
                                        (Integer i) -> scored.scores().get(i).rawValue())
                                .reversed())
                        .map(i -> new Result(
                                results.get(i).hit(),
                                Optional.of(scored.scores().get(i).value()),
                                Optional.of(scored.relevance(i))))
                        .toList());
        reordered.addAll(results.subList(scored.scores().size(), results.size()));
        return reordered;
    }

    private static void write(JsonGenerator json, Result result) throws IOException {
        Hit hit = result.hit();
        json.writeStartObject();
        JsonWriting.textField(json, "id", hit.document().id());
        if (hit.document().title().isPresent()) {
            JsonWriting.textField(json, "title", hit.document().title().get());
        }
        JsonWriting.textField(json, "text", hit.document().text());
        if (!hit.document().metadata().isEmpty()) {
            json.writeFieldName("metadata");
            json.writeRawValue(hit.document().metadata().toJson());
        }
        json.writeNumberField("score", hit.score());
        if (hit.similarity().isPresent()) {
            json.writeNumberField("similarity", hit.similarity().get());
        }
        if (hit.bm25().isPresent()) {
            json.writeNumberField("bm25", hit.bm25().get());
        }
        if (result.rerankScore().isPresent()) {
            json.writeNumberField("rerank_score", result.rerankScore().get());
        }
        if (result.relevance().isPresent()) {
            json.writeNumberField("relevance_score", result.relevance().get());
        }
        Passage passage = hit.passage();
        if (passage.range().length() < hit.document().text().length()) {
            TextRange place = passage.codePoints(hit.document().text());
            json.writeObjectFieldStart("passage");
            json.writeNumberField("start", place.start());
            json.writeNumberField("end", place.end());
            JsonWriting.textField(json, "text", passage.text());
            json.writeEndObject();
        }
        json.writeEndObject();
    }
}
