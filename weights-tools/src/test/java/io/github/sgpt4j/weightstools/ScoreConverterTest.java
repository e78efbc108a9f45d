package io.github.sgpt4j.weightstools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScoreConverterTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    private Path resource(String name) throws IOException {
        Path file = folder.resolve(name);
        try (InputStream in = ScoreConverterTest.class.getResourceAsStream("/scores/" + name)) {
            Files.copy(in, file);
        }
        return file;
    }

    private List<String> entries() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"scores-2.pkl", "scores-4.pkl", "scores-5.pkl.gz"})
    void scoresKeepTheirOrderAndEveryBit(String name) throws IOException {
        Path target = folder.resolve("ce-scores.jsonl");
        ScoreConverter.Report report = ScoreConverter.convert(resource(name), target, false, ConvertListener.NONE);
        List<String> expected = Files.readAllLines(resource("scores.jsonl"));
        assertEquals(expected, Files.readAllLines(target));
        assertEquals(new ScoreConverter.Report(8, 8 * 30), report);
        assertEquals(
                List.of("ce-scores.jsonl", name, "scores.jsonl").stream()
                        .sorted()
                        .toList(),
                entries());
    }

    @Test
    void dictionariesMayBeLong() throws IOException {
        Path target = folder.resolve("ce-scores.jsonl.gz");
        List<Long> progress = new ArrayList<>();
        Path source = resource("long.pkl.gz");
        ScoreConverter.convert(source, target, false, (done, total) -> {
            assertTrue(done <= total);
            progress.add(done);
        });
        assertEquals(Files.size(source), progress.getLast());
        String[] lines;
        try (InputStream in = new GZIPInputStream(Files.newInputStream(target))) {
            lines = new String(in.readAllBytes(), StandardCharsets.US_ASCII).split("\n");
        }
        assertEquals(2101, lines.length);
        for (int query = 0; query < lines.length; query++) {
            JsonNode line = JSON.readTree(lines[query]);
            assertEquals(query, line.get("qid").intValue());
            int count = switch (query) {
                case 5 -> 2501;
                case 6 -> 1001;
                case 7 -> 1000;
                case 8 -> 0;
                default -> 1 + query % 2;
            };
            assertEquals(count, line.get("scores").size());
            for (int k = 0; k < count; k++) {
                assertEquals(
                        k - query / 4.0,
                        line.get("scores").get(Integer.toString(k)).doubleValue());
            }
        }
    }

    @Test
    void anExistingTargetIsReplacedOnlyIfAsked() throws IOException {
        Path source = resource("scores-4.pkl");
        Path target = Files.writeString(folder.resolve("ce-scores.jsonl"), "old");
        assertThrows(
                FileAlreadyExistsException.class,
                () -> ScoreConverter.convert(source, target, false, ConvertListener.NONE));
        assertEquals("old", Files.readString(target));
        ScoreConverter.convert(source, target, true, ConvertListener.NONE);
        assertEquals(8, Files.readAllLines(target).size());
    }

    @Test
    void aCutFileLeavesNothing() throws IOException {
        byte[] whole = Files.readAllBytes(resource("scores-4.pkl"));
        Path target = folder.resolve("ce-scores.jsonl");
        Path cut = folder.resolve("cut.pkl");
        for (int length = 0; length < whole.length; length += 37) {
            Files.write(cut, Arrays.copyOf(whole, length));
            String message = assertThrows(
                            FormatException.class,
                            () -> ScoreConverter.convert(cut, target, false, ConvertListener.NONE))
                    .getMessage();
            assertTrue(message.startsWith(cut + ": byte "), message);
            assertTrue(message.endsWith(": expected more bytes, got the end"), message);
        }
        assertEquals(List.of("cut.pkl", "scores-4.pkl"), entries());
    }

    @Test
    void aCutGzFileIsNamed() throws IOException {
        Path source = resource("scores-5.pkl.gz");
        byte[] whole = Files.readAllBytes(source);
        Files.write(source, Arrays.copyOf(whole, whole.length / 2));
        String message = assertThrows(
                        FormatException.class,
                        () -> ScoreConverter.convert(
                                source, folder.resolve("ce-scores.jsonl"), false, ConvertListener.NONE))
                .getMessage();
        assertTrue(message.startsWith(source + ": cannot be read: "), message);
        assertEquals(List.of("scores-5.pkl.gz"), entries());
    }

    @Test
    void whatHasNoPlaceIsRefused() throws IOException {
        Path source = resource("scores-4.pkl");
        Path none = folder.resolve("none.pkl");
        assertEquals(
                none + ": expected a file, found nothing there",
                assertThrows(
                                FormatException.class,
                                () -> ScoreConverter.convert(
                                        none, folder.resolve("a.jsonl"), false, ConvertListener.NONE))
                        .getMessage());
        Path far = folder.resolve("none").resolve("a.jsonl");
        assertEquals(
                far + ": expected a file in an existing folder",
                assertThrows(
                                FormatException.class,
                                () -> ScoreConverter.convert(source, far, false, ConvertListener.NONE))
                        .getMessage());
    }

    @Test
    void anInterruptEndsTheConversion() throws IOException {
        Path source = resource("scores-4.pkl");
        Thread.currentThread().interrupt();
        assertEquals(
                source + ": conversion was cancelled after 0 queries",
                assertThrows(
                                CancelledException.class,
                                () -> ScoreConverter.convert(
                                        source, folder.resolve("a.jsonl"), false, ConvertListener.NONE))
                        .getMessage());
        assertTrue(Thread.interrupted());
        assertEquals(List.of("scores-4.pkl"), entries());
    }
}
