package io.github.sgpt4j.training.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LineFileTest {
    @TempDir
    Path folder;

    private Path write(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        try (OutputStream out = name.endsWith(".gz")
                ? new GZIPOutputStream(Files.newOutputStream(file))
                : Files.newOutputStream(file)) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        }
        return file;
    }

    @ParameterizedTest
    @ValueSource(strings = {"lines.txt", "lines.txt.gz"})
    void linesAreReadInAnyOrder(String name) throws IOException {
        Random random = new Random(5);
        List<String> lines = new ArrayList<>();
        StringBuilder text = new StringBuilder("\uFEFF");
        for (int i = 0; i < 500; i++) {
            String line = "é\uFEFF\r𝄞x".repeat(random.nextInt(i % 50 == 0 ? 9000 : 30)) + i;
            lines.add((i % 3 == 0 ? "\uFEFF" : "") + line);
            text.append(lines.getLast()).append(i % 2 == 0 ? "\n" : "\r\n");
        }
        try (LineFile file = LineFile.open(write(name, text.toString()), (where, line) -> true)) {
            assertEquals(500, file.count());
            for (int i = 499; i >= 0; i -= 1 + random.nextInt(3)) {
                assertEquals(lines.get(i), file.line(i));
            }
            assertEquals("lines.txt", file.content().name());
            assertEquals(
                    text.toString().getBytes(StandardCharsets.UTF_8).length,
                    file.content().bytes());
        }
    }

    @Test
    void aByteOrderMarkIsPassedOverAtTheBeginning() throws IOException {
        try (LineFile file = LineFile.open(write("a", "\uFEFF\uFEFFa\r"), (where, line) -> true)) {
            assertEquals("\uFEFFa\r", file.line(0));
        }
    }

    @Test
    void linesThatDoNotCountAreLeftOut() throws IOException {
        List<String> places = new ArrayList<>();
        try (LineFile file = LineFile.open(write("a", "x\n\ny\n\n\nz\n\n"), (where, line) -> {
            places.add(where.get());
            return !line.isEmpty();
        })) {
            assertEquals(List.of("x", "y", "z"), List.of(file.line(0), file.line(1), file.line(2)));
            assertEquals(7, places.size());
            assertEquals(folder.resolve("a") + ": line 7", places.getLast());
        }
    }

    /// `printf 'a\nb\n' | sha256sum`
    @Test
    void theHashIsThatOfTheUncompressedContent() throws IOException {
        String hash = "911169ddaaf146aff539f58c26c489af3b892dff0fe283c1c264c65ae5aa59a2";
        assertEquals(new DataFile("a.tsv", 4, hash), LineFile.read(write("a.tsv", "a\nb\n"), (where, line) -> true));
        assertEquals(new DataFile("a.tsv", 4, hash), LineFile.read(write("a.tsv.gz", "a\nb\n"), (where, line) -> true));
    }

    @Test
    void temporaryFilesAreDeleted() throws IOException {
        long before = temporaryFiles();
        LineFile file = LineFile.open(write("a.gz", "a\nb\n"), (where, line) -> true);
        // A name that the system removes while the file is open leaves nothing after a kill.
        assertEquals(OS.WINDOWS.isCurrentOs() ? before + 1 : before, temporaryFiles());
        assertEquals("b", file.line(1));
        file.close();
        assertEquals(before, temporaryFiles());
        assertThrows(
                FormatException.class,
                () -> LineFile.open(write("b.gz", "a\nb\n"), (where, line) -> {
                    throw new FormatException("broken");
                }));
        assertEquals(before, temporaryFiles());
    }

    private static long temporaryFiles() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return files.filter(file -> file.getFileName().toString().startsWith("sgpt4j-lines-"))
                    .count();
        }
    }

    @Test
    void anInterruptEndsReadingButNotTheFile() throws IOException {
        Path path = write("a", "a\nb\n");
        Thread.currentThread().interrupt();
        assertThrows(CancelledException.class, () -> LineFile.open(path, (where, line) -> true));
        assertTrue(Thread.interrupted());
        try (LineFile file = LineFile.open(path, (where, line) -> true)) {
            Thread.currentThread().interrupt();
            assertEquals("b", file.line(1));
            assertTrue(Thread.interrupted());
            assertEquals("a", file.line(0));
        }
    }

    @Test
    void differencesOfDataAreNamed() {
        DataFile a = new DataFile("a.tsv", 4, "00");
        DataFile b = new DataFile("b.tsv", 5, "01");
        assertEquals(
                List.of(),
                DataFile.difference(List.of(a, b), List.of(b, a)).stream().toList());
        assertEquals(
                "expected the file b.tsv again, found none",
                DataFile.difference(List.of(a, b), List.of(a)).orElseThrow());
        assertEquals(
                "expected the same files as before, got b.tsv as well",
                DataFile.difference(List.of(a), List.of(a, b)).orElseThrow());
        assertEquals(
                "a.tsv: expected the same content as before, 4 bytes with SHA-256 00, got 4 with 02",
                DataFile.difference(List.of(a), List.of(new DataFile("a.tsv", 4, "02")))
                        .orElseThrow());
    }
}
