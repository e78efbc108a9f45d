package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.cli.output.NpyWriter;
import io.github.sgpt4j.weightstools.LockedFolder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Another process writes the same files over and over, in two alternating versions, and is killed without warning
/// (SIGKILL) at a random moment. Every file is a complete copy of one version; the next run gives the right result
/// and removes all leftovers of the killed one.
class KilledCommandTest {
    /// Number of kills, each of which takes about half a second: `-Dsgpt4j.kills`.
    private static final int KILLS = Integer.getInteger("sgpt4j.kills", 4);

    private static final int TEXTS = 120;
    private static final int PAIRS = 20;

    /// A command that writes files; `{}` stands for the folder and `#` for the version.
    enum Verb {
        EMBED_JSONL("embed -m BE -i {}/#.txt -o {}/out.jsonl", "out.jsonl"),
        EMBED_NPY("embed -m BE -i {}/#.txt -o {}/out.npy", "out.npy"),
        SCORE("score -m CE --query q -i {}/#.pairs.txt -o {}/out.jsonl", "out.jsonl"),
        EVAL(
                "eval -m CE --data {}/# --mode rerank --rerank 10 --cache {}/cache --per-query --report {}/report.json"
                        + " --save-run {}/run",
                "report.json",
                "run");

        private final String call;
        private final List<String> outputs;

        Verb(String call, String... outputs) {
            this.call = call;
            this.outputs = List.of(outputs);
        }

        String[] call(Path folder, int version) {
            String filled = call.replace("BE", Cli.model("gptneo-be"))
                    .replace("CE", Cli.model("gptneo-ce"))
                    .replace("{}", folder.toString())
                    .replace("#", Integer.toString(version));
            return (filled + " --quiet").split(" ");
        }
    }

    @TempDir
    Path folder;

    private static String text(int version, int number) {
        return "text %d of version %d".formatted(number, version);
    }

    private void prepare() throws IOException {
        for (int version = 0; version < 2; version++) {
            int v = version;
            Files.write(
                    folder.resolve(version + ".txt"),
                    IntStream.range(0, TEXTS).mapToObj(i -> text(v, i)).toList());
            Files.write(
                    folder.resolve(version + ".pairs.txt"),
                    IntStream.range(0, PAIRS).mapToObj(i -> text(v, i)).toList());
            Path data = Files.createDirectories(folder.resolve(Integer.toString(version)));
            Files.createDirectories(data.resolve("qrels"));
            Files.write(
                    data.resolve("corpus.jsonl"),
                    IntStream.range(0, 40)
                            .mapToObj(i ->
                                    "{\"_id\": \"d%d\", \"title\": \"\", \"text\": \"%s\"}".formatted(i, text(v, i)))
                            .toList());
            Files.write(
                    data.resolve("queries.jsonl"),
                    IntStream.range(0, 10)
                            .mapToObj(i -> "{\"_id\": \"q%d\", \"text\": \"text %d\"}".formatted(i, i + v))
                            .toList());
            Files.write(
                    data.resolve("qrels/test.tsv"),
                    IntStream.range(-1, 10)
                            .mapToObj(i -> i < 0 ? "query-id\tcorpus-id\tscore" : "q%d\td%d\t1".formatted(i, i))
                            .toList());
        }
    }

