package io.github.sgpt4j.server.dialect;

import io.github.sgpt4j.ScoringMethod;
import io.github.sgpt4j.TextCut;
import io.github.sgpt4j.Token;
import io.github.sgpt4j.server.http.Response;
import io.github.sgpt4j.server.inference.Input;
import io.github.sgpt4j.server.inference.ScoreRequest;
import io.github.sgpt4j.server.inference.Scored;
import io.github.sgpt4j.server.json.JsonObject;
import io.github.sgpt4j.server.json.JsonWriting;
import io.github.sgpt4j.server.models.ServedModels;
import io.github.sgpt4j.server.problem.ApiException;
import io.github.sgpt4j.server.problem.Problem;
import io.github.sgpt4j.server.routing.Access;
import io.github.sgpt4j.server.routing.Dialect;
import io.github.sgpt4j.server.routing.Exchange;
import io.github.sgpt4j.server.routing.Route;
import java.util.List;
import java.util.function.Supplier;

/// What a document's score for a query consists of: how likely the model finds each of the query's
/// tokens after it.
public final class ExplainRoutes {
    private final Supplier<Service> service;

    /// @param service there once the models are loaded
    public ExplainRoutes(Supplier<Service> service) {
        this.service = service;
    }

    /// All of them.
    public List<Route> routes() {
        return List.of(new Route("POST", "/explain", Access.COMPUTING, Dialect.OPENAI, this::explain));
    }

    private Response explain(Exchange exchange) {
        Service now = service.get();
        JsonObject body = exchange.body();
        String query = Input.text("query", body.required("query", "a string"));
        // It may be empty: that shows what the query gets by itself.
        String document = body.requiredText("document");
        ServedModels.Scorer scorer = now.scorer(body.text("model"));
        if (scorer.encoder().method() != ScoringMethod.LIKELIHOOD) {
            throw new ApiException(
                    Problem.MODEL_TYPE,
                    "model",
                    "%s scores by %s: expected a model that scores by the likelihood of the query's tokens"
                            .formatted(scorer.model().id(), scorer.encoder().method()));
        }
        boolean truncate = body.truth("truncate").orElse(now.options().autoTruncate());
        ScoreRequest request =
                new ScoreRequest(scorer.encoder(), query, List.of(document), "document", truncate, TextCut.USUAL);
        exchange.reserve(request.answerBytes());
        List<Token> tokens = TokenRoutes.tokens(scorer.model().model(), List.of(query), false, exchange)
                .getFirst();
        Scored scored = now.inference().score(request, exchange.deadline());
        List<Float> logarithms = scored.scores().getFirst().tokenLogProbabilities();
        // Only the last tokens of a query that is too long are scored.
        int unscored = tokens.size() - logarithms.size();
        exchange.note(scored.totalTokens());
        Response response = exchange.json(query.length(), json -> {
            json.writeStartObject();
            json.writeNumberField("score", scored.scores().getFirst().value());
            json.writeNumberField("relevance_score", scored.relevance(0));
            json.writeArrayFieldStart("tokens");
            for (int i = 0; i < tokens.size(); i++) {
                json.writeStartObject();
                JsonWriting.textField(json, "text", tokens.get(i).text());
                json.writeFieldName("log_probability");
                if (i < unscored) {
                    json.writeNull();
                } else {
                    json.writeNumber(logarithms.get(i - unscored));
                }
                json.writeEndObject();
            }
            json.writeEndArray();
            Usage.write(json, scored);
            json.writeEndObject();
        });
        return Headers.describe(response, scored, scorer.model().computeType());
    }
}
