package io.github.sgpt4j.spring.ai;

import static io.github.sgpt4j.spring.ai.BuiltInModel.ENCODER;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.TextKind;
import io.micrometer.observation.tck.TestObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistryAssert;
import java.net.URI;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.ai.content.Media;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.Embedding;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.embedding.EmbeddingOptions;
import org.springframework.ai.embedding.EmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.embedding.TokenCountBatchingStrategy;
import org.springframework.ai.embedding.observation.DefaultEmbeddingModelObservationConvention;
import org.springframework.ai.embedding.observation.EmbeddingModelObservationContext;
import org.springframework.util.MimeTypeUtils;

class SgptEmbeddingModelTest {
    private static final String TEXT = "a morbid fear of spiders";
    private static final List<String> TEXTS = List.of(TEXT, "a place where bread is made");
    private static final SgptEmbeddingModel MODEL =
            SgptEmbeddingModel.builder(ENCODER).name("test").build();

    private static EmbeddingResponse call(EmbeddingOptions options) {
        return MODEL.call(new EmbeddingRequest(TEXTS, options));
    }

    private static SgptEmbeddingOptions ofKind(TextKind kind) {
        return SgptEmbeddingOptions.builder().kind(kind).build();
    }

    private static String refusal(EmbeddingOptions options) {
        return assertThrows(IllegalArgumentException.class, () -> call(options)).getMessage();
    }

    @Test
    void aTextIsAQueryAndADocumentIsADocument() {
        float[] query = ENCODER.embedQuery(TEXT);
        float[] document = ENCODER.embedDocument(TEXT);
        assertFalse(Arrays.equals(query, document), "the model is asymmetric");
        assertArrayEquals(query, MODEL.embed(TEXT));
        assertArrayEquals(document, MODEL.embed(new Document(TEXT, Map.of("year", 2020))));
        assertArrayEquals(document, MODEL.embed(List.of(TEXT)).getFirst());
        assertArrayEquals(
                document, MODEL.embedForResponse(List.of(TEXT)).getResult().getOutput());
    }

    @Test
    void batchesOfDocumentsAreDocuments() {
        List<Document> documents = TEXTS.stream().map(Document::new).toList();
        List<float[]> vectors =
                MODEL.embed(documents, EmbeddingOptions.builder().build(), new TokenCountBatchingStrategy());
        assertEquals(2, vectors.size());
        assertArrayEquals(ENCODER.embedDocuments(TEXTS)[0], vectors.get(0));
        assertArrayEquals(ENCODER.embedDocuments(TEXTS)[1], vectors.get(1));
    }

    @Test
    void optionsSayWhatTheTextsAre() {
        for (TextKind kind : TextKind.values()) {
            List<Embedding> results = call(ofKind(kind)).getResults();
            float[][] expected = ENCODER.embed(TEXTS, kind);
            for (int i = 0; i < expected.length; i++) {
                assertEquals(i, results.get(i).getIndex());
                assertArrayEquals(expected[i], results.get(i).getOutput());
            }
        }
        assertArrayEquals(
                ENCODER.embedDocuments(TEXTS)[0], call(null).getResult().getOutput());
    }

    @Test
    void usageCountsTokens() {
        EmbeddingResponse response = call(ofKind(TextKind.QUERY));
        int tokens = TEXTS.stream()
                .mapToInt(text -> ENCODER.tokenize(text, TextKind.QUERY).length)
                .sum();
        assertEquals("test", response.getMetadata().getModel());
        assertEquals(tokens, response.getMetadata().getUsage().getPromptTokens());
        assertEquals(tokens, response.getMetadata().getUsage().getTotalTokens());
        assertEquals(0, response.getMetadata().getUsage().getCompletionTokens());
        assertEquals(0, response.getMetadata().<Integer>get(SgptEmbeddingModel.TRUNCATED));
    }

    @Test
    void responsesTellHowManyTextsWereCut() {
        String tooLong = "spider ".repeat(ENCODER.maxLength(TextKind.DOCUMENT) + 1);
        EmbeddingResponse response = MODEL.call(new EmbeddingRequest(List.of(TEXT, tooLong), null));
        assertEquals(1, response.getMetadata().<Integer>get(SgptEmbeddingModel.TRUNCATED));
    }

