package io.github.sgpt4j.cli.search.interactive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.Similarity;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.retrieval.Hit;
import io.github.sgpt4j.retrieval.SearchMode;
import io.github.sgpt4j.retrieval.SearchOptions;
import io.github.sgpt4j.retrieval.corpus.Document;
import io.github.sgpt4j.retrieval.filter.Filter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What is answered to lines typed at the prompt.
class SearchSessionTest {
    private static final String LONG =
            "Bread is made of flour. ".repeat(30) + "A spider has eight legs.\n\u001b[2Jdone";

    private final List<String> asked = new ArrayList<>();
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    /// Finds the same two documents for every query.
    private final class Fixed implements InteractiveSearch {
        @Override
        public SearchOptions options() {
            return SearchOptions.DEFAULT;
        }

        @Override
        public List<Hit> search(String query, SearchOptions options) {
            asked.add("%s %s %d %s"
                    .formatted(
                            query,
                            options.mode(),
                            options.limit(),
                            options.filter().isPresent()));
            return List.of(
                    hit(new Document("a", Optional.of("On spiders"), LONG), 0.75f),
                    hit(Document.of("b", "water"), 0.5f));
        }

        private static Hit hit(Document document, float score) {
            return new Hit(document, score, Optional.of(score), Optional.of(2 * score), Optional.empty());
        }

        @Override
        public Optional<String> refusal(SearchMode mode, boolean rerank) {
            return rerank ? Optional.of("no re-ranker") : Optional.empty();
        }

        @Override
        public List<String> notices(Filter filter) {
            return List.of("no document has the name \"yaer\"");
        }

        @Override
        public Similarity similarity() {
            return Similarity.COSINE;
        }
    }

    private String answers(String... lines) throws IOException {
        Iterator<String> typed = List.of(lines).iterator();
        PrintStream err = new PrintStream(said, true, StandardCharsets.UTF_8);
        Console console =
                new Console(InputStream.nullInputStream(), OutputStream.nullOutputStream(), err, 60, false, Map.of());
        new SearchSession(new Fixed(), console, (query, hits, columns) -> err.println(query + ": " + hits.size()))
                .answer(new TypedLines() {
                    @Override
                    public Optional<String> next() {
                        return typed.hasNext() ? Optional.of(typed.next()) : Optional.empty();
                    }

                    @Override
                    public int columns() {
                        return 60;
                    }

                    @Override
                    public void close() {}
                });
        return said.toString(StandardCharsets.UTF_8);
    }

    @Test
    void settingsHoldForTheQueriesThatFollowAndForTheLastOne() throws IOException {
        answers("spiders", ":k 3", ":mode hybrid", ":where yaer = 1", ":where off", "", ":quit", "never");
        assertEquals(
                List.of(
                        "spiders DENSE 10 false",
                        "spiders DENSE 3 false",
                        "spiders HYBRID 3 false",
                        "spiders HYBRID 3 true",
                        "spiders HYBRID 3 false"),
                asked);
        assertTrue(said.toString(StandardCharsets.UTF_8).contains("no document has the name \"yaer\""));
    }

    @Test
    void whatCannotBeDoneIsSaidAndChangesNothing() throws IOException {
        String said = answers(":rerank 20", ":open 1", "q", ":open 3", ":k 0", ":nonsense", ":mode x", ":where (");
        assertEquals(List.of("q DENSE 10 false"), asked);
        for (String sentence : List.of(
                "no re-ranker",
                "nothing was found yet",
                "expected a rank from 1 to 2, got 3",
                ":k: expected a whole number of at least 1, got \"0\"",
                "expected one of :help",
                ":mode: expected dense, bm25 or hybrid, got \"x\"",
                ":where: ")) {
            assertTrue(said.contains(sentence), sentence + " in " + said);
        }
    }

    @Test
    void aDocumentIsShownWholeWithinTheColumnsAndWithoutControlCharacters() throws IOException {
        String said = answers("spider legs", ":open 1");
        assertTrue(said.contains("On spiders\n"), said);
        assertTrue(said.contains("done\n"), said);
        assertFalse(said.contains("\u001b"), said);
        assertTrue(said.lines().allMatch(line -> line.length() <= 60), said);
        String text = said.substring(said.indexOf("On spiders")).replaceAll("\\s+", " ");
        assertTrue(text.contains("flour. A spider has eight legs."), text);
    }

    @Test
    void whyTellsBothPartsOfAScore() throws IOException {
        String said = answers("spider legs", ":why 1", ":why 2");
        assertTrue(said.contains("rank 1 of a search by meaning, score 0.7500"), said);
        assertTrue(said.contains("by meaning: cosine 0.7500"), said);
        assertTrue(said.contains("by words: BM25 1.5000; in it are legs, spider, spiders"), said);
        assertTrue(said.contains("none of the query's words are in it"), said);
    }

    @ParameterizedTest
    @CsvSource({
        "':q', Quit",
        "' :QUIT ', Quit",
        "':help', Help",
        "':h', Help",
        "'   ', Nothing",
        "':k 5', Count",
        "':k', Wrong",
        "':k five', Wrong",
        "':open 99999999999', Wrong",
        "':mode', Mode",
        "':where', Where",
        "':where year = 2020', Where",
        "'a :k 5', Query",
        "':rerank off', Rerank",
        "':', Wrong"
    })
    void linesAreRead(String line, String kind) {
        assertEquals(kind, Request.of(line).getClass().getSimpleName());
    }
}
