package io.github.sgpt4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.Token;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// `POST /explain` with the built-in model.
class ExplainTest {
    private static DemoServer server;

    @BeforeAll
    static void start() throws IOException {
        server = new DemoServer(ServerOptions.DEFAULT, DemoServer.Use.BOTH, encoder -> Optional.empty());
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void givesTheLogProbabilityOfEachTokenOfTheQuery() throws Exception {
        for (String document : List.of("a morbid fear of spiders <b>", "")) {
            String query = "Fear of spiders,  unreasonably \ud83d\ude00";
            JsonNode body = server.post("/explain", "{\"query\":\"%s\",\"document\":\"%s\"}".formatted(query, document))
                    .body();
            CrossEncoder.Score expected =
                    server.scorer.score(query, List.of(document)).getFirst();
            List<Token> tokens = server.model.tokens(query, false);
            assertEquals(expected.value(), body.path("score").floatValue());
            assertEquals(
                    Math.exp((double) expected.value() / expected.tokens()),
                    body.path("relevance_score").doubleValue(),
                    1e-12);
            assertEquals(expected.tokens(), tokens.size());
            assertEquals(tokens.size(), body.path("tokens").size());
            for (int i = 0; i < tokens.size(); i++) {
                JsonNode token = body.path("tokens").get(i);
                assertEquals(tokens.get(i).text(), token.path("text").asText());
                assertEquals(
                        expected.tokenLogProbabilities().get(i),
                        token.path("log_probability").floatValue());
            }
            assertEquals(
                    expected.inputTokens(),
                    body.path("usage").path("total_tokens").asInt());
        }
    }

    @Test
    void tokensThatAreCutHaveNoProbability() throws Exception {
        String query = "one two three four five six seven ".repeat(200);
        DemoServer.Answer answer = server.post("/explain", "{\"query\":\"%s\",\"document\":\"d\"}".formatted(query));
        List<Float> expected =
                server.scorer.score(query, List.of("d")).getFirst().tokenLogProbabilities();
        JsonNode tokens = answer.body().path("tokens");
        int unscored = tokens.size() - expected.size();
        assertTrue(unscored > 0);
        for (int i = 0; i < tokens.size(); i++) {
            JsonNode value = tokens.get(i).path("log_probability");
            assertEquals(i < unscored, value.isNull());
            if (i >= unscored) {
                assertEquals(expected.get(i - unscored), value.floatValue());
            }
        }
        assertEquals("1", answer.response().headers().firstValue("x-truncated").orElse(""));
        DemoServer.Answer refused =
                server.post("/explain", "{\"query\":\"%s\",\"document\":\"d\",\"truncate\":false}".formatted(query));
        assertEquals(400, refused.status());
        assertEquals("input_too_long", refused.body().path("error").path("code").asText());
    }

    @Test
    void saysWhatIsWrong() throws Exception {
        Map<String, String> bodies = Map.of(
                "{\"document\":\"d\"}", "query invalid_value",
                "{\"query\":\"\",\"document\":\"d\"}", "query empty_input",
                "{\"query\":\"q\"}", "document invalid_value",
                "{\"query\":\"q\",\"document\":null}", "document invalid_value",
                "{\"query\":\"q\",\"document\":[\"d\"]}", "document invalid_value");
        for (Map.Entry<String, String> body : bodies.entrySet()) {
            DemoServer.Answer answer = server.post("/explain", body.getKey());
            JsonNode error = answer.body().path("error");
            assertEquals(400, answer.status());
            assertEquals(
                    body.getValue(),
                    error.path("param").asText() + " " + error.path("code").asText());
        }
    }

    @Test
    void aModelThatOnlyEmbedsCannotExplain() throws Exception {
        try (DemoServer embedding =
                new DemoServer(ServerOptions.DEFAULT, DemoServer.Use.EMBEDDING, encoder -> Optional.empty())) {
            DemoServer.Answer answer = embedding.post("/explain", "{\"query\":\"q\",\"document\":\"d\"}");
            assertEquals(400, answer.status());
            assertEquals("model_type", answer.body().path("error").path("code").asText());
        }
    }
}