    private Set<String> files() throws IOException {
        try (var files = Files.walk(folder)) {
            return files.map(file -> folder.relativize(file).toString())
                    .filter(name -> !name.startsWith("cache/scores") && !name.startsWith("cache\\scores"))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    private Map<String, String> run(Verb verb, int version) throws IOException {
        Cli.Result result = Cli.run(verb.call(folder, version));
        assertEquals(0, result.code(), result.err());
        Map<String, String> contents = new HashMap<>();
        for (String output : verb.outputs) {
            contents.put(output, Files.readString(folder.resolve(output), StandardCharsets.ISO_8859_1));
        }
        return contents;
    }

    @ParameterizedTest
    @EnumSource
    void filesAreOldOrNewAndTheNextRunIsRight(Verb verb) throws IOException, InterruptedException {
        long seed = Long.getLong("sgpt4j.seed", System.nanoTime());
        System.out.println("KilledCommandTest: -Dsgpt4j.seed=" + seed);
        Random random = new Random(seed);
        prepare();
        List<Map<String, String>> expected = List.of(run(verb, 0), run(verb, 1));
        assertTrue(!expected.get(0).equals(expected.get(1)), "the versions differ");
        Set<String> files = files();
        for (int kill = 0; kill < KILLS; kill++) {
            if (random.nextInt(4) == 0) {
                Files.delete(folder.resolve(verb.outputs.getFirst()));
            }
            if (random.nextBoolean()) {
                LockedFolder.remove(folder.resolve("cache"));
            }
            writeAndKill(verb, random);
            for (String output : verb.outputs) {
                Path file = folder.resolve(output);
                if (Files.exists(file)) {
                    String content = Files.readString(file, StandardCharsets.ISO_8859_1);
                    assertTrue(
                            expected.stream().anyMatch(version -> isSame(version.get(output), content)),
                            () -> "%s holds %d characters of neither version".formatted(output, content.length()));
                }
            }
            int version = kill % 2;
            Map<String, String> got = run(verb, version);
            for (String output : verb.outputs) {
                assertTrue(isSame(expected.get(version).get(output), got.get(output)), output + " is another");
            }
            assertEquals(files, files(), "after kill " + kill);
        }
    }

    /// Whether two files are equal up to rounding: the order of additions depends on what a process has computed
    /// before.
    private static boolean isSame(String expected, String actual) {
        List<String> a = parts(expected);
        List<String> b = parts(actual);
        return a.size() == b.size()
                && IntStream.range(0, a.size()).allMatch(i -> a.get(i).equals(b.get(i)) || isClose(a.get(i), b.get(i)));
    }

    /// Words and numbers; for NumPy files, which are read as one character per byte, the header and the numbers.
    private static List<String> parts(String content) {
        if (!content.startsWith("NUMPY", 1)) {
            // A report says when it was made.
            return List.of(content.replaceFirst("\"time\" : \"[^\"]+\"", "").split("[\\s,:{}\\[\\]]+"));
        }
        ByteBuffer bytes =
                ByteBuffer.wrap(content.getBytes(StandardCharsets.ISO_8859_1)).order(ByteOrder.LITTLE_ENDIAN);
        List<String> parts = new ArrayList<>(List.of(content.substring(0, NpyWriter.HEADER_BYTES)));
        for (int at = NpyWriter.HEADER_BYTES; at < bytes.limit(); at += Float.BYTES) {
            parts.add(Float.toString(bytes.getFloat(at)));
        }
        return parts;
    }

    private static boolean isClose(String a, String b) {
        return a.contains(".") && b.contains(".") && Math.abs(Double.parseDouble(a) - Double.parseDouble(b)) < 1e-4;
    }

    private void writeAndKill(Verb verb, Random random) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(ChildCommand.java(Writer.class, "-Xmx256m"));
        command.addAll(List.of(verb.name(), folder.toString()));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        // Kill it either while it starts, or while it writes.
        if (random.nextInt(4) > 0) {
            assertEquals('r', process.getInputStream().read());
        }
        Thread.sleep(random.nextInt(300));
        assertTrue(process.isAlive(), "it must write until it is killed");
        process.destroyForcibly().waitFor();
    }

    /// The process that writes.
    static final class Writer {
        public static void main(String[] arguments) {
            Verb verb = Verb.valueOf(arguments[0]);
            for (int i = 0; ; i++) {
                Cli.Result result = Cli.run(verb.call(Path.of(arguments[1]), i % 2));
                if (result.code() != 0) {
                    System.exit(1);
                }
                if (i == 0) {
                    System.out.print("r");
                    System.out.flush();
                }
            }
        }
    }
}
