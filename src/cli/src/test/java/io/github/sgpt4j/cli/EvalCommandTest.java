package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.sgpt4j.cli.output.ScratchFolder;
import io.github.sgpt4j.weightstools.LockedFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EvalCommandTest {
    private static final String USEB = "../retrieval/src/test/resources/useb-small";

    @TempDir
    Path folder;

    private String cache;

    @BeforeEach
    void writeCollections() throws IOException {
        cache = folder.resolve("cache").toString();
        collection(folder.resolve("animals"));
    }

    private static void collection(Path directory) throws IOException {
        Files.createDirectories(directory.resolve("qrels"));
        Files.writeString(directory.resolve("corpus.jsonl"), """
                {"_id": "s", "title": "arachnophobia", "text": "a morbid fear of spiders"}
                {"_id": "t", "title": "thermometer", "text": "an instrument for measuring temperature"}
                {"_id": "b", "title": "bakery", "text": "a place where bread is made or sold"}
                {"_id": "heat", "title": "", "text": "measuring heat"}
                """);
        Files.writeString(directory.resolve("queries.jsonl"), """
                {"_id": "fear", "text": "fear of spiders"}
                {"_id": "heat", "text": "instrument for measuring heat"}
                """);
        Files.writeString(
                directory.resolve("qrels/test.tsv"),
                "query-id\tcorpus-id\tscore\nfear\ts\t2\nheat\tt\t1\nheat\theat\t1\n");
        Files.writeString(directory.resolve("qrels/dev.tsv"), "query-id\tcorpus-id\tscore\nfear\tb\t1\n");
    }

    @Test
    void aDamagedCacheIsToldOnceAndComputedAgain() throws IOException {
        Cli.Result first = data();
        assertEquals(0, first.code(), first.err());
        Path keys;
        try (Stream<Path> files = Files.walk(Path.of(cache))) {
            keys = files.filter(file -> file.endsWith("00000.keys")).findFirst().orElseThrow();
        }
        Files.writeString(keys, "something else entirely");
        Cli.Result second = data();
        assertEquals(first.text(), second.text());
        String told = "sgpt: %s: results kept here are damaged and computed again (".formatted(keys.getParent());
        assertEquals(
                1, second.err().lines().filter(line -> line.startsWith(told)).count(), second.err());
        assertFalse(data().err().contains("damaged"));
        Files.writeString(keys, "something else entirely");
        assertEquals("", data("--quiet").err());
    }

    @Test
    void moreDimensionsThanTheModelHasAreRefused() {
        String data = folder.resolve("animals").toString();
        for (String[] what : List.of(new String[] {"--data", data}, new String[] {"--useb", USEB})) {
            String message = Cli.run("eval", what[0], what[1], "--no-cache", "--dimensions", "99999")
                    .failure(1);
            assertTrue(message.matches("--dimensions: expected 1 to \\d+, .* got 99999"), message);
        }
    }

    @Test
    void indexesThatKilledRunsLeftAreRemoved() throws IOException {
        Path left = Files.createDirectories(Path.of(cache, "bm25-0123456789abcdef"));
        Files.createFile(left.resolve(LockedFolder.LOCK_FILE));
        Files.writeString(left.resolve("x"), "x");
        try (ScratchFolder used = ScratchFolder.in(Path.of(cache), "bm25-")) {
            assertEquals(0, data("--mode", "bm25").code());
            assertFalse(Files.exists(left));
            assertTrue(Files.exists(used.path().getParent()), "a folder in use must stay");
        }
    }

    private Cli.Result data(String... arguments) {
        List<String> all = new ArrayList<>(
                List.of("eval", "--data", folder.resolve("animals").toString(), "--cache", cache));
        all.addAll(List.of(arguments));
        return Cli.run(all.toArray(String[]::new));
    }

    private static JsonNode json(Cli.Result result) {
        assertEquals(0, result.code(), result.err());
        return Cli.parse(result.text());
    }

    private String write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text).toString();
    }

    @Test
    void evaluatesARunMadeElsewhere() throws IOException {
        String run = write("a.run", "q Q0 b 1 2.0 tag\nq Q0 a 2 1.0 tag\nother Q0 a 1 1.0 tag\n");
        String qrels = write("qrels.txt", "q 0 a 1\nmissing 0 a 1\nnone 0 a 0\n");
        Cli.Result result = Cli.run("eval", "--run", run, "--qrels", qrels);
        assertEquals(0, result.code(), result.err());
        assertEquals("""
                %s, 3 queries

                              nDCG       MAP    recall         P
                      @1    0.0000    0.0000    0.0000    0.0000
                      @3    0.2103    0.1667    0.3333    0.1111
                      @5    0.2103    0.1667    0.3333    0.0667
                     @10    0.2103    0.1667    0.3333    0.0333
                    @100    0.2103    0.1667    0.3333    0.0033
                   @1000    0.2103    0.1667    0.3333    0.0003
                     MRR    0.1667
                """.formatted(run), result.text());
        List<String> notices = result.err().lines().toList();
        assertEquals(3, notices.size());
        assertTrue(notices.get(0).endsWith("judged queries without results, which count as 0: 2 (missing, none)"));
        assertTrue(notices.get(1).endsWith("queries without a relevant document, which count as 0: 1 (none)"));
        assertTrue(notices.get(2).endsWith("queries of the run without judgements, which do not count: 1 (other)"));
        assertEquals(
                "", Cli.run("eval", "--run", run, "--qrels", qrels, "--quiet").err());
    }

    @Test
    void reportsEachQueryOnRequest() throws IOException {
        String run = write("a.run", "q Q0 q 1 2.0 tag\nq Q0 a 2 1.0 tag\n");
        String qrels = write("qrels.tsv", "q\ta\t1\n");
        String report = folder.resolve("report.json").toString();
        Cli.Result result =
                Cli.run("eval", "--run", run, "--qrels", qrels, "--cutoffs", "2,1", "--per-query", "--report", report);
        assertEquals(0, result.code(), result.err());
        assertTrue(result.text().startsWith("ndcg_cut_1\tq\t0.0000\nndcg_cut_2\tq\t0.6309\nmap_cut_1"), result.text());
        JsonNode json = Cli.read(Path.of(report));
        assertEquals(1, json.get("queries").intValue());
        assertEquals(0.5, json.get("mean").get("map_cut_2").doubleValue());
        assertEquals(0.5, json.get("per_query").get("q").get("recip_rank").doubleValue());
        assertEquals(9, json.get("mean").size());
        JsonNode dropped =
                json(Cli.run("eval", "--run", run, "--qrels", qrels, "--identical-ids", "drop", "--format", "json"));
        assertEquals(1.0, dropped.get("mean").get("recip_rank").doubleValue());
        assertFalse(dropped.has("per_query"));
    }

    @Test
    void failsWithFileAndLine() throws IOException {
        String run = write("a.run", "q Q0 a 1 1.0 tag\nq Q0 b 2 nan tag\n");
        String qrels = write("qrels.tsv", "q\ta\t1\n");
        assertEquals(
                run + ": line 2: expected a finite number as score, got \"nan\"",
                Cli.run("eval", "--run", run, "--qrels", qrels).failure(1));
        assertEquals(
                qrels + ": line 1: expected query, Q0, document, rank, score and tag, got \"q\\u0009a\\u00091\"",
                Cli.run("eval", "--run", qrels, "--qrels", qrels).failure(1));
    }

    @Test
    void searchesACollectionInEveryMode() {
        for (String mode : List.of("dense", "bm25", "hybrid", "rerank")) {
            JsonNode json = json(data("--mode", mode, "--format", "json", "--per-query"));
            assertEquals(mode, json.get("mode").textValue());
            JsonNode dataset = json.get("datasets").get(0);
            assertEquals("animals", dataset.get("name").textValue());
            assertEquals(2, dataset.get("queries").intValue());
            assertEquals(json.get("average"), dataset.get("mean"));
            assertEquals(!mode.equals("bm25"), json.has("fingerprint"));
            JsonNode query = dataset.get("per_query").get("fear");
            if (!mode.equals("rerank")) {
                assertEquals(1, query.get("ndcg_cut_10").doubleValue(), mode);
            }
            // The document with the query's id is relevant, but left out.
            assertEquals(
                    0.5, dataset.get("per_query").get("heat").get("recall_100").doubleValue(), mode);
        }
    }

    @Test
    void saysWhenBeirsRuleLeavesOutWhatIsRelevant() {
        Cli.Result result = data("--mode", "bm25");
        assertTrue(result.err().contains("among them 1 judged relevant (heat); --identical-ids keep"), result.err());
        JsonNode kept = json(data("--mode", "bm25", "--identical-ids", "keep", "--format", "json"));
        assertEquals(
                1, kept.get("datasets").get(0).get("mean").get("recall_100").doubleValue());
        assertEquals("", data("--mode", "bm25", "--identical-ids", "keep").err());
    }

    @Test
    void reportsNameThePrompt() throws IOException {
        assertTrue(data("--mode", "rerank").text().contains("prompt G, vocabulary model"));
        assertFalse(data("--mode", "bm25").text().contains("prompt"));
        Path prompt = folder.resolve("few.json");
        Files.writeString(
                prompt,
                "{\"prompt\": \"K\", \"vocabulary\": \"tokenizer\", \"example\": {\"document\": \"x\", \"query\": \"y\"}}");
        Path json = folder.resolve("report.json");
        Path page = folder.resolve("report.html");
        String text = data(
                        "--mode",
                        "rerank",
                        "--prompt",
                        prompt.toString(),
                        "--report",
                        json.toString(),
                        "--report",
                        page.toString())
                .text();
        assertTrue(text.contains("prompt K (few.json), vocabulary tokenizer"), text);
        JsonNode report = new ObjectMapper().readTree(json.toFile());
        assertEquals("K (few.json)", report.get("prompt").textValue());
        assertEquals("tokenizer", report.get("vocabulary").textValue());
        assertEquals("Document:\n{}\nQuery:\n", report.get("prompt_text").textValue());
        assertEquals("Document:\nx\nQuery:\ny\n", report.get("prompt_example").textValue());
        assertTrue(Files.readString(page).contains("K (few.json)"));
    }

    @Test
    void keepsEmbeddingsAndScoresUnlessToldNotTo() throws IOException {
        String first = data().text();
        Cli.Result second = data();
        assertEquals(first, second.text());
        assertTrue(second.err().contains("0 texts embedded, 6 found in the cache"), second.err());
        data("--mode", "rerank");
        assertTrue(data("--mode", "rerank").err().contains("sgpt: 0 pairs scored, "));
        try (Stream<Path> entries = Files.list(Path.of(cache))) {
            assertEquals(2, entries.count());
        }
        Cli.Result none = Cli.runWithEnvironment(
                Map.of("XDG_CACHE_HOME", folder.resolve("xdg").toString()),
                "eval",
                "--data",
                folder.resolve("animals").toString(),
                "--no-cache");
        assertEquals(first, none.text());
        assertFalse(Files.exists(folder.resolve("xdg")));
        Cli.runWithEnvironment(
                Map.of("XDG_CACHE_HOME", folder.resolve("xdg").toString()),
                "eval",
                "--data",
                folder.resolve("animals").toString());
        assertTrue(Files.isDirectory(folder.resolve("xdg/sgpt4j/evaluation")));
    }

    @Test
    void aSavedRunEvaluatesToTheSame() {
        String run = folder.resolve("my.run").toString();
        JsonNode searched = json(data("--save-run", run, "--format", "json"));
        JsonNode evaluated = json(Cli.run(
                "eval",
                "--run",
                run,
                "--qrels",
                folder.resolve("animals/qrels/test.tsv").toString(),
                "--format",
                "json"));
        assertEquals(searched.get("datasets").get(0).get("mean"), evaluated.get("mean"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"b c", "", "s"})
    void findsOutFirstWhetherARunHoldsTheIds(String id) throws IOException {
        Files.writeString(
                folder.resolve("animals/corpus.jsonl"),
                "{\"_id\": \"%s\", \"text\": \"bread\"}%n".formatted(id),
                StandardOpenOption.APPEND);
        String run = folder.resolve("my.run").toString();
        String line = data("--save-run", run).failure(1);
        assertTrue(line.contains("animals"), line);
        assertTrue(line.contains(id.equals("s") ? "found \"s\" twice" : "\"" + id + "\""), line);
        assertFalse(Files.exists(Path.of(cache)));
        assertFalse(Files.exists(Path.of(run)));
    }

    @Test
    void tellsWhatWasCutAndRefusesItIfStrict() throws IOException {
        Files.writeString(
                folder.resolve("animals/corpus.jsonl"),
                "{\"_id\": \"long\", \"text\": \"%s\"}%n".formatted("bread ".repeat(600)),
                StandardOpenOption.APPEND);
        Cli.Result result = data();
        assertEquals(0, result.code(), result.err());
        String notice = "documents truncated to 256 tokens: 1 of 5; the longest had 6";
        assertEquals(
                1, result.err().lines().filter(line -> line.contains(notice)).count(), result.err());
        // Results cached by an earlier evaluation are not used.
        Cli.Result strict = data("--strict");
        assertEquals(1, strict.code());
        assertTrue(strict.err().contains("expected at most 256 tokens, got 6"), strict.err());
        assertEquals("", strict.text());
        assertEquals(1, data("--strict").code());
    }

    @Test
    void averagesCollectionsAndForums() throws IOException {
        collection(folder.resolve("stack/android"));
        collection(folder.resolve("stack/english"));
        Files.writeString(folder.resolve("stack/english/qrels/test.tsv"), "fear\tb\t1\n");
        String runs = folder.resolve("runs").toString();
        Cli.Result result = Cli.run(
                "eval",
                "--data",
                folder.resolve("animals").toString(),
                folder.resolve("stack").toString(),
                "--mode",
                "bm25",
                "--save-run",
                runs,
                "--report",
                folder.resolve("report.json").toString(),
                "--quiet");
        assertEquals(0, result.code(), result.err());
        assertEquals("", result.err());
        List<String> lines = result.text().lines().toList();
        assertEquals(6, lines.size());
        assertTrue(lines.get(0).matches(" +queries +nDCG@10 +MAP@100 +recall@100 +P@10 +MRR"), lines.get(0));
        assertTrue(lines.get(1).startsWith("animals "));
        assertTrue(lines.get(2).startsWith("stack   "));
        assertTrue(lines.get(3).startsWith("  android "));
        assertTrue(lines.get(5).startsWith("average "));
        JsonNode json = Cli.read(folder.resolve("report.json"));
        JsonNode stack = json.get("datasets").get(1);
        double mean = stack.get("mean").get("ndcg_cut_10").doubleValue();
        double sum = 0;
        for (JsonNode part : stack.get("parts")) {
            sum += part.get("mean").get("ndcg_cut_10").doubleValue();
        }
        assertEquals(sum / 2, mean, 1e-12);
        double animals =
                json.get("datasets").get(0).get("mean").get("ndcg_cut_10").doubleValue();
        assertEquals(
                (animals + mean) / 2, json.get("average").get("ndcg_cut_10").doubleValue(), 1e-12);
        for (String name : List.of("animals.run", "stack.android.run", "stack.english.run")) {
            assertTrue(Files.exists(Path.of(runs, name)), name);
        }
    }

    @Test
    void takesOtherSplits() {
        JsonNode json = json(data("--split", "dev", "--mode", "bm25", "--format", "json"));
        assertEquals(1, json.get("datasets").get(0).get("queries").intValue());
        assertTrue(data("--split", "train").failure(1).contains("found dev.tsv, test.tsv"));
    }

    @Test
    void givesUsebsFigures() throws IOException {
        String model = Cli.model("gptneo-be");
        JsonNode expected = Cli.read(Path.of(USEB, "expected.json"));
        JsonNode json = json(Cli.run("eval", "--useb", USEB, "-m", model, "--cache", cache, "--format", "json"));
        assertEquals(
                expected.get("results").get("average_of_main").doubleValue(),
                json.get("average_of_main").doubleValue(),
                2e-5);
        assertEquals(
                "map_askubuntu_title",
                json.get("results").get("askubuntu").get("main").textValue());
        Cli.Result table = Cli.run("eval", "--useb", USEB, "-m", model, "--cache", cache, "--split", "valid");
        assertEquals(0, table.code(), table.err());
        assertTrue(table.err().contains("twitterpara has no validation set"), table.err());
        assertTrue(table.text().contains("average of main measures"), table.text());
        assertEquals(
                table.text(),
                Cli.run("eval", "--useb", USEB, "-m", model, "--no-cache", "--split", "dev", "--quiet")
                        .text());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "eval",
                "eval --run a --qrels b --data c",
                "eval --run a",
                "eval --qrels a",
                "eval --run a --qrels b --mode dense",
                "eval --run a --qrels b --save-run c",
                "eval --run a --qrels b --split dev",
                "eval --useb a --depth 5",
                "eval --useb a --per-query",
                "eval --useb a --split train",
                "eval --data a --mode best",
                "eval --data a --cutoffs 0",
                "eval --data a --cutoffs 5,x",
                "eval --data a --report -",
                "eval --data a --identical-ids maybe",
                "eval --data"
            })
    void refusesWrongUsage(String command) {
        Cli.run(command.split(" ")).failure(2);
    }

    @Test
    void findsOutFirstWhetherResultsCanBeWritten() {
        String nowhere = folder.resolve("none/file").toString();
        assertTrue(data("--report", nowhere).failure(1).contains("expected an existing directory"));
        assertTrue(data("--save-run", nowhere).failure(1).contains("expected an existing directory"));
        assertFalse(Files.exists(Path.of(cache)));
    }

    @Test
    void helpShowsHowCutoffsAreGiven() {
        assertTrue(Cli.run("eval", "--help").text().contains("--cutoffs=N[,N...]"));
    }

    @Test
    void leavesNothingBehindWhenCollectionsHaveTheSameName() {
        String collection = folder.resolve("animals").toString();
        Path runs = folder.resolve("runs");
        String[] twice = {
            "eval", "--data", collection, collection, "--mode", "bm25", "--no-cache", "--save-run", runs.toString()
        };
        assertTrue(Cli.run(twice).failure(2).contains("collections with different names"));
        assertFalse(Files.exists(runs));
    }

    @Test
    void saysThatTheCacheIsNoDirectory() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        String line = Cli.run(
                        "eval",
                        "--data",
                        folder.resolve("animals").toString(),
                        "--mode",
                        "bm25",
                        "--cache",
                        file.toString())
                .failure(1);
        assertEquals(
                file + ": exists and is not a directory;"
                        + " --cache DIR stores results elsewhere, --no-cache stores none",
                line);
    }

    @Test
    void anyDepthCanBeAskedFor() {
        for (String mode : List.of("bm25", "hybrid", "rerank")) {
            Cli.Result all = data("--mode", mode, "--depth", "2147483647", "--quiet");
            assertEquals(0, all.code(), all.err());
            assertEquals(data("--mode", mode, "--quiet").text(), all.text());
        }
    }
}
