package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Another process trains, and is asked to end, or killed without warning.
class EndedTrainingTest {
    private static final int KILLS = Integer.getInteger("sgpt4j.kills", 4);
    private static final int STEPS = 120;
    private static final long MAX_SECONDS = 120;

    @TempDir
    Path folder;

    private Path made;

    @BeforeEach
    void write() throws IOException {
        TrainingFiles.rows(folder, "row", 40);
        TrainingFiles.rows(folder, "dev", 8);
        made = folder.resolve("made");
    }

    private List<String> command(int steps, String... more) {
        List<String> command = new ArrayList<>(List.of(
                "train",
                "-m",
                Cli.model("gptneo-be"),
                "--device",
                "cpu",
                "--threads",
                "1",
                "--data",
                folder.resolve("row.jsonl").toString(),
                "--dev",
                folder.resolve("dev.jsonl").toString(),
                "--output",
                made.toString(),
                "--batch-size",
                "4",
                "--steps",
                Integer.toString(steps),
                "--save-every",
                "7",
                "--eval-every",
                "20",
                "--lr",
                "1e-2"));
        command.addAll(List.of(more));
        return command;
    }

    private Process start(List<String> arguments) throws IOException {
        List<String> command = ChildCommand.java(Main.class, "-Xmx256m");
        command.addAll(arguments);
        return new ProcessBuilder(command)
                .redirectError(folder.resolve("child.err").toFile())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private String said() throws IOException {
        return Files.readString(folder.resolve("child.err"), StandardCharsets.UTF_8)
                .replace("WARNING: Using incubator modules: jdk.incubator.vector\n", "");
    }

    private Path work() {
        return folder.resolve("made.training");
    }

    /// Waits until some steps are in the curve.
    private void awaitLines(Process process, int lines) throws IOException, InterruptedException {
        Path curve = work().resolve("curve.jsonl");
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(MAX_SECONDS);
        while (!Files.exists(curve) || Files.readAllLines(curve).size() < lines) {
            assertTrue(process.isAlive() && System.nanoTime() < end, "it does not train: " + said());
            Thread.sleep(20);
        }
    }

    private Map<String, String> whole() throws IOException {
        TrainingFiles.train(command(STEPS, "--quiet"));
        Map<String, String> whole = TrainingFiles.contents(made);
        Files.move(made, folder.resolve("whole"));
        return whole;
    }

    @ParameterizedTest
    @ValueSource(strings = {"TERM", "INT"})
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "has no signals")
    void aRequestToEndSavesTheStateAndTheTrainingGoesOn(String signal) throws IOException, InterruptedException {
        Map<String, String> whole = whole();
        Process process = start(command(STEPS));
        awaitLines(process, 10);
        if (signal.equals("INT") && ignoresInterrupts(process)) {
            process.destroyForcibly().waitFor();
            Assumptions.abort("this process was started to ignore SIGINT, and so are its children");
        }
        assertEquals(
                0,
                new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid()))
                        .start()
                        .waitFor());
        assertTrue(process.waitFor(MAX_SECONDS, TimeUnit.SECONDS), "it does not end");
        String said = said();
        assertEquals(130, process.exitValue(), said);
        String last = said.lines().reduce("", (a, b) -> b);
        assertTrue(
                last.matches(
                        "sgpt: training was interrupted after step \\d+ of %d, its state is saved in .*; the same command with --resume goes on"
                                .formatted(STEPS)),
                said);
        String step = last.replaceAll(".* after step (\\d+) of.*", "$1");
        assertTrue(Files.exists(work().resolve("checkpoint/step-%s.safetensors".formatted(step))));
        assertFalse(Files.exists(made));
        String going = TrainingFiles.train(command(STEPS, "--resume")).err();
        assertTrue(going.contains("going on with training"), going);
        assertTrue(going.contains(": step %s of %d\n".formatted(step, STEPS)), going);
        assertEquals(whole, TrainingFiles.contents(made));
    }

    /// In a process of its own, where the library that searches has not been loaded before.
    @Test
    void onlyTheCommandItselfSpeaks() throws IOException, InterruptedException {
        Path data = Files.createDirectories(folder.resolve("found/qrels")).getParent();
        Files.writeString(data.resolve("corpus.jsonl"), "{\"_id\": \"1\", \"text\": \"the row 1\"}\n");
        Files.writeString(data.resolve("queries.jsonl"), "{\"_id\": \"q\", \"text\": \"row number 1\"}\n");
        Files.writeString(data.resolve("qrels/test.tsv"), "query-id\tcorpus-id\tscore\nq\t1\t1\n");
        Process process = start(command(1, "--eval", data.toString()));
        assertTrue(process.waitFor(MAX_SECONDS, TimeUnit.SECONDS), "it does not end");
        assertEquals(0, process.exitValue(), said());
        for (String line : said().lines().toList()) {
            assertTrue(line.startsWith("sgpt: "), line);
        }
    }

    /// Shells start what runs in the background like this.
    private static boolean ignoresInterrupts(Process process) throws IOException {
        Path status = Path.of("/proc/%d/status".formatted(process.pid()));
        if (!Files.exists(status)) {
            return false;
        }
        String mask = Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("SigIgn:"))
                .findFirst()
                .orElse("0")
                .replaceAll(".*\\s", "");
        return (Long.parseUnsignedLong(mask, 16) >> 1 & 1) == 1;
    }

    @Test
    void aKilledTrainingGoesOnToTheSameBits() throws IOException, InterruptedException {
        long seed = Long.getLong("sgpt4j.seed", System.nanoTime());
        System.out.println("EndedTrainingTest: -Dsgpt4j.seed=" + seed);
        Random random = new Random(seed);
        Map<String, String> whole = whole();
        for (int kill = 0; kill < KILLS && !Files.exists(made); kill++) {
            Process process = start(Files.exists(work()) ? command(STEPS, "--resume") : command(STEPS));
            // Also while it starts.
            if (random.nextInt(4) > 0 && !Files.exists(work().resolve("curve.jsonl"))) {
                awaitLines(process, 1);
            }
            Thread.sleep(random.nextInt(1500));
            process.destroyForcibly().waitFor();
        }
        if (!Files.exists(made)) {
            TrainingFiles.train(Files.exists(work()) ? command(STEPS, "--resume") : command(STEPS));
        }
        assertEquals(whole, TrainingFiles.contents(made));
        assertFalse(Files.exists(work()));
    }

    /// An interrupt from elsewhere in the same process.
    @Test
    void anInterruptedThreadEndsItsTrainingInOrder() throws IOException {
        Thread.currentThread().interrupt();
        Cli.Result result = Cli.run(command(STEPS, "--quiet").toArray(String[]::new));
        assertTrue(Thread.interrupted());
        assertFalse(Files.exists(made));
        assertFalse(result.code() == 0, result.err());
        TrainingFiles.train(Files.exists(work()) ? command(STEPS, "--quiet", "--resume") : command(STEPS, "--quiet"));
        assertTrue(Files.exists(made));
    }
}
