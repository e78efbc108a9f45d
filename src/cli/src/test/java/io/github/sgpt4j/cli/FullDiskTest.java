package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// When the disk is full, one sentence names the file or folder, and no partial file is left. A file size limit
/// (`ulimit -f`) fails in the same place as a full disk; where a small file system can be mounted, a disk that is
/// really full is tested too.
@EnabledOnOs(value = OS.LINUX, disabledReason = "needs the limits of Linux")
class FullDiskTest {
    private static final String MODEL = Cli.model("gptneo-be");

    /// In blocks of 1024 bytes.
    private static final String SMALL_FILES = "ulimit -f 8";

    private static final int TEXTS = 60;

    @TempDir
    Path folder;

    private Path disk;
    private Path printed;

    @BeforeEach
    void write() throws IOException {
        disk = Files.createDirectory(folder.resolve("disk"));
        printed = Files.createDirectory(folder.resolve("printed"));
        Files.write(
                folder.resolve("in.txt"),
                IntStream.range(0, TEXTS).mapToObj(i -> "text number " + i).toList());
        Path data = Files.createDirectories(folder.resolve("data"));
        Files.write(
                data.resolve("corpus.jsonl"),
                IntStream.range(0, TEXTS)
                        .mapToObj(i -> "{\"_id\": \"d%d\", \"text\": \"text number %d\"}".formatted(i, i))
                        .toList());
        Files.write(
                data.resolve("queries.jsonl"),
                IntStream.range(0, TEXTS)
                        .mapToObj(i -> "{\"_id\": \"q%d\", \"text\": \"number %d\"}".formatted(i, i))
                        .toList());
        Files.createDirectory(data.resolve("qrels"));
        Files.write(
                data.resolve("qrels/test.tsv"),
                IntStream.range(-1, TEXTS)
                        .mapToObj(i -> i < 0 ? "query-id\tcorpus-id\tscore" : "q%d\td%d\t1".formatted(i, i))
                        .toList());
    }

    private String[] command(String line) {
        return line.replace("MODEL", MODEL)
                .replace("DISK", disk.toString())
                .replace("IN", folder.resolve("in.txt").toString())
                .replace("DATA", folder.resolve("data").toString())
                .split(" ");
    }

    /// Runs a command that must fail.
    ///
    /// @return its message
    private String failure(String limits, List<String> options, String line) throws IOException, InterruptedException {
        return ChildCommand.runLimited(printed, limits, options, command(line)).failure(1);
    }

