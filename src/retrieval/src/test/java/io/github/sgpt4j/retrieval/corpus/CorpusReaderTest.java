package io.github.sgpt4j.retrieval.corpus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CorpusReaderTest {
    private static final String JSON = """
            {"_id": "a", "title": "one", "text": "two"}

            {"_id": 7, "title": "", "text": " three\\u00a0", "metadata": {}}
            {"text": "four"}
            """;

    private static final List<Document> DOCUMENTS = List.of(
            new Document("a", Optional.of("one"), "two"),
            new Document("7", Optional.of(""), " three\u00a0"),
            Document.of("3", "four"));

    @TempDir
    private Path folder;

    @Test
    void readsJsonLinesPackedOrNotAndInBeirsLayout() throws IOException {
        Path packed = folder.resolve("corpus.jsonl.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
            out.write(JSON.getBytes(StandardCharsets.UTF_8));
        }
        assertEquals(DOCUMENTS, read(packed));
        assertEquals(DOCUMENTS, read(folder));
        Files.delete(packed);
        Path plain = Files.writeString(folder.resolve("corpus.jsonl"), JSON);
        assertEquals(DOCUMENTS, read(plain));
        assertEquals(DOCUMENTS, read(folder));
    }

    @Test
    void joinsTitleAndTextAsBeirsReadersDo() {
        assertEquals(
                List.of("one two", "three", "four"),
                DOCUMENTS.stream().map(Document::joined).toList());
    }

    @Test
    void readsEachLineOfAPlainFile() throws IOException {
        Path file = Files.writeString(folder.resolve("lines.txt"), "one\n\nthree");
        assertEquals(List.of(Document.of("1", "one"), Document.of("2", ""), Document.of("3", "three")), read(file));
    }

    @Test
    void readsTextFilesAtAnyDepthInOrder() throws IOException {
        Files.createDirectories(folder.resolve("b/c"));
        Files.writeString(folder.resolve("b/c/two.txt"), "2\n2");
        Files.writeString(folder.resolve("b/one.TXT"), "1");
        Files.writeString(folder.resolve("zero.txt"), "0");
        Files.writeString(folder.resolve("b/other.md"), "-");
        assertEquals(
                List.of(
                        Document.of("b/c/two.txt", "2\n2"),
                        Document.of("b/one.TXT", "1"),
                        Document.of("zero.txt", "0")),
                read(folder));
    }

    @Test
    void tellsHowFarItIs() throws IOException {
        Files.writeString(folder.resolve("a.txt"), "12345");
        Files.writeString(folder.resolve("b.txt"), "67");
        try (CorpusReader reader = CorpusReader.open(folder)) {
            assertEquals(7, reader.size().orElseThrow());
            reader.next();
            assertEquals(5, reader.position());
            reader.next();
            assertEquals(7, reader.position());
        }
        try (CorpusReader reader = CorpusReader.open(folder.resolve("a.txt"))) {
            reader.forEachRemaining(document -> {});
            assertEquals(reader.size().orElseThrow(), reader.position());
        }
    }

    @Test
    void namesFileAndLineOfABrokenObject() throws IOException {
        Path file = Files.writeString(folder.resolve("corpus.jsonl"), "{\"text\": \"a\"}\n\n{\"_id\": \"b\"}\n");
        assertFails(file, file + ": line 3: expected \"text\", found none");
        Files.writeString(file, "{\"text\": 5}\n");
        assertFails(file, file + ": line 1: \"text\": expected a string, got a number");
        Files.writeString(file, "{\"text\": \"a\n");
        assertFails(file, file + ": line 1: not valid JSON at column 12: expected more, got the end");
        Files.writeString(file, "{\n\"text\": \"a\"}\n");
        assertFails(file, file + ": line 1: not valid JSON at column 2: expected more, got the end");
        Files.writeString(file, "{\"text\": \"a\"} {\"text\": \"b\"}\n");
        assertFails(file, file + ": line 1: not valid JSON at column 15: expected the end, got more");
        Files.writeString(file, "\n{'text': \"a\"}\n");
        assertFails(file, file + ": line 2: not valid JSON at column 2: expected a key in double quotes, got \"'\"");
        Files.writeString(file, "{\"text\": \"\\ud800\"}\n");
        assertFails(file, file + ": line 1: \"text\": expected Unicode text, got half a surrogate pair");
        Files.writeString(file, "[]");
        assertFails(file, file + ": line 1: expected an object, got an array");
    }

    @Test
    void refusesWhatIsNoCollection() throws IOException {
        assertThrows(NoSuchFileException.class, () -> CorpusReader.open(folder.resolve("absent.txt")));
        assertTrue(failure(folder).endsWith("expected corpus.jsonl or .txt files in the directory, found neither"));
        Path other = Files.writeString(folder.resolve("corpus.csv"), "a,b");
        assertTrue(failure(other).contains("expected a directory or a name ending in .txt"));
        Path packed = Files.writeString(folder.resolve("corpus.jsonl.gz"), "not packed");
        assertTrue(failure(packed).startsWith(packed + ": cannot be read: "));
    }

    private static void assertFails(Path path, String message) {
        assertEquals(message, failure(path));
    }

    private static String failure(Path path) {
        return assertThrows(FormatException.class, () -> read(path)).getMessage();
    }

    private static List<Document> read(Path path) throws IOException {
        try (CorpusReader reader = CorpusReader.open(path)) {
            List<Document> documents = new ArrayList<>();
            reader.forEachRemaining(documents::add);
            return documents;
        }
    }
}
