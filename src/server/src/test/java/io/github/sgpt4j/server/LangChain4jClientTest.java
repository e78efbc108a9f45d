package io.github.sgpt4j.server;

import static io.github.sgpt4j.server.Expected.assertVectors;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.AuthenticationException;
import dev.langchain4j.exception.InternalServerException;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.LangChain4jException;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.model.output.Response;
import io.github.sgpt4j.TextKind;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// LangChain4j's client for OpenAI against this server.
class LangChain4jClientTest {
    private static RunningServer server;

    @BeforeAll
    static void start() {
        server = RunningServer.start(ClientTask::options);
    }

    @AfterAll
    static void end() {
        server.close();
    }

    private static OpenAiEmbeddingModel.OpenAiEmbeddingModelBuilder model(RunningServer of) {
        return OpenAiEmbeddingModel.builder()
                .baseUrl(of.base() + "/v1")
                .apiKey(ClientTask.KEY)
                .modelName(RunningServer.MODEL)
                .timeout(Duration.ofSeconds(60))
                .maxRetries(0);
    }

    private static Response<List<Embedding>> embed(
            OpenAiEmbeddingModel.OpenAiEmbeddingModelBuilder model, List<String> texts) {
        return model.build().embedAll(texts.stream().map(TextSegment::from).toList());
    }

    private static float[][] vectors(OpenAiEmbeddingModel.OpenAiEmbeddingModelBuilder model) {
        return vectors(embed(model, ClientTask.TEXTS));
    }

    private static float[][] vectors(Response<List<Embedding>> response) {
        return response.content().stream().map(Embedding::vector).toArray(float[][]::new);
    }

    @Test
    void embedsInEachFormatAndInBatches() {
        float[][] usual = ClientTask.vectors(server, TextKind.TEXT);
        assertVectors(usual, vectors(model(server)));
        assertVectors(usual, vectors(model(server).encodingFormat("float")));
        assertVectors(usual, vectors(model(server).encodingFormat("base64")));
        assertVectors(usual, vectors(model(server).maxSegmentsPerBatch(2)));
        float[] one = model(server)
                .build()
                .embed(ClientTask.TEXTS.getFirst())
                .content()
                .vector();
        assertVectors(new float[][] {usual[0]}, new float[][] {one});
        assertVectors(ClientTask.narrow(server), vectors(model(server).dimensions(ClientTask.DIMENSIONS)));
        assertVectors(
                ClientTask.vectors(server, TextKind.QUERY),
                vectors(model(server).modelName(RunningServer.MODEL + ":query")));
    }

    @Test
    void countsTokens() {
        int tokens = ClientTask.TEXTS.stream()
                .mapToInt(text -> server.encoder().tokenize(text, TextKind.TEXT).length)
                .sum();
        assertEquals(tokens, embed(model(server), ClientTask.TEXTS).tokenUsage().totalTokenCount());
    }

    private static void assertFails(
            Class<? extends LangChain4jException> type,
            String word,
            OpenAiEmbeddingModel.OpenAiEmbeddingModelBuilder model,
            List<String> texts) {
        LangChain4jException failure = assertThrows(type, () -> embed(model, texts));
        assertTrue(failure.getMessage().contains(word), failure::getMessage);
    }

    @Test
    void tellsErrorsInItsOwnClasses() {
        List<String> texts = ClientTask.TEXTS;
        assertFails(
                AuthenticationException.class, "invalid_api_key", model(server).apiKey("wrong"), texts);
        assertFails(
                ModelNotFoundException.class, "model_not_found", model(server).modelName("unknown"), texts);
        assertFails(
                InvalidRequestException.class, "invalid_value", model(server).dimensions(100_000), texts);
        assertFails(InvalidRequestException.class, "too_large", model(server), ClientTask.TOO_MANY);
        try (RunningServer loading = RunningServer.loading(ClientTask::options)) {
            assertFails(InternalServerException.class, "unavailable", model(loading), texts);
        }
    }

    @Test
    void triesAgainWhenTheServerIsOverloaded() {
        try (Overload overload = new Overload(ClientTask::options, ClientTask.KEY)) {
            assertFails(RateLimitException.class, "overloaded", model(overload.server()), ClientTask.TEXTS);
        }
        try (Overload overload = new Overload(ClientTask::options, ClientTask.KEY)) {
            float[][] got = vectors(model(overload.server()).maxRetries(3));
            assertTrue(overload.hasRefused());
            assertVectors(ClientTask.vectors(server, TextKind.TEXT), got);
        }
    }
}
