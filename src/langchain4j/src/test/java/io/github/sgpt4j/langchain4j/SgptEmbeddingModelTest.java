package io.github.sgpt4j.langchain4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.request.EmbeddingInputType;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.langchain4j.model.embedding.response.EmbeddingResponse;
import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.BiEncoderOptions;
import io.github.sgpt4j.ModelOptions;
import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.nano.NanoModel;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class SgptEmbeddingModelTest {
    private static final String TEXT = "a morbid fear of spiders";
    private static final String LONG = "spiders and bakeries ".repeat(300);

    private static BiEncoder encoder;
    private static SgptEmbeddingModel model;

    @BeforeAll
    static void open() {
        encoder = NanoModel.open();
        model = SgptEmbeddingModel.of(encoder);
    }

    @AfterAll
    static void close() {
        encoder.close();
    }

    private static float[] vector(EmbeddingModel of, EmbeddingRequest request) {
        return of.embed(request).embeddings().getFirst().vector();
    }

    private static EmbeddingRequest.Builder request() {
        return EmbeddingRequest.builder().input(TEXT);
    }

    @Test
    void aTextIsWhatTheRequestSays() {
        float[] query = encoder.embedQuery(TEXT);
        float[] document = encoder.embedDocument(TEXT);
        EmbeddingRequest ofQuery = request().inputType(EmbeddingInputType.QUERY).build();
        EmbeddingRequest ofDocument =
                request().inputType(EmbeddingInputType.DOCUMENT).build();
        for (EmbeddingModel any : List.of(model, model.forQueries(), model.forDocuments())) {
            assertArrayEquals(query, vector(any, ofQuery));
            assertArrayEquals(document, vector(any, ofDocument));
        }
    }

    @Test
    void aTextIsOtherwiseWhatTheModelAssumes() {
        SgptEmbeddingModel built = SgptEmbeddingModel.builder()
                .encoder(encoder)
                .inputType(EmbeddingInputType.DOCUMENT)
                .build();
        assertArrayEquals(encoder.embed(TEXT), vector(model, request().build()));
        assertArrayEquals(
                encoder.embedQuery(TEXT), vector(model.forQueries(), request().build()));
        assertArrayEquals(
                encoder.embedDocument(TEXT),
                vector(model.forDocuments(), request().build()));
        assertArrayEquals(encoder.embedDocument(TEXT), vector(built, request().build()));
        assertArrayEquals(
                encoder.embedQuery(TEXT),
                model.forQueries().embed(TEXT).content().vector());
        List<Embedding> all = model.forDocuments()
                .embedAll(List.of(TextSegment.from(TEXT), TextSegment.from("bread")))
                .content();
        assertArrayEquals(encoder.embedDocument("bread"), all.getLast().vector());
    }

    @Test
    void countsTokensOfTheWholeRequest() {
        EmbeddingResponse response = model.embed(EmbeddingRequest.builder()
                .inputs(TEXT, "bread")
                .inputType(EmbeddingInputType.QUERY)
                .build());
        int expected = encoder.tokenize(TEXT, TextKind.QUERY).length + encoder.tokenize("bread", TextKind.QUERY).length;
        assertEquals(expected, response.metadata().tokenUsage().inputTokenCount());
        assertEquals(
                NanoModel.directory().getFileName().toString(),
                response.metadata().modelName());
    }

    @Test
    void keepsAsManyNumbersAsAsked() {
        try (BiEncoder narrow = BiEncoder.of(encoder.model(), BiEncoderOptions.DEFAULT.withDimensions(10))) {
            assertArrayEquals(
                    narrow.embed(TEXT), vector(model, request().dimensions(10).build()));
        }
        assertArrayEquals(
                encoder.embed(TEXT),
                vector(model, request().dimensions(encoder.dimension()).build()));
        for (int wrong : new int[] {0, -1, encoder.dimension() + 1}) {
            UnsupportedFeatureException e = assertThrows(
                    UnsupportedFeatureException.class,
                    () -> model.embed(request().dimensions(wrong).build()));
            assertEquals(
                    "dimensions: expected 1 to 256, as the model %s has no more, got %d"
                            .formatted(model.modelName(), wrong),
                    e.getMessage());
        }
    }

    @Test
    void refusesTheNameOfAnotherModel() {
        UnsupportedFeatureException e = assertThrows(
                UnsupportedFeatureException.class,
                () -> model.embed(request().modelName("other").build()));
        assertTrue(e.getMessage().contains("modelName"), e::getMessage);
    }

    @Test
    void tellsOfTextsThatWereCut() {
        try (LoggedWarnings log = LoggedWarnings.watch()) {
            model.forDocuments().embedAll(List.of(TextSegment.from(LONG), TextSegment.from(TEXT)));
            int tokens = encoder.embeddings(List.of(LONG), TextKind.DOCUMENT, (done, total) -> {})
                    .getFirst()
                    .uncutTokens();
            assertEquals(
                    List.of("documents truncated to 256 tokens: 1 of 2; the longest had %,d".formatted(tokens)),
                    log.messages());
            model.embed(TEXT);
            assertEquals(1, log.messages().size());
        }
    }

    @Test
    void refusesTextsThatWouldBeCutIfToldSo() {
        try (SgptEmbeddingModel strict = SgptEmbeddingModel.builder()
                .builtInModel()
                .modelOptions(ModelOptions.DEFAULT.withDevice("cpu"))
                .options(BiEncoderOptions.DEFAULT.withTruncate(false))
                .build()) {
            assertThrows(FormatException.class, () -> strict.embed(LONG));
        }
    }

    @Test
    void textsOfTheStatedLengthAreNotCut() {
        SgptEmbeddingModel documents = model.forDocuments();
        String text = "fear ".repeat(documents.maxTextTokens()).strip();
        assertEquals(documents.maxTextTokens(), documents.tokenCountEstimator().estimateTokenCountInText(text));
        try (LoggedWarnings log = LoggedWarnings.watch()) {
            documents.embed(text);
            assertEquals(List.of(), log.messages());
            documents.embed(text + " fear");
            assertEquals(1, log.messages().size());
        }
    }

    @Test
    void opensAFolderOrAName() {
        for (SgptEmbeddingModel.Builder builder : List.of(
                SgptEmbeddingModel.builder().directory(NanoModel.directory()),
                SgptEmbeddingModel.builder().modelName(NanoModel.directory().toString()),
                SgptEmbeddingModel.builder().builtInModel())) {
            SgptEmbeddingModel opened = builder.build();
            assertArrayEquals(encoder.embed(TEXT), opened.embed(TEXT).content().vector());
            assertEquals(encoder.dimension(), opened.dimension());
            opened.close();
            assertThrows(IllegalStateException.class, () -> opened.embed(TEXT));
            assertThrows(
                    IllegalStateException.class, () -> opened.encoder().model().info());
        }
        assertThrows(FormatException.class, SgptEmbeddingModel.builder().modelName("no/such/model")::build);
        assertThrows(UncheckedIOException.class, SgptEmbeddingModel.builder().modelName("\0")::build);
    }

    @Test
    void aBorrowedEncoderStaysOpen() {
        SgptEmbeddingModel.of(encoder).close();
        model.forQueries().close();
        assertEquals(encoder.dimension(), model.embed(TEXT).content().dimension());
    }

    @Test
    void exactlyOneModelIsChosen() {
        assertMessage(
                "model: expected one of directory, modelName, builtInModel and encoder, got none",
                SgptEmbeddingModel.builder()::build);
        assertMessage(
                "model: expected one of directory, modelName, builtInModel and encoder, got encoder and directory",
                () -> SgptEmbeddingModel.builder().encoder(encoder).directory(Path.of("x")));
        assertMessage(
                "options: expected none beside an encoder that is already open, got some",
                () -> SgptEmbeddingModel.builder()
                        .encoder(encoder)
                        .options(BiEncoderOptions.DEFAULT)
                        .build());
        assertMessage(
                "modelOptions: expected none beside an encoder that is already open, got some",
                () -> SgptEmbeddingModel.builder()
                        .encoder(encoder)
                        .modelOptions(ModelOptions.DEFAULT)
                        .build());
    }

    private static void assertMessage(String expected, Runnable call) {
        assertEquals(
                expected,
                assertThrows(IllegalArgumentException.class, call::run).getMessage());
    }
}
