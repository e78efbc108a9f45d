package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `sgpt compare`.
class CompareCommandTest {
    /// Reciprocal ranks of the relevant document of eight queries, in three runs.
    private static final int[][] RANKS = {
        {2, 4, 1, 5, 10, 2, 3, 1},
        {1, 2, 1, 2, 5, 4, 1, 1},
        {2, 4, 1, 5, 10, 2, 3, 1}
    };

    @TempDir
    Path folder;

    private final List<String> runs = new ArrayList<>();
    private String qrels;

    @BeforeEach
    void write() throws IOException {
        StringBuilder judgements = new StringBuilder();
        for (int q = 0; q < RANKS[0].length; q++) {
            judgements.append("q%d 0 yes 1\n".formatted(q));
        }
        qrels = write("qrels.txt", judgements.toString());
        for (int r = 0; r < RANKS.length; r++) {
            StringBuilder run = new StringBuilder();
            for (int q = 0; q < RANKS[r].length; q++) {
                for (int rank = 1; rank <= RANKS[r][q]; rank++) {
                    String document = rank == RANKS[r][q] ? "yes" : "no" + rank;
                    run.append("q%d Q0 %s %d %d tag\n".formatted(q, document, rank, 100 - rank));
                }
            }
            runs.add(write("r%d.run".formatted(r), run.toString()));
        }
    }

    private String write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text).toString();
    }

    private Cli.Result compare(List<String> files, String... more) {
        List<String> all = new ArrayList<>(List.of("compare"));
        all.addAll(files);
        all.addAll(List.of("--qrels", qrels, "--measure", "MRR"));
        all.addAll(List.of(more));
        return Cli.run(all.toArray(String[]::new));
    }

    /// The differences are 0.5, 0.25, 0, 0.3, 0.1, -0.25, 2/3, 0. Figures from SciPy 1.17.1:
    /// `ttest_1samp`, its `confidence_interval(0.95)`, and `permutation_test` with all assignments of signs.
    @Test
    void givesScipysFigures() {
        JsonNode report = Cli.parse(
                compare(runs.subList(0, 2), "--format", "json", "--quiet").text());
        assertEquals("recip_rank", report.get("measure").textValue());
        JsonNode comparison = report.get("comparisons").get(0);
        assertEquals(5, comparison.get("better").intValue());
        assertEquals(2, comparison.get("equal").intValue());
        assertEquals(1, comparison.get("worse").intValue());
        JsonNode t = comparison.get("t_test");
        assertEquals(1.8723125529884126, t.get("t").doubleValue(), 1e-9);
        assertEquals(0.10332626059716696, t.get("p").doubleValue(), 1e-9);
        assertEquals(-0.051493027071151665, t.get("interval_95").get(0).doubleValue(), 1e-9);
        assertEquals(0.4431596937378184, t.get("interval_95").get(1).doubleValue(), 1e-9);
        JsonNode randomization = comparison.get("randomization_test");
        assertEquals(0.125, randomization.get("p").doubleValue());
        assertTrue(randomization.get("exact").booleanValue());
        assertTrue(report.get("command").textValue().startsWith("sgpt compare "), report.toString());
    }

    @Test
    void showsATable() {
        Cli.Result result = compare(runs);
        assertEquals(0, result.code(), result.err());
        List<String> lines = result.text().lines().toList();
        assertEquals("MRR, 8 queries, compared with r0.run", lines.getFirst());
        assertTrue(lines.get(3).matches("r0\\.run +0\\.\\d{4}"), lines.get(3));
        assertTrue(lines.get(4).matches("r1\\.run +0\\.\\d{4} +\\+0\\.1958 .* 5 +2 +1 .*"), lines.get(4));
        // A run that is equal to the baseline: nothing differs.
        assertTrue(lines.get(5).matches("r2\\.run .* 0 +8 +0 +1\\.0000 +1\\.0000 +\\+0\\.00"), lines.get(5));
        assertTrue(lines.get(7).endsWith("adjusted for 2 comparisons (Holm)."), lines.get(7));
        assertTrue(lines.getLast().contains("(all possibilities)"), lines.getLast());
        assertTrue(lines.stream().allMatch(line -> line.length() <= 160));
    }

    @Test
    void adjustsForTheNumberOfComparisons() {
        JsonNode comparisons =
                Cli.parse(compare(runs, "--format", "json").text()).get("comparisons");
        JsonNode t = comparisons.get(0).get("t_test");
        assertEquals(2 * t.get("p").doubleValue(), t.get("p_adjusted").doubleValue(), 1e-15);
        assertEquals(1, comparisons.get(1).get("t_test").get("p_adjusted").doubleValue());
    }

    @Test
    void writesReports() throws IOException {
        String page = folder.resolve("r.html").toString();
        String json = folder.resolve("r.json").toString();
        Cli.Result result = compare(runs, "--report", page, "--report", json);
        assertEquals(0, result.code(), result.err());
        assertEquals(2, Cli.read(Path.of(json)).get("comparisons").size());
        String html = Files.readString(Path.of(page));
        ReportPages.check(html);
        assertEquals(3, html.split("<svg ", -1).length - 1, "intervals, and a plot for each comparison");
        assertTrue(html.contains("5 better, 2 equal, 1 worse"), html);
        assertTrue(html.contains("sgpt compare "), html);
    }

    @Test
    void queriesWithoutResultsAreTold() throws IOException {
        String empty = write("few.run", "q0 Q0 yes 1 1 tag\nother Q0 yes 1 1 tag\n");
        String err = compare(List.of(runs.getFirst(), empty)).err();
        assertTrue(err.contains("few.run: judged queries without results, which count as 0: 7"), err);
        assertTrue(err.contains("queries of the run without judgements, which do not count: 1 (other)"), err);
    }

    @Test
    void aBrokenRunIsToldWithItsLine() throws IOException {
        String broken = write("broken.run", "q0 Q0 yes 1 1 tag\nq0 Q0 no 2 nan tag\n");
        String page = folder.resolve("r.html").toString();
        assertEquals(
                broken + ": line 2: expected a finite number as score, got \"nan\"",
                compare(List.of(runs.getFirst(), broken), "--report", page).failure(1));
        assertFalse(Files.exists(Path.of(page)));
        String twice = write("twice.run", "q0 Q0 yes 1 1 tag\nq0 Q0 yes 2 0 tag\n");
        assertTrue(compare(List.of(runs.getFirst(), twice))
                .failure(1)
                .contains("twice.run: line 2: document \"yes\" occurs a second time for query \"q0\""));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "compare a.run --qrels q",
                "compare a.run b.run",
                "compare a.run b.run --qrels q --measure F1",
                "compare a.run b.run --qrels q --measure P",
                "compare a.run b.run --qrels q --samples 0",
                "compare a.run b.run --qrels q --seed x",
                "compare a.run b.run --qrels q --report -",
                "compare a.run b.run --qrels q --report x --report x"
            })
    void refusesWrongUsage(String command) {
        Cli.run(command.split(" ")).failure(2);
    }
}
