package io.github.sgpt4j.retrieval.corpus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.CancelledException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Collections are read by an interrupted thread.
class InterruptedReadingTest {
    private static final int DOCUMENTS = 20_000;

    @TempDir
    private Path folder;

    private static String line(int number) {
        return "{\"text\": \"number %d\"}\n".formatted(number);
    }

    private Path write(String name) throws IOException {
        Path file = folder.resolve(name);
        try (OutputStream raw = Files.newOutputStream(file);
                OutputStream out = name.endsWith(".gz") ? new GZIPOutputStream(raw) : raw) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < DOCUMENTS; i++) {
                text.append(line(i));
            }
            out.write(text.toString().getBytes(StandardCharsets.UTF_8));
        }
        return file;
    }

    private static int count(Path collection) throws IOException {
        int count = 0;
        try (CorpusReader reader = CorpusReader.open(collection)) {
            while (reader.hasNext()) {
                reader.next();
                count++;
            }
        }
        return count;
    }

    @ParameterizedTest
    @ValueSource(strings = {"c.jsonl", "c.jsonl.gz", "c.txt", "c.txt.gz"})
    void aFileIsReadToItsEnd(String name) throws IOException {
        Path file = write(name);
        Thread.currentThread().interrupt();
        assertEquals(DOCUMENTS, count(file));
        assertTrue(Thread.interrupted());
    }

    @Test
    void aFolderIsReadToItsEnd() throws IOException {
        for (int i = 0; i < 10; i++) {
            Files.writeString(folder.resolve(i + ".txt"), "text");
        }
        Thread.currentThread().interrupt();
        assertEquals(10, count(folder));
        assertTrue(Thread.interrupted());
    }

    @Test
    void whereAnInterruptClosesTheStreamTheReadingIsCancelled() throws IOException {
        Path file = write("c.jsonl");
        List<Document> read = new ArrayList<>();
        try (FileChannel channel = FileChannel.open(file);
                CorpusReader reader = CorpusReader.ofJsonLines(Channels.newInputStream(channel), "stream")) {
            read.add(reader.next());
            Thread.currentThread().interrupt();
            String message = assertThrows(CancelledException.class, () -> {
                        while (reader.hasNext()) {
                            read.add(reader.next());
                        }
                    })
                    .getMessage();
            assertTrue(message.startsWith("stream: line "), message);
            assertTrue(Thread.interrupted());
        }
        for (int i = 0; i < read.size(); i++) {
            assertEquals("number " + i, read.get(i).text());
        }
    }
}
