package io.github.sgpt4j.server;

import static io.github.sgpt4j.server.Expected.assertVectors;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.errors.BadRequestException;
import com.openai.errors.InternalServerException;
import com.openai.errors.NotFoundException;
import com.openai.errors.OpenAIServiceException;
import com.openai.errors.RateLimitException;
import com.openai.errors.UnauthorizedException;
import com.openai.errors.UnexpectedStatusCodeException;
import com.openai.models.embeddings.CreateEmbeddingResponse;
import com.openai.models.embeddings.Embedding;
import com.openai.models.embeddings.EmbeddingCreateParams;
import com.openai.models.models.Model;
import io.github.sgpt4j.TextKind;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// OpenAI's client for Java against this server.
class OpenAiJavaClientTest {
    private static final Duration RETRY_AFTER = Duration.ofMillis(990);

    private static RunningServer server;
    private static OpenAIClient client;

    @BeforeAll
    static void start() {
        server = RunningServer.start(ClientTask::options);
        client = client(server, ClientTask.KEY, 0);
    }

    @AfterAll
    static void end() {
        client.close();
        server.close();
    }

    private static OpenAIClient client(RunningServer of, String key, int retries) {
        return OpenAIOkHttpClient.builder()
                .baseUrl(of.base() + "/v1")
                .apiKey(key)
                .maxRetries(retries)
                .timeout(Duration.ofSeconds(60))
                .build();
    }

    private static EmbeddingCreateParams.Builder params() {
        return EmbeddingCreateParams.builder().model(RunningServer.MODEL);
    }

    private static EmbeddingCreateParams.Builder texts() {
        return params().inputOfArrayOfStrings(ClientTask.TEXTS);
    }

    private static float[][] embed(EmbeddingCreateParams.Builder params) {
        return vectors(client.embeddings().create(params.build()));
    }

    private static float[][] vectors(CreateEmbeddingResponse response) {
        response.validate();
        return response.data().stream().map(OpenAiJavaClientTest::vector).toArray(float[][]::new);
    }

    private static float[] vector(Embedding embedding) {
        List<Float> values = embedding.embedding();
        float[] vector = new float[values.size()];
        for (int i = 0; i < vector.length; i++) {
            vector[i] = values.get(i);
        }
        return vector;
    }

    @Test
    void embedsInEachFormat() {
        float[][] usual = ClientTask.vectors(server, TextKind.TEXT);
        assertVectors(usual, embed(texts()));
        assertVectors(usual, embed(texts().encodingFormat(EmbeddingCreateParams.EncodingFormat.FLOAT)));
        assertVectors(usual, embed(texts().encodingFormat(EmbeddingCreateParams.EncodingFormat.BASE64)));
        assertVectors(new float[][] {usual[0]}, embed(params().input(ClientTask.TEXTS.getFirst())));
        assertVectors(usual, embed(params().inputOfArrayOfTokenArrays(ClientTask.ids(server))));
        assertVectors(
                new float[][] {usual[1]},
                embed(params().inputOfArrayOfTokens(ClientTask.ids(server).get(1))));
        assertVectors(
                Expected.normalized(server.encoder().embed(ClientTask.MANY)),
                embed(params().inputOfArrayOfStrings(ClientTask.MANY)));
    }

    @Test
    void asksForDimensionsAndKinds() {
        assertVectors(ClientTask.narrow(server), embed(texts().dimensions(ClientTask.DIMENSIONS)));
        assertVectors(ClientTask.vectors(server, TextKind.QUERY), embed(texts().model(RunningServer.ALIAS + ":query")));
        assertVectors(
                ClientTask.vectors(server, TextKind.DOCUMENT),
                embed(texts().putAdditionalBodyProperty("input_type", JsonValue.from("document"))));
    }

    @Test
    void listsModels() {
        assertEquals(
                List.of(RunningServer.MODEL, RunningServer.ALIAS),
                client.models().list().data().stream().map(Model::id).toList());
        assertEquals("sgpt4j", client.models().retrieve(RunningServer.MODEL).ownedBy());
    }

    private static void assertFails(
            Class<? extends OpenAIServiceException> type,
            int status,
            String code,
            OpenAIClient of,
            EmbeddingCreateParams.Builder params) {
        OpenAIServiceException failure =
                assertThrows(type, () -> of.embeddings().create(params.build()));
        assertEquals(status, failure.statusCode());
        assertEquals(code, failure.code().orElseThrow());
    }

    @Test
    void tellsErrorsInItsOwnClasses() {
        OpenAIClient stranger = client(server, "wrong", 0);
        assertFails(UnauthorizedException.class, 401, "invalid_api_key", stranger, texts());
        stranger.close();
        assertFails(NotFoundException.class, 404, "model_not_found", client, texts().model("unknown"));
        assertFails(BadRequestException.class, 400, "empty_input", client, params().input(""));
        assertFails(BadRequestException.class, 400, "invalid_value", client, texts().dimensions(100_000));
        assertFails(
                UnexpectedStatusCodeException.class,
                413,
                "too_large",
                client,
                params().inputOfArrayOfStrings(ClientTask.TOO_MANY));
        try (RunningServer loading = RunningServer.loading(ClientTask::options)) {
            OpenAIClient early = client(loading, ClientTask.KEY, 0);
            assertFails(InternalServerException.class, 503, "unavailable", early, texts());
            early.close();
        }
    }

    @Test
    void triesAgainWhenTheServerIsOverloaded() {
        try (Overload overload = new Overload(ClientTask::options, ClientTask.KEY)) {
            OpenAIClient patient = client(overload.server(), ClientTask.KEY, 2);
            long start = System.nanoTime();
            float[][] got = vectors(patient.embeddings().create(texts().build()));
            Duration waited = Duration.ofNanos(System.nanoTime() - start);
            patient.close();
            assertTrue(overload.hasRefused());
            assertTrue(waited.compareTo(RETRY_AFTER) >= 0, waited::toString);
            assertVectors(ClientTask.vectors(server, TextKind.TEXT), got);
        }
        try (Overload overload = new Overload(ClientTask::options, ClientTask.KEY)) {
            OpenAIClient hasty = client(overload.server(), ClientTask.KEY, 0);
            assertFails(RateLimitException.class, 429, "overloaded", hasty, texts());
            hasty.close();
        }
    }
}