    @Test
    void optionsThatAreMetAreAccepted() {
        EmbeddingOptions same = EmbeddingOptions.builder()
                .model("test")
                .dimensions(MODEL.dimensions())
                .build();
        assertEquals(2, call(same).getResults().size());
        assertEquals(ENCODER.dimension(), MODEL.dimensions());
        assertEquals(MODEL.dimensions(), call(same).getResult().getOutput().length);
    }

    @Test
    void otherOptionsAreRefusedByName() {
        assertTrue(refusal(EmbeddingOptions.builder().model("text-embedding-3").build())
                .contains("model of the request: expected test or none, got text-embedding-3"));
        assertTrue(refusal(EmbeddingOptions.builder().dimensions(7).build())
                .contains("dimensions of the request: expected %d or none, got 7".formatted(MODEL.dimensions())));
        EmbeddingOptions foreign = new EmbeddingOptions() {
            @Override
            public String getModel() {
                return null;
            }

            @Override
            public Integer getDimensions() {
                return null;
            }
        };
        assertTrue(refusal(foreign).contains(foreign.getClass().getName()));
    }

    @Test
    void documentsWithoutTextAreRefused() {
        Media picture = new Media(MimeTypeUtils.IMAGE_PNG, URI.create("https://example.org/spider.png"));
        Document document = new Document("7", picture, Map.of());
        assertTrue(assertThrows(IllegalArgumentException.class, () -> MODEL.embed(document))
                .getMessage()
                .contains("document 7: expected a text, got media"));
        List<String> texts = Arrays.asList(TEXT, null);
        assertTrue(assertThrows(IllegalArgumentException.class, () -> MODEL.call(new EmbeddingRequest(texts, null)))
                .getMessage()
                .contains("text 2 of 2"));
    }

    @Test
    void requestsAreObservedAsThoseOfOtherModels() {
        TestObservationRegistry registry = TestObservationRegistry.create();
        EmbeddingModel model = SgptEmbeddingModel.builder(ENCODER)
                .name("test")
                .observationRegistry(registry)
                .build();
        model.embed(TEXT);
        TestObservationRegistryAssert.assertThat(registry)
                .doesNotHaveAnyRemainingCurrentObservation()
                .hasObservationWithNameEqualTo(DefaultEmbeddingModelObservationConvention.DEFAULT_NAME)
                .that()
                .hasContextualNameEqualTo("embedding test")
                .hasLowCardinalityKeyValue("gen_ai.operation.name", "embedding")
                .hasLowCardinalityKeyValue("gen_ai.system", "sgpt4j")
                .hasLowCardinalityKeyValue("gen_ai.request.model", "test")
                .hasLowCardinalityKeyValue("gen_ai.response.model", "test")
                .hasHighCardinalityKeyValue(
                        "gen_ai.usage.input_tokens", Integer.toString(ENCODER.tokenize(TEXT, TextKind.QUERY).length))
                .hasBeenStarted()
                .hasBeenStopped();
    }

    @Test
    void theConventionOfObservationsCanBeReplaced() {
        TestObservationRegistry registry = TestObservationRegistry.create();
        EmbeddingModel model = SgptEmbeddingModel.builder(ENCODER)
                .observationRegistry(registry)
                .observationConvention(new DefaultEmbeddingModelObservationConvention() {
                    @Override
                    public String getContextualName(EmbeddingModelObservationContext context) {
                        return "own name";
                    }
                })
                .build();
        model.embed(TEXT);
        TestObservationRegistryAssert.assertThat(registry)
                .hasObservationWithNameEqualTo(DefaultEmbeddingModelObservationConvention.DEFAULT_NAME)
                .that()
                .hasContextualNameEqualTo("own name");
    }

    @Test
    void failuresAreObservedToo() {
        TestObservationRegistry registry = TestObservationRegistry.create();
        BiEncoder closed = BiEncoder.of(BuiltInModel.MODEL, BiEncoderOptions.DEFAULT);
        EmbeddingModel model =
                SgptEmbeddingModel.builder(closed).observationRegistry(registry).build();
        closed.close();
        assertThrows(IllegalStateException.class, () -> model.embed(TEXT));
        TestObservationRegistryAssert.assertThat(registry)
                .hasObservationWithNameEqualTo(DefaultEmbeddingModelObservationConvention.DEFAULT_NAME)
                .that()
                .hasError()
                .hasBeenStopped();
    }

    @Test
    void theModelIsNamedAfterItsFolderUnlessToldOtherwise() {
        assertEquals(
                BuiltInModel.MODEL.directory().getFileName().toString(),
                SgptEmbeddingModel.builder(ENCODER).build().name());
    }
}
