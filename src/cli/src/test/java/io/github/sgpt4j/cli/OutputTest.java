package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.cli.input.TextInput;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutputTest {
    private static final Path FULL = Path.of("/dev/full");
    private static final String MODEL = Cli.model("gptneo-be");

    @TempDir
    Path folder;

    @Test
    void reportsAFullDisk() throws IOException {
        Assumptions.assumeTrue(Files.exists(FULL), "needs /dev/full");
        for (String format : List.of("jsonl", "npy")) {
            String line = Cli.run("embed", "-m", MODEL, "--format", format, "-o", FULL.toString(), "x")
                    .failure(1);
            assertTrue(line.contains("/dev/full: No space left"), line);
        }
        assertTrue(Files.exists(FULL), "the device must not be replaced");
    }

    @Test
    void reportsAFullDiskBehindStdout() throws IOException {
        Assumptions.assumeTrue(Files.exists(FULL), "needs /dev/full");
        for (String[] command : new String[][] {
            {"embed", "-m", MODEL, "x"},
            {"tokenize", "-m", MODEL, "x"},
            {"inspect", "-m", MODEL},
            {"devices"},
            {"--help"}
        }) {
            try (OutputStream full = Files.newOutputStream(FULL)) {
                Cli.Result result = Cli.runWithOutput(full, command);
                String line = result.failure(1);
                assertTrue(line.contains("stdout: No space left"), line);
            }
        }
    }

    @Test
    void endsQuietlyWhenNobodyReads() {
        OutputStream closed = new OutputStream() {
            @Override
            public void write(int value) throws IOException {
                throw new IOException("Broken pipe");
            }
        };
        for (String[] command : new String[][] {
            {"embed", "-m", MODEL, "x"}, {"embed", "-m", MODEL, "--format", "npy", "x"}, {"devices"}, {"--help"}
        }) {
            Cli.Result result = Cli.runWithOutput(closed, command);
            assertEquals("", result.err());
            assertEquals(0, result.code());
        }
    }

    @Test
    void refusesADirectoryAndAFileInNoDirectory() throws IOException {
        assertTrue(Cli.run("embed", "-m", MODEL, "-o", folder.toString(), "x")
                .failure(1)
                .contains("got a directory"));
        Path nowhere = folder.resolve("absent").resolve("out.jsonl");
        assertTrue(Cli.run("embed", "-m", MODEL, "-o", nowhere.toString(), "x")
                .failure(1)
                .contains("absent"));
        assertEquals(List.of(), list());
    }

    @Test
    void reportsADirectoryThatCannotBeWritten() {
        Path file = Path.of("/proc/out.jsonl");
        Assumptions.assumeTrue(Files.isDirectory(file.getParent()), "needs /proc, where nobody can create files");
        String line = Cli.run("embed", "-m", MODEL, "-o", file.toString(), "x").failure(1);
        assertTrue(line.startsWith(file + ": expected a directory in which files can be created, got /proc: "), line);
    }

    @Test
    void keepsTheOldFileAndNothingElseWhenItFails() throws IOException {
        Path file = folder.resolve("out.jsonl");
        Files.writeString(file, "old");
        Path bad = folder.resolve("in.jsonl");
        Files.writeString(bad, "{\"text\": \"good\"}\n".repeat(TextInput.CHUNK_TEXTS) + "{bad\n");
        for (String format : List.of("jsonl", "npy")) {
            Cli.run("embed", "-m", MODEL, "--format", format, "-i", bad.toString(), "-o", file.toString())
                    .failure(1);
            assertEquals("old", Files.readString(file));
            assertEquals(2, list().size());
        }
    }

    @Test
    void writesThroughALink() throws IOException {
        Path file = Files.createFile(folder.resolve("file.jsonl"));
        Path link = folder.resolve("link.jsonl");
        try {
            Files.createSymbolicLink(link, file);
        } catch (IOException | UnsupportedOperationException e) {
            Assumptions.abort("needs symbolic links: " + e);
        }
        assertEquals(
                0, Cli.run("embed", "-m", MODEL, "-o", link.toString(), "x").code());
        assertTrue(Files.isSymbolicLink(link));
        assertTrue(Files.size(file) > 0);
    }

    private List<Path> list() throws IOException {
        try (var entries = Files.list(folder)) {
            return entries.toList();
        }
    }
}
