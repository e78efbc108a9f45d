package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.retrieval.filter.Filter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Metadata of documents on the command line: `sgpt index --metadata-fields`, `sgpt search --where`, and results.
class MetadataCommandsTest {
    private static final String METADATA =
            "{\"lang\":\"en\",\"count\":9007199254740993,\"part\":1.0,\"tags\":[\"a\",\"b\"],"
                    + "\"free\":true,\"year\":2019}";
    private static final String CORPUS = """
            {"_id": "s", "title": "arachnophobia", "text": "a morbid fear of spiders", "year": 2019, "metadata":\
             {"lang": "en", "count": 9007199254740993, "part": 1.0, "tags": ["a", "b"], "free": true}}
            {"_id": "t", "title": "thermometer", "text": "a place to read the temperature", "year": 2021,\
             "metadata": {"lang": "de"}}
            {"_id": "b", "title": "bakery", "text": "a place where bread is made", "year": 2022}
            {"_id": "n", "title": "nothing", "text": "a place without a year"}
            """;

    @TempDir
    private Path folder;

    private String corpus;
    private String index;

    @BeforeEach
    void writeCorpus() throws IOException {
        corpus = Files.writeString(folder.resolve("corpus.jsonl"), CORPUS).toString();
        index = folder.resolve("index").toString();
    }

    private Cli.Result index(String... options) {
        return run(List.of("index", "--corpus", corpus, "--index", index), options);
    }

    private static Cli.Result run(List<String> start, String... more) {
        List<String> arguments = new ArrayList<>(start);
        arguments.addAll(List.of(more));
        return Cli.run(arguments.toArray(String[]::new));
    }

    /// Searches the corpus with its keys as metadata.
    private Cli.Result memory(String... options) {
        return run(List.of("search", "--corpus", corpus, "--metadata-fields", "year"), options);
    }

    private Cli.Result disk(String... options) {
        return run(List.of("search", "--index", index), options);
    }

    private static Set<String> ids(Cli.Result result) {
        return scores(result).keySet();
    }

    private static Map<String, Double> scores(Cli.Result result) {
        return result.lines().stream()
                .collect(Collectors.toMap(
                        hit -> hit.get("id").asText(), hit -> hit.get("score").asDouble()));
    }

    @Test
    void everyWayToSearchFindsOnlyWhatFits() {
        assertEquals(0, index("--metadata-fields", "year").code());
        Map<String, Set<String>> accepted = Map.of(
                "year >= 2020", Set.of("t", "b"),
                "year < 2020 or lang = 'de'", Set.of("s", "t"),
                "not year >= 2020", Set.of("s", "n"),
                "count = 9007199254740993", Set.of("s"),
                "count > 9007199254740993", Set.of());
        List<List<String>> ways =
                List.of(List.of(), List.of("--exact"), List.of("--mode", "bm25"), List.of("--mode", "hybrid"));
        accepted.forEach((where, ids) -> {
            String[] search = {"--format", "jsonl", "--where", where, "place spiders"};
            for (List<String> way : ways) {
                assertEquals(
                        ids,
                        ids(run(List.of("search", "--index", index), with(way, search))),
                        () -> where + " with " + way);
            }
            assertEquals(ids, ids(memory(search)), where);
        });
    }

    private static String[] with(List<String> first, String... more) {
        List<String> all = new ArrayList<>(first);
        all.addAll(List.of(more));
        return all.toArray(String[]::new);
    }

    @Test
    void scoresAreThoseOfASearchWithoutTheFilter() {
        index("--metadata-fields", "year");
        String[] search = {"--format", "jsonl", "spiders"};
        String[] filtered = with(List.of("--where", "year != 2021"), search);
        for (Cli.Result[] pair : new Cli.Result[][] {
            {memory(search), memory(filtered)}, {disk(search), disk(filtered)},
        }) {
            Map<String, Double> expected = new HashMap<>(scores(pair[0]));
            expected.remove("t");
            Map<String, Double> found = scores(pair[1]);
            assertEquals(expected.keySet(), found.keySet());
            found.forEach((id, score) -> assertEquals(expected.get(id), score, 1e-5, id));
        }
    }

