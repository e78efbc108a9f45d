package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `sgpt eval` of BEIR's collections: datasets of a hub, splits, averages, first stages of others, pages.
class EvalSourcesTest {
    private static final String CORPUS = """
            {"_id": "s", "title": "arachnophobia", "text": "a morbid fear of spiders"}
            {"_id": "t", "title": "thermometer", "text": "an instrument for measuring temperature"}
            {"_id": "b", "title": "bakery", "text": "a place where bread is made or sold"}
            """;
    private static final String QUERIES = """
            {"_id": "fear", "text": "fear of spiders"}
            {"_id": "heat", "text": "instrument for measuring <script>alert(1)</script> & \\"heat\\""}
            """;
    private static final String TEST = "query-id\tcorpus-id\tscore\nfear\ts\t2\nheat\tt\t1\n";

    @TempDir
    Path folder;

    private ModelServer server;

    @BeforeEach
    void start() throws IOException {
        server = new ModelServer(Cli.GOLDENS.resolve("gptneo-be"));
        server.datasets.put(
                "BeIR/scifact",
                new TreeMap<>(Map.of("corpus.jsonl.gz", gzip(CORPUS), "queries.jsonl.gz", gzip(QUERIES))));
        server.datasets.put("BeIR/scifact-qrels", new TreeMap<>(Map.of("test.tsv", bytes(TEST))));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] gzip(String text) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream packed = new GZIPOutputStream(out)) {
            packed.write(bytes(text));
        }
        return out.toByteArray();
    }

    private Cli.Result eval(String... arguments) {
        return eval(Map.of(), arguments);
    }

    private Cli.Result eval(Map<String, String> more, String... arguments) {
        Map<String, String> environment = new TreeMap<>(Map.of(
                "HF_ENDPOINT",
                server.endpoint(),
                "HF_HOME",
                folder.resolve("hf").toString(),
                "XDG_CACHE_HOME",
                folder.resolve("cache").toString()));
        environment.putAll(more);
        List<String> all = new ArrayList<>(List.of("eval"));
        all.addAll(List.of(arguments));
        return Cli.runWithEnvironment(environment, all.toArray(String[]::new));
    }

    private String collection(String name, String... splits) throws IOException {
        Path directory = folder.resolve(name);
        Files.createDirectories(directory.resolve("qrels"));
        Files.writeString(directory.resolve("corpus.jsonl"), CORPUS);
        Files.writeString(directory.resolve("queries.jsonl"), QUERIES);
        for (String split : splits) {
            Files.writeString(directory.resolve("qrels").resolve(split + ".tsv"), TEST);
        }
        return directory.toString();
    }

    @Test
    void aDatasetOfTheHubIsDownloadedOnce() {
        Cli.Result result = eval("--data", "BeIR/scifact", "--mode", "bm25", "--format", "json");
        assertEquals(0, result.code(), result.err());
        JsonNode dataset = Cli.parse(result.text()).get("datasets").get(0);
        assertEquals("scifact", dataset.get("name").textValue());
        assertEquals("test", dataset.get("split").textValue());
        assertEquals(
                "BeIR/scifact@%1$s, BeIR/scifact-qrels@%1$s".formatted(ModelServer.COMMIT),
                dataset.get("source").textValue());
        assertEquals(1, dataset.get("mean").get("ndcg_cut_10").doubleValue());
        assertTrue(result.err().contains("BeIR/scifact-qrels is not in the cache: downloading it"), result.err());
        int requests = server.requests.size();
        Cli.Result again = eval("--data", "BeIR/scifact", "--mode", "bm25", "--format", "json", "--quiet");
        assertEquals(dataset, Cli.parse(again.text()).get("datasets").get(0));
        assertEquals(requests, server.requests.size());
        assertEquals("", again.err());
        Cli.Result offline = eval(Map.of("HF_HUB_OFFLINE", "1"), "--data", "BeIR/scifact", "--mode", "bm25", "--quiet");
        assertEquals(0, offline.code(), offline.err());
    }

    @Test
    void whatIsNeitherFolderNorDatasetIsToldAsBoth() {
        String message =
                eval("--data", "BeIR/no-such", "--mode", "bm25", "--quiet").failure(1);
        assertTrue(message.contains("there is no such dataset"), message);
        assertTrue(message.endsWith("; nor is there a folder BeIR/no-such"), message);
    }

    @Test
    void forumsAreDatasetsOfTheirOwn() throws IOException {
        for (String forum : List.of(
                "android",
                "english",
                "gaming",
                "gis",
                "mathematica",
                "physics",
                "programmers",
                "stats",
                "tex",
                "unix",
                "webmasters",
                "wordpress")) {
            server.datasets.put(
                    "mteb/cqadupstack-" + forum,
                    new TreeMap<>(Map.of(
                            "corpus.jsonl",
                            bytes(CORPUS),
                            "queries.jsonl",
                            bytes(QUERIES),
                            "qrels/test.tsv",
                            bytes(TEST))));
        }
        Cli.Result result =
                eval("--data", "mteb/cqadupstack", "BeIR/scifact", "--mode", "bm25", "--format", "json", "--quiet");
        assertEquals(0, result.code(), result.err());
        JsonNode report = Cli.parse(result.text());
        assertEquals(12, report.get("datasets").get(0).get("parts").size());
        JsonNode all = report.get("beir_averages").get(0);
        assertEquals(16, all.get("missing").size(), all.toString());
    }

    @Test
    void msMarcoIsEvaluatedOnItsDevelopmentSet() throws IOException {
        String msmarco = collection("msmarco", "dev", "train");
        JsonNode report = Cli.parse(
                eval("--data", msmarco, "--mode", "bm25", "--format", "json").text());
        assertEquals("dev", report.get("split").textValue());
        Cli.Result other = eval("--data", msmarco, "--mode", "bm25", "--format", "json", "--split", "train");
        assertEquals("train", Cli.parse(other.text()).get("split").textValue());
        assertTrue(eval("--data", msmarco, "--mode", "bm25", "--split", "test")
                .failure(1)
                .contains("expected judgements of split \"test\" in qrels, found dev.tsv, train.tsv"));
        JsonNode both =
                Cli.parse(eval("--data", msmarco, collection("nq", "test"), "--mode", "bm25", "--format", "json")
                        .text());
        assertFalse(both.has("split"));
        assertEquals("test", both.get("datasets").get(1).get("split").textValue());
    }

    @Test
    void anAverageOfBeirIsShownOnlyIfNothingIsMissing() throws IOException {
        List<String> arguments = new ArrayList<>(List.of("--mode", "bm25", "--quiet", "--data"));
        for (String name : List.of("arguana", "fiqa", "nfcorpus", "scidocs", "scifact", "msmarco")) {
            arguments.add(collection(name, name.equals("msmarco") ? "dev" : "test"));
        }
        Cli.Result result = eval(arguments.toArray(String[]::new));
        assertEquals(0, result.code(), result.err());
        List<String> lines = result.text().lines().toList();
        assertTrue(lines.get(7).startsWith("average of these 6 "), result.text());
        assertTrue(lines.get(8).matches("SGPT's sub-average of 5 +1\\.0000 .*"), result.text());
        assertTrue(
                lines.stream().anyMatch(line -> line.startsWith("BEIR's average of 18: not shown, lacks bioasq, ")),
                result.text());
        assertEquals(12, lines.size(), result.text());
        // Of another split, it would not be BEIR's.
        arguments.remove(arguments.size() - 1);
        arguments.addAll(List.of("--split", "test"));
        assertTrue(eval(arguments.toArray(String[]::new)).text().contains("SGPT's sub-average of 5  "));
        for (String name : List.of("arguana", "fiqa", "nfcorpus", "scidocs", "scifact")) {
            Files.move(
                    folder.resolve(name).resolve("qrels/test.tsv"),
                    folder.resolve(name).resolve("qrels/dev.tsv"));
        }
        arguments.set(arguments.size() - 1, "dev");
        assertFalse(eval(arguments.toArray(String[]::new)).text().contains("SGPT's"));
    }

    @Test
    void cutoffsGoAsFarAsDocumentsAreFound() throws IOException {
        String data = collection("one", "test");
        assertTrue(eval("--data", data, "--mode", "bm25").text().contains("   @1000 "));
        assertFalse(
                eval("--data", data, "--mode", "bm25", "--depth", "500").text().contains("@1000"));
        assertFalse(
                eval("--data", data, "--mode", "rerank", "--rerank", "2").text().contains("@1000"));
        JsonNode deep = Cli.parse(eval("--data", data, "--mode", "bm25", "--cutoffs", "10,2000", "--format", "json")
                .text());
        assertEquals(2000, deep.get("depth").intValue(), "as deep as the largest cutoff");
        assertTrue(eval("--data", data, "--mode", "bm25", "--cutoffs", "2000", "--depth", "1000")
                .failure(2)
                .contains("--cutoffs: expected at most the 1000 documents of --depth, got 2000"));
    }

    @Test
    void aFirstStageOfOthersIsScoredAgain() throws IOException {
        String data = collection("one", "test");
        Path first = Files.writeString(
                folder.resolve("first.run"), "fear Q0 b 1 2 x\nfear Q0 s 2 1 x\nunknown Q0 s 1 1 x\nheat Q0 t 1 1 x\n");
        Path out = folder.resolve("out.run");
        Cli.Result result = eval(
                "--data",
                data,
                "--mode",
                "rerank",
                "--first-stage",
                first.toString(),
                "--rerank",
                "2",
                "--cutoffs",
                "2",
                "--format",
                "json",
                "--save-run",
                out.toString());
        assertEquals(0, result.code(), result.err());
        assertEquals(
                first.toString(), Cli.parse(result.text()).get("first_stage").textValue());
        List<String> found = Files.readAllLines(out).stream()
                .map(line -> line.replaceAll("(\\S+) Q0 (\\S+) .*", "$1 $2"))
                .sorted()
                .toList();
        assertEquals(List.of("fear b", "fear s", "heat t"), found);
        assertTrue(
                result.err().contains("queries that one does not judge, which are not scored: 1 (unknown)"),
                result.err());
        assertTrue(result.err().contains("queries with fewer than the 2 documents of --rerank: 1"), result.err());
        Files.writeString(first, "fear Q0 nowhere 1 2 x\n");
        assertTrue(eval("--data", data, "--mode", "rerank", "--quiet", "--first-stage", first.toString())
                .failure(1)
                .contains("expected document \"nowhere\" of the run in the corpus, found none"));
        assertTrue(eval("--data", data, "--mode", "bm25", "--first-stage", first.toString())
                .failure(2)
                .contains("--first-stage has no effect with --mode bm25"));
    }

    @Test
    void aPageShowsEveryQueryAndRunsNothingOfIt() throws IOException {
        String data = collection("one", "test");
        Path page = folder.resolve("report.html");
        Path json = folder.resolve("report.json");
        Cli.Result result = eval(
                "--data",
                data,
                "--mode",
                "dense",
                "--report",
                page.toString(),
                "--report",
                json.toString(),
                "--strict");
        assertEquals(0, result.code(), result.err());
        String html = Files.readString(page);
        ReportPages.check(html);
        assertTrue(html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;heat&quot;"), html);
        assertTrue(html.contains("nDCG@10 of 2 queries: mean 1.0000; 0 have 0"), html);
        JsonNode report = Cli.read(json);
        for (String fact : List.of("fingerprint", "command", "sgpt", "java")) {
            assertTrue(html.contains(">" + fact + "<"), fact);
            String value = report.get(fact).textValue();
            assertTrue(html.contains(value.replace("'", "&#39;")), value);
        }
    }

    @Test
    void aPageOfARunHasNoTexts() throws IOException {
        Path run = Files.writeString(folder.resolve("a.run"), "q<b> Q0 a 1 2.0 tag\n");
        Path qrels = Files.writeString(folder.resolve("q.txt"), "q<b> 0 a 1\nother 0 a 1\n");
        Path page = folder.resolve("report.HTML");
        assertEquals(
                0,
                eval("--run", run.toString(), "--qrels", qrels.toString(), "--report", page.toString())
                        .code());
        String html = Files.readString(page);
        ReportPages.check(html);
        assertTrue(html.contains("q&lt;b&gt;"), html);
        assertTrue(html.contains("judged queries without results, which count as 0: 1 (other)"), html);
        assertTrue(eval("--useb", "x", "--report", page.toString()).failure(2).contains("--useb"));
    }
}
