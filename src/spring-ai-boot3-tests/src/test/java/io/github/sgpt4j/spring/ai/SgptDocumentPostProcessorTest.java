package io.github.sgpt4j.spring.ai;

import static io.github.sgpt4j.spring.ai.BuiltInModel.RE_RANKER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.CrossEncoder;
import java.net.URI;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.ai.content.Media;
import org.springframework.ai.document.ContentFormatter;
import org.springframework.ai.document.Document;
import org.springframework.ai.rag.Query;
import org.springframework.util.MimeTypeUtils;

class SgptDocumentPostProcessorTest {
    private static final Query QUERY = new Query("fear of spiders");
    private static final List<Document> DOCUMENTS = List.of(
            document("bread", "a place where bread is made"),
            document("spiders", "a morbid fear of spiders"),
            document("snakes", "a morbid fear of snakes"));

    private static Document document(String id, String text) {
        return Document.builder()
                .id(id)
                .text(text)
                .metadata(Map.of("name", id))
                .score(0.5)
                .build();
    }

    @Test
    void documentsAreOrderedByTheCrossEncodersScores() {
        List<Document> ranked =
                SgptDocumentPostProcessor.builder(RE_RANKER).build().process(QUERY, DOCUMENTS);
        List<CrossEncoder.Ranked> expected = RE_RANKER.rank(
                QUERY.text(), DOCUMENTS.stream().map(Document::getText).toList());
        assertEquals(3, ranked.size());
        for (int i = 0; i < expected.size(); i++) {
            Document original = DOCUMENTS.get(expected.get(i).index());
            assertEquals(original.getId(), ranked.get(i).getId());
            assertEquals(original.getText(), ranked.get(i).getText());
            assertEquals(original.getMetadata(), ranked.get(i).getMetadata());
            assertEquals((double) expected.get(i).score(), ranked.get(i).getScore());
        }
        assertEquals("spiders", ranked.getFirst().getId());
    }

    @Test
    void onlyTheBestAreReturned() {
        SgptDocumentPostProcessor best =
                SgptDocumentPostProcessor.builder(RE_RANKER).topN(1).build();
        assertEquals(
                List.of("spiders"),
                best.apply(QUERY, DOCUMENTS).stream().map(Document::getId).toList());
        assertEquals(List.of(), best.process(QUERY, List.of()));
        assertThrows(
                IllegalArgumentException.class,
                () -> SgptDocumentPostProcessor.builder(RE_RANKER).topN(0));
    }

    @Test
    void formattersOfDocumentsStay() {
        ContentFormatter formatter = (document, mode) -> "formatted";
        Document document = document("spiders", "a morbid fear of spiders");
        document.setContentFormatter(formatter);
        List<Document> ranked =
                SgptDocumentPostProcessor.builder(RE_RANKER).build().process(QUERY, List.of(document));
        assertSame(formatter, ranked.getFirst().getContentFormatter());
    }

    @Test
    void documentsWithoutTextAreRefused() {
        Media picture = new Media(MimeTypeUtils.IMAGE_PNG, URI.create("https://example.org/spider.png"));
        List<Document> documents = List.of(new Document("7", picture, Map.of()));
        SgptDocumentPostProcessor processor =
                SgptDocumentPostProcessor.builder(RE_RANKER).build();
        assertTrue(assertThrows(IllegalArgumentException.class, () -> processor.process(QUERY, documents))
                .getMessage()
                .contains("document 7"));
    }
}