    @Test
    void aFilterHoldsForTheFirstResultsThatAreReRanked() {
        index("--metadata-fields", "year");
        String[] search = {
            "--format", "jsonl", "--quiet", "--force", "--rerank", "1", "--where", "year >= 2020", "spiders"
        };
        for (Cli.Result result : List.of(memory(search), disk(search))) {
            List<JsonNode> lines = result.lines();
            assertEquals(Set.of("t", "b"), ids(result));
            assertTrue(lines.getFirst().has("rerank_score"));
            assertFalse(lines.getLast().has("rerank_score"));
        }
    }

    @Test
    void jsonHasMetadataExactlyAndOnlyIfThereAreSome() {
        index("--metadata-fields", "year");
        for (Cli.Result result :
                List.of(memory("--format", "jsonl", "spiders"), disk("--format", "jsonl", "--exact", "spiders"))) {
            assertEquals(4, result.lines().size());
            List<String> lines = result.text().lines().toList();
            assertTrue(
                    lines.stream()
                            .anyMatch(line -> line.contains("spiders\",\"metadata\":" + METADATA + ",\"score\":")),
                    result.text());
            lines.stream()
                    .filter(line -> line.contains("\"id\":\"n\""))
                    .forEach(line -> assertFalse(line.contains("\"metadata\""), line));
        }
    }

    @Test
    void theTableHasALineOfMetadataThatFits() throws IOException {
        Files.writeString(
                Path.of(corpus),
                "{\"_id\": \"1\", \"text\": \"x\", \"metadata\": {\"a\": \"%s\", \"b\": 1}}\n"
                                .formatted("long ".repeat(100))
                        + "{\"_id\": \"2\", \"text\": \"x\", \"metadata\": {\"year\": 2021, \"of\": \"2021\", \"tags\": [\"a\", \"b\\nc\"]}}\n"
                        + "{\"_id\": \"3\", \"text\": \"x\"}\n");
        List<String> lines = run(List.of("search", "--corpus", corpus, "x"))
                .text()
                .lines()
                .map(String::strip)
                .toList();
        assertEquals(7, lines.size(), lines::toString);
        assertTrue(lines.get(3).startsWith("a=\"long long") && lines.get(3).endsWith("…"), lines.get(3));
        assertEquals(
                Set.of(true), lines.stream().map(line -> line.length() <= 100).collect(Collectors.toSet()));
        assertEquals("year=2021, of=\"2021\", tags=[\"a\", \"b c\"]", lines.get(5));
    }

    @ParameterizedTest
    @ValueSource(strings = {"year >", "", "year => 2", "date > 2024-05", "x = 'open", "free > true", "in (1)"})
    void aFilterThatIsNoneIsWrongUsage(String where) {
        String expected = String.valueOf(assertThrows(IllegalArgumentException.class, () -> Filter.parse(where))
                .getMessage());
        for (List<String> start : List.of(
                List.of("search", "--corpus", corpus), List.of("search", "--index", index), List.of("search"))) {
            String line = run(start, "--where", where, "x").failure(2);
            assertTrue(line.contains("--where") && line.contains(expected), line);
        }
    }

    @Test
    void namesThatNoDocumentHasAreTold() {
        index();
        String where = "yaer > 2020 or lang = 'en' or `day of week` = 1";
        Map<String, List<String>> searches = Map.of(
                corpus,
                List.of("search", "--corpus", corpus),
                index,
                List.of("search", "--index", index),
                "demo corpus",
                List.of("search"));
        searches.forEach((name, start) -> {
            String names =
                    name.equals("demo corpus") ? "\"day of week\", \"lang\", \"yaer\"" : "\"day of week\", \"yaer\"";
            String expected = name + ": no document has metadata named " + names;
            assertEquals(
                    "sgpt: " + expected + "\n",
                    run(start, "--where", where, "spiders").err());
            Cli.Result quiet = run(start, "--quiet", "--where", where, "spiders");
            assertEquals(0, quiet.code());
            assertEquals("", quiet.err());
            assertEquals(
                    expected + " (an error with --strict)",
                    run(start, "--strict", "--where", where, "spiders").failure(1));
        });
        assertEquals("", disk("--where", "lang = 'en'", "spiders").err());
    }

