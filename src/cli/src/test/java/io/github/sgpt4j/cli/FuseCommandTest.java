package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.retrieval.evaluation.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// `sgpt fuse`.
class FuseCommandTest {
    @TempDir
    Path folder;

    private String first;
    private String second;

    @BeforeEach
    void write() throws IOException {
        first = write("a.run", "q Q0 a 1 3 t\nq Q0 b 2 2 t\nq Q0 c 3 0.5 t\n");
        second = write("b.run", "q Q0 b 1 9 t\nq Q0 d 2 7 t\nq Q0 a 3 1 t\nonly Q0 x 1 1 t\n");
    }

    private String write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text).toString();
    }

    private Cli.Result fuse(String... more) {
        List<String> all = new ArrayList<>(List.of("fuse", first, second));
        all.addAll(List.of(more));
        return Cli.run(all.toArray(String[]::new));
    }

    /// By hand: min-max of the first is 1, 0.6, 0 for a, b, c; of the second 1, 0.75, 0 for b, d, a.
    @ParameterizedTest
    @CsvSource({
        "rrf, b a d c",
        "combsum --norm minmax, b a d c",
        "combmnz, b a d c",
        "'weighted --weights 0,1', b d c a",
        "combsum --norm none, b d a c"
    })
    void merges(String method, String order) {
        Cli.Result result = fuse(("--method " + method).split(" "));
        assertEquals(0, result.code(), result.err());
        List<String> documents = result.text()
                .lines()
                .filter(line -> line.startsWith("q "))
                .map(line -> line.split(" ")[2])
                .toList();
        assertEquals(List.of(order.split(" ")), documents);
        assertTrue(result.text().lines().allMatch(line -> line.endsWith(" sgpt-" + method.split(" ")[0])));
        assertEquals(
                "sgpt: queries that not all runs have, which are merged from the others: 1 of 2 (only)",
                result.err().strip());
    }

    @Test
    void writesARunThatIsReadAgain() throws IOException {
        Path out = folder.resolve("out.run");
        Cli.Result result = fuse("-o", out.toString(), "--depth", "2", "--tag", "mine", "--quiet");
        assertEquals(0, result.code(), result.err());
        assertEquals("", result.err());
        Run run = Run.read(out);
        assertEquals(2, run.ranking("q").size());
        assertEquals(1 / 62f + 1 / 61f, run.ranking("q").getFirst().score(), 1e-7f);
        assertTrue(Files.readString(out).contains("q Q0 b 1 "));
    }

    @Test
    void aBrokenRunLeavesNoFile() throws IOException {
        String broken = write("broken.run", "q Q0 a 1 1 t\nq Q0 b 2 inf t\n");
        Path out = folder.resolve("out.run");
        Cli.Result result = Cli.run("fuse", first, broken, "-o", out.toString());
        assertEquals(broken + ": line 2: expected a finite number as score, got \"inf\"", result.failure(1));
        assertFalse(Files.exists(out));
    }

    @Test
    void scoresTooLargeToAddAreTold() throws IOException {
        String huge = write("huge.run", "q Q0 a 1 3e38 t\n");
        String line = Cli.run("fuse", huge, huge, "--method", "combsum", "--norm", "none")
                .failure(1);
        assertTrue(line.contains("huge.run") && line.contains("query q, document a: expected a finite score"), line);
    }

    /// Half a million lines each.
    @Test
    void mergesLargeRuns() throws IOException {
        StringBuilder text = new StringBuilder();
        for (int q = 0; q < 500; q++) {
            for (int d = 0; d < 1000; d++) {
                text.append("q%d Q0 d%d %d %d t\n".formatted(q, d * 7 % 1009, d + 1, 1000 - d));
            }
        }
        String large = write("large.run", text.toString());
        Path out = folder.resolve("out.run");
        Cli.Result result = Cli.run("fuse", large, large, "-o", out.toString());
        assertEquals(0, result.code(), result.err());
        assertEquals("", result.err());
        Run run = Run.read(out);
        assertEquals(500, run.queries().size());
        assertEquals("d0", run.ranking("q7").getFirst().id());
        assertEquals(1000, run.ranking("q7").size());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "fuse a.run",
                "fuse a.run b.run --method best",
                "fuse a.run b.run --norm max",
                "fuse a.run b.run --norm minmax",
                "fuse a.run b.run --method combsum --rrf-k 5",
                "fuse a.run b.run --rrf-k 0",
                "fuse a.run b.run --weights 1,2",
                "fuse a.run b.run --method weighted",
                "fuse a.run b.run --method weighted --weights 1",
                "fuse a.run b.run --method weighted --weights 1,-1",
                "fuse a.run b.run --method weighted --weights 1,NaN",
                "fuse a.run b.run --method weighted --weights 0,0",
                "fuse a.run b.run --depth 0"
            })
    void refusesWrongUsage(String command) {
        Cli.run(command.split(" ")).failure(2);
    }
}
