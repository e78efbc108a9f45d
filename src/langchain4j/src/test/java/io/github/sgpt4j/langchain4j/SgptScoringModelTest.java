package io.github.sgpt4j.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.rag.content.Content;
import dev.langchain4j.rag.content.ContentMetadata;
import dev.langchain4j.rag.content.aggregator.ReRankingContentAggregator;
import dev.langchain4j.rag.query.Query;
import io.github.sgpt4j.CrossEncoder;
import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.nano.NanoModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class SgptScoringModelTest {
    private static final String QUERY = "fear of spiders";
    private static final List<String> TEXTS =
            List.of("a place where bread is made", "a morbid fear of spiders", "eight legs");

    private static CrossEncoder encoder;
    private static SgptScoringModel model;

    @BeforeAll
    static void open() {
        encoder = CrossEncoder.open(NanoModel.directory());
        model = SgptScoringModel.of(encoder);
    }

    @AfterAll
    static void close() {
        encoder.close();
    }

    private static List<TextSegment> segments() {
        return TEXTS.stream().map(TextSegment::from).toList();
    }

    @Test
    void scoresInTheOrderOfTheTexts() {
        List<CrossEncoder.Score> expected = encoder.score(QUERY, TEXTS);
        Response<List<Double>> response = model.scoreAll(segments(), QUERY);
        assertEquals(expected.stream().map(score -> (double) score.value()).toList(), response.content());
        assertEquals(
                expected.stream().mapToInt(CrossEncoder.Score::inputTokens).sum(),
                response.tokenUsage().inputTokenCount());
        assertEquals(response.content().get(1), model.score(TEXTS.get(1), QUERY).content());
    }

    @Test
    void noTextsHaveNoScores() {
        Response<List<Double>> response = model.scoreAll(List.of(), QUERY);
        assertEquals(List.of(), response.content());
        assertEquals(0, response.tokenUsage().inputTokenCount());
    }

    @Test
    void reRanksContentsOfRetrievers() {
        List<Integer> expected = encoder.rank(QUERY, TEXTS).stream()
                .map(CrossEncoder.Ranked::index)
                .toList();
        List<Content> contents = TEXTS.stream().map(Content::from).toList();
        List<Content> reRanked = ReRankingContentAggregator.builder()
                .scoringModel(model)
                .build()
                .aggregate(Map.of(Query.from(QUERY), List.of(contents)));
        assertEquals(
                expected.stream().map(TEXTS::get).toList(),
                reRanked.stream().map(content -> content.textSegment().text()).toList());
        assertEquals(
                (double) encoder.rank(QUERY, TEXTS).getFirst().score(),
                reRanked.getFirst().metadata().get(ContentMetadata.RERANKED_SCORE));
    }

    @Test
    void tellsOfTextsThatWereCut() {
        try (LoggedWarnings log = LoggedWarnings.watch()) {
            String text = "spiders and bakeries ".repeat(1000);
            int uncut = encoder.score(QUERY, List.of(text)).getFirst().uncutTokens();
            model.scoreAll(List.of(TextSegment.from(text), TextSegment.from("bread")), QUERY);
            assertEquals(
                    List.of("pairs of document and query truncated to %,d tokens: 1 of 2; the longest had %,d"
                            .formatted(encoder.maxLength(), uncut)),
                    log.messages());
        }
    }

    @Test
    void opensAModelWithOptionsAndClosesIt() {
        SgptScoringModel opened = SgptScoringModel.builder()
                .builtInModel()
                .options(CrossEncoderOptions.DEFAULT.withMaxLength(20).withTruncate(false))
                .build();
        assertThrows(FormatException.class, () -> opened.score("bread ".repeat(30), QUERY));
        opened.close();
        assertThrows(IllegalStateException.class, () -> opened.scoreAll(segments(), QUERY));
        SgptScoringModel.of(encoder).close();
        assertEquals(TEXTS.size(), model.scoreAll(segments(), QUERY).content().size());
    }

    /// A re-ranker that answers with a token: the reference's scores.
    @Test
    void aReRankerGivesItsOwnScores() throws IOException {
        Path golden = Path.of("../engine/src/test/resources/goldens-decoders/models/qwen3-rr-st");
        JsonNode expected =
                new JsonMapper().readTree(golden.resolve("expected.json").toFile());
        List<TextSegment> documents = expected.get("documents")
                .valueStream()
                .map(text -> TextSegment.from(text.textValue()))
                .toList();
        try (CrossEncoder reRanker = CrossEncoder.open(golden)) {
            List<Double> scores = SgptScoringModel.of(reRanker)
                    .scoreAll(documents, expected.get("queries").get(0).textValue())
                    .content();
            for (int i = 0; i < scores.size(); i++) {
                assertEquals(expected.get("scores").get(0).get(i).doubleValue(), scores.get(i), 1e-5);
            }
        }
    }
}