    @Test
    void valuesOfAnotherKindAreToldOncePerSearch() {
        index("--metadata-fields", "year");
        String told = ": metadata \"year\": expected a number, as documents have, got a string in the filter;"
                + " numbers stand without quotes";
        String[] search = {"--where", "year = '2019'", "spiders"};
        assertEquals("sgpt: " + index + told + "\n", disk(search).err());
        assertEquals("sgpt: " + corpus + told + "\n", memory(search).err());
        Cli.Result several =
                Cli.runWithInput("spiders\nbread\n", "search", "--index", index, "--where", "year = '2019'");
        assertEquals("sgpt: " + index + told + "\n", several.err());
        assertEquals(
                index + told + " (an error with --strict)",
                disk(with(List.of("--strict"), search)).failure(1));
        assertEquals("", memory("--where", "year = 2019", "spiders").err());
    }

    @Test
    void theDemoCorpusIsFilteredToo() {
        assertEquals(
                Cli.run("search", "--format", "jsonl", "bread").text(),
                Cli.run("search", "--format", "jsonl", "--where", "year != 1", "bread")
                        .text());
        Cli.Result none = Cli.run("search", "--where", "year = 1", "bread");
        assertEquals(0, none.code(), none.err());
        assertEquals("bread\n\nnothing found\n", none.text());
    }

    @Test
    void aFilterHoldsForEveryQueryAtThePrompt() {
        index("--metadata-fields", "year");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Console terminal = new Console(
                new ByteArrayInputStream("spiders\nbread\n".getBytes(StandardCharsets.UTF_8)),
                out,
                new PrintStream(err, true, StandardCharsets.UTF_8),
                0,
                true,
                Map.of());
        String[] search = {"search", "--index", index, "--format", "jsonl", "--where", "year < 2020 and yaer != 1"};
        assertEquals(0, Main.run(terminal, search));
        List<JsonNode> found =
                out.toString(StandardCharsets.UTF_8).lines().map(Cli::parse).toList();
        assertEquals(
                List.of("s", "s"),
                found.stream().map(hit -> hit.get("id").asText()).toList());
        String told = err.toString(StandardCharsets.UTF_8);
        assertEquals(
                1,
                Arrays.stream(told.split("no document has metadata named", -1)).count() - 1,
                told);
    }

    @Test
    void namedKeysAreReadAndOthersAreNot() {
        assertEquals(0, index().code());
        assertEquals(Set.of(), ids(disk("--format", "jsonl", "--where", "year > 0", "spiders")));
        String changed = index("--metadata-fields", "year").err();
        assertTrue(changed.contains(" 3 replaced, 1 unchanged, 0 removed; 0 texts embedded"), changed);
        assertEquals(Set.of("s", "t", "b"), ids(disk("--format", "jsonl", "--where", "year > 0", "spiders")));
    }

    @Test
    void keysThatAreNotNamedAgainAreTold() throws IOException {
        assertFalse(index("--metadata-fields", "lang_, year").err().contains("had metadata"));
        assertFalse(index("--metadata-fields", "year").err().contains("had metadata"));
        String told = "sgpt: " + index + ": 3 documents had metadata named \"year\", now 0 have; if it is a key beside"
                + " \"text\", name it each time with --metadata-fields";
        String without = index().err();
        assertTrue(without.lines().toList().contains(told), without);
        assertFalse(without.contains("\"lang\""), without);
        assertFalse(index().err().contains("had metadata"));
        // Documents that are removed lose nothing.
        index("--metadata-fields", "year");
        Files.writeString(Path.of(corpus), CORPUS.lines().findFirst().orElseThrow() + "\n");
        String removed = index("--metadata-fields", "year", "--remove-missing").err();
        assertFalse(removed.contains("had metadata"), removed);
    }