    private List<String> files() throws IOException {
        try (var files = Files.walk(disk)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> disk.relativize(file).toString())
                    .collect(Collectors.toList());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "embed -m MODEL -i IN -o DISK/out.jsonl",
                "embed -m MODEL -i IN -o DISK/out.npy",
                "eval -m MODEL --data DATA --no-cache --mode bm25 --save-run DISK/run",
                "eval -m MODEL --data DATA --no-cache --mode bm25 --per-query --report DISK/report.json"
            })
    void aFileIsNamedAndNothingIsLeft(String line) throws IOException, InterruptedException {
        String file = line.substring(line.lastIndexOf("DISK/") + "DISK/".length());
        Files.writeString(disk.resolve(file), "old");
        String said = failure(SMALL_FILES, List.of("-Djava.io.tmpdir=" + folder), line + " --quiet");
        assertEquals(disk.resolve(file) + ": File too large", said);
        assertEquals(List.of(file), files());
        assertEquals("old", Files.readString(disk.resolve(file)));
    }

    @Test
    void theFileOfResultsThatWaitForTheirBeginningIsNamed() throws IOException, InterruptedException {
        String said =
                failure(SMALL_FILES, List.of("-Djava.io.tmpdir=" + disk), "embed -m MODEL -i IN --format npy --quiet");
        assertTrue(said.startsWith(disk + "/sgpt-") && said.endsWith(".tmp: File too large"), said);
        assertEquals(List.of(), files());
    }

    @Test
    void anIndexIsNamedAndCanBeMadeAfterwards() throws IOException, InterruptedException {
        String line = "index -m MODEL --corpus DATA/corpus.jsonl --index DISK/index --quiet";
        String said = failure("ulimit -f 1", List.of(), line);
        assertTrue(said.startsWith(disk.resolve("index").toString()) && said.contains("File too large"), said);
        Cli.Result again = Cli.run(command(line));
        assertEquals(0, again.code(), again.err());
    }

    @Test
    void theIndexOfWordsOfAnEvaluationIsNamedAndRemoved() throws IOException, InterruptedException {
        String said = failure(
                "ulimit -f 1", List.of("-Djava.io.tmpdir=" + disk), "eval --data DATA --no-cache --mode bm25 --quiet");
        assertTrue(said.startsWith(disk.resolve("sgpt-bm25-").toString()) && said.contains("File too large"), said);
        assertEquals(List.of(), files());
    }

    @Test
    void aCacheIsNamedAndGoesOnAfterwards() throws IOException, InterruptedException {
        String line = "eval -m MODEL --data DATA --cache DISK --quiet";
        String said = failure(SMALL_FILES, List.of(), line);
        assertTrue(said.startsWith(disk.resolve("embeddings-").toString()) && said.contains(": File too large"), said);
        Cli.Result again = Cli.run(command(line));
        assertEquals(0, again.code(), again.err());
        assertEquals(
                Cli.run(command(line.replace("--cache DISK", "--no-cache"))).text(), again.text());
    }

    @Test
    void theBuiltInModelIsNamedAndRemoved() throws IOException, InterruptedException {
        String said = failure(
                "export XDG_CACHE_HOME=%s; ".formatted(disk) + SMALL_FILES,
                List.of("-Djava.io.tmpdir=" + disk),
                "search --quiet spider");
        assertTrue(said.startsWith(disk + "/nano-") && said.endsWith(": File too large"), said);
        assertEquals(List.of(), files());
    }

    @Test
    void aMergedModelIsNamedAndNothingIsLeft() throws IOException, InterruptedException {
        Path biases = TrainedFile.write("gptneo", Path.of(MODEL), folder.resolve("biases.safetensors"));
        String line = "merge -m MODEL --biases %s --output DISK/made --quiet".formatted(biases);
        String said = failure(SMALL_FILES, List.of(), line);
        assertTrue(said.startsWith(disk.toString()) && said.endsWith("model.safetensors: File too large"), said);
        assertEquals(List.of(), files());
        Cli.Result again = Cli.run(command(line));
        assertEquals(0, again.code(), again.err());
    }

    /// Too large are a state of the training, or only the model in the end.
    @ParameterizedTest
    @ValueSource(ints = {8, 70})
    void aTrainingIsKeptAndGoesOnAfterwards(int limit) throws IOException, InterruptedException {
        Path rows = TrainingFiles.rows(folder, "row", 12);
        String line = "train -m MODEL --device cpu --data %s --output DISK/made --batch-size 4 --save-every 4 --lr 1e-2"
                        .formatted(rows)
                + " --epochs 5 --quiet";
        TrainingFiles.train(
                List.of(command(line.replace("DISK", folder.resolve("whole").toString()))));
        String said = failure("ulimit -f " + limit, List.of(), line);
        String file = limit == 8 ? "made.training/checkpoint/step-4.safetensors" : "model.safetensors";
        assertTrue(said.startsWith(disk.resolve("made.training").toString()), said);
        assertTrue(said.endsWith(file + ": File too large"), said);
        TrainingFiles.train(List.of(command(line + " --resume")));
        assertEquals(
                TrainingFiles.contents(folder.resolve("whole/made")), TrainingFiles.contents(disk.resolve("made")));
        assertTrue(files().stream().allMatch(name -> name.startsWith("made/")), () -> said);
    }

    @Test
    void aDiskThatIsReallyFullIsNamed() throws IOException, InterruptedException {
        Assumptions.assumeTrue(ChildCommand.canMount(), "needs to mount a small file system");
        List<String> said = new ArrayList<>();
        for (String line : List.of(
                "embed -m MODEL -i IN -o DISK/out.jsonl --quiet",
                "embed -m MODEL -i IN -o DISK/out.npy --quiet",
                "index -m MODEL --corpus DATA/corpus.jsonl --index DISK --quiet",
                "eval -m MODEL --data DATA --cache DISK --quiet",
                "train -m MODEL --device cpu --data %s --output DISK/made --batch-size 4 --quiet"
                        .formatted(TrainingFiles.rows(folder, "row", 12)))) {
            said.add(failure(ChildCommand.mounted("mount -t tmpfs -o size=8k none " + disk), List.of(), line));
        }
        for (String each : said) {
            assertTrue(each.startsWith(disk.toString()) && each.contains("No space left on device"), each);
        }
    }

    @Test
    void aMergedIndexIsNamedAndNothingIsLeft() throws IOException, InterruptedException {
        Path shards = folder.resolve("shards");
        Cli.Result made = Cli.run(command(
                "index -m MODEL --corpus DATA/corpus.jsonl --index " + shards.resolve("part-00000") + " --quiet"));
        assertEquals(0, made.code(), made.err());
        Files.writeString(shards.resolve("_SUCCESS"), "{\"format\":1,\"shards\":1}");
        String line = "index --merge %s --index DISK/merged --quiet".formatted(shards);
        String said = failure(SMALL_FILES, List.of(), line);
        assertTrue(
                said.startsWith(disk.resolve(".merged.sgpt-merge").toString()) && said.contains("File too large"),
                said);
        assertEquals(List.of(), files());
        Cli.Result again = Cli.run(command(line));
        assertEquals(0, again.code(), again.err());
        assertEquals(
                0,
                Cli.run("verify", "--index", disk.resolve("merged").toString()).code());
    }
}