    @Test
    void namesOfKeysMayHaveSpacesAroundThem() {
        assertEquals(0, index("--metadata-fields", " year , lang2").code());
        assertEquals(Set.of("s", "t", "b"), ids(disk("--format", "jsonl", "--where", "year > 0", "spiders")));
        assertTrue(index("--metadata-fields", "year, ").failure(2).contains("expected a name, got an empty one"));
    }

    @Test
    void keysThatNoDocumentHasAreTold() {
        String expected = index + ": no document has metadata named \"yaer\"";
        Cli.Result result = index("--metadata-fields", "year,yaer");
        assertEquals(0, result.code());
        assertEquals(expected, result.err().lines().toList().getLast().substring("sgpt: ".length()));
        Cli.Result strict = index("--metadata-fields", "year,yaer", "--strict", "--quiet");
        assertEquals(expected + " (an error with --strict)", strict.failure(1));
        assertEquals(
                "sgpt: " + corpus + ": no document has metadata named \"yaer\"\n",
                run(List.of("search", "--corpus", corpus, "--metadata-fields", "yaer", "spiders"))
                        .err());
    }

    @Test
    void keysAreRefusedWhereTheyHaveNoEffect() throws IOException {
        Path text = Files.writeString(folder.resolve("corpus.txt"), "spiders\n");
        Path texts = Files.createDirectory(folder.resolve("texts"));
        Files.writeString(texts.resolve("a.txt"), "spiders");
        String expected = "--metadata-fields: " + text
                + ": expected JSON Lines, whose objects may have the key \"year\", got plain text";
        for (String[] command : new String[][] {
            {"index", "--corpus", text.toString(), "--index", index, "--metadata-fields", "year,lang"},
            {"search", "--corpus", text.toString(), "--metadata-fields", "year,lang", "x"},
        }) {
            String line = Cli.run(command).failure(2);
            assertTrue(line.startsWith(expected), line);
        }
        assertFalse(Files.exists(Path.of(index)));
        // In a directory, other files may have them.
        String said = Cli.run("search", "--corpus", texts.toString(), "--metadata-fields", "year", "x")
                .err();
        assertTrue(said.contains("no document has metadata named \"year\""), said);
        for (String[] command : new String[][] {
            {"search", "--index", index, "--metadata-fields", "year", "x"},
            {"search", "--metadata-fields", "year", "x"},
        }) {
            String line = Cli.run(command).failure(2);
            assertTrue(line.contains("--metadata-fields has no effect without --corpus"), line);
        }
        for (String names : List.of("", "year,,lang")) {
            assertTrue(
                    index("--metadata-fields", names).failure(2).contains("expected a name, got an empty one"), names);
        }
        String merging = Cli.run("index", "--merge", texts.toString(), "--index", index, "--metadata-fields", "year")
                .failure(2);
        assertTrue(merging.contains("--metadata-fields has no effect with --merge"), merging);
        assertTrue(
                index("--metadata-fields", "year,year").failure(2).contains("expected each name once, got \"year\""));
        String line = index("--metadata-fields", "x".repeat(257)).failure(2);
        assertTrue(line.contains("expected a name of at most 256 characters, got 257"), line);
    }

    @Test
    void aKeyThatIsAlsoWithinMetadataIsAnErrorWithItsLine() throws IOException {
        Files.writeString(Path.of(corpus), "{\"text\": \"x\", \"lang\": \"en\", \"metadata\": {\"lang\": \"de\"}}\n");
        String line = index("--metadata-fields", "lang").failure(1);
        assertTrue(line.contains("corpus.jsonl") && line.contains("either beside \"metadata\" or within"), line);
    }
}
