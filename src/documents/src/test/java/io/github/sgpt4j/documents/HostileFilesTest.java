package io.github.sgpt4j.documents;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.documents.decoding.BoundedStream;
import io.github.sgpt4j.documents.decoding.FileProblem;
import io.github.sgpt4j.documents.format.SampleFiles;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Files made to harm: each fails by name, or is read, within bounds; the others are read.
class HostileFilesTest {
    private static final int MEGABYTE = 1 << 20;
    private static final FolderOptions SMALL = FolderOfFiles.options().withLimits(MEGABYTE, 1000, 1);

    @TempDir
    private Path root;

    private FolderOfFiles folder;

    @BeforeEach
    void begin() throws IOException {
        folder = new FolderOfFiles(root);
        folder.put("z.txt", "the last");
    }

    private String reason(String name, FolderOptions options) throws IOException {
        List<Document> documents = folder.read(options);
        assertEquals("the last", documents.getLast().text());
        assertTrue(folder.failed.containsKey(name), () -> documents.toString());
        return folder.failed.get(name);
    }

    @Test
    void wordDocumentsExpandNoFurtherThanAllowed() throws IOException {
        String run = "<w:p><w:r><w:t>%s</w:t></w:r></w:p>";
        folder.put("a.docx", SampleFiles.docx("", run.formatted("x".repeat(2000))));
        assertEquals("expected at most 1,000 characters of text, got more", reason("a.docx", SMALL));
        folder.put("a.docx", SampleFiles.docx("", run.formatted("x") + " ".repeat(3 * MEGABYTE)));
        assertEquals("expected at most 1,048,576 bytes, got more", reason("a.docx", SMALL));
        folder.put("a.docx", SampleFiles.zip(Map.of("word/media/x", "\0".repeat(3 * MEGABYTE))));
        assertEquals("expected at most 1,048,576 bytes, got more", reason("a.docx", SMALL));
    }

    @Test
    void wordDocumentsHaveNoEntities() throws IOException {
        folder.put("secret", "password");
        String xml =
                "<!DOCTYPE x [<!ENTITY e SYSTEM \"%s\">]><w:document xmlns:w=\"w\"><w:p><w:t>&e;</w:t></w:p></w:document>"
                        .formatted(root.resolve("secret").toUri());
        folder.put("a.docx", SampleFiles.zip(Map.of("word/document.xml", xml)));
        assertTrue(reason("a.docx", SMALL).startsWith("no readable docx: "), folder.failed.toString());
    }

    @Test
    void gzExpandsNoFurtherThanAllowed() throws IOException {
        folder.put("a.txt.gz", SampleFiles.gzip("x".repeat(2 * MEGABYTE).getBytes(StandardCharsets.UTF_8)));
        assertEquals("expected at most 1,048,576 bytes when decompressed, got more", reason("a.txt.gz", SMALL));
        // One line of JSON Lines, and one cell, are bounded as well.
        folder.put(
                "b.jsonl.gz",
                SampleFiles.gzip(
                        "{\"text\":\"%s\"}".formatted("x".repeat(2 * MEGABYTE)).getBytes(StandardCharsets.UTF_8)));
        reason("b.jsonl.gz", SMALL);
        folder.put(
                "c.csv.gz",
                SampleFiles.gzip(
                        "text\n\"%s\"\n".formatted("x".repeat(2 * MEGABYTE)).getBytes(StandardCharsets.UTF_8)));
        reason("c.csv.gz", SMALL);
    }

    @Test
    void filesOfManyRecordsMayNotExpandWithoutEnd() throws IOException {
        byte[] bomb = SampleFiles.gzip(new byte[80 * MEGABYTE]);
        try (InputStream in =
                new BoundedStream(new GZIPInputStream(new ByteArrayInputStream(bomb)), Long.MAX_VALUE, bomb.length)) {
            FileProblem problem = assertThrows(FileProblem.class, () -> in.transferTo(OutputStream.nullOutputStream()));
            assertEquals("expands to more than 200 times its size", problem.getMessage());
        }
    }

    @Test
    void deepNestingEndsNothing() throws IOException {
        int depth = 100_000;
        folder.put("a.html", "<div>".repeat(depth) + "deep");
        folder.put("b.html", "<b><i>".repeat(2000) + "deep");
        folder.put("c.md", ">".repeat(depth) + " deep");
        folder.put("d.md", "[".repeat(depth) + "deep");
        folder.put("e.json", "[".repeat(depth));
        folder.put("f.jsonl", "{\"a\":".repeat(depth) + "1");
        folder.put("g.json", "{\"a\":".repeat(900) + "\"deep\"" + "}".repeat(900));
        List<Document> documents = assertTimeout(Duration.ofSeconds(100), () -> folder.read());
        assertEquals("the last", documents.getLast().text());
        assertTrue(folder.failed.containsKey("f.jsonl"), folder.failed.toString());
        assertTrue(documents.stream().anyMatch(found -> found.text().equals("deep")), documents.toString());
    }

    @Test
    void pdfMustNotTakeForEver() throws IOException {
        SampleFiles.endlessPdf(root.resolve("a.pdf"), 8);
        assertEquals(
                "expected to be read within 1 s, took longer",
                reason("a.pdf", FolderOfFiles.options().withLimits(MEGABYTE, 1 << 30, 1)));
        assertEquals(
                "expected at most 1,000 characters on a page, got more",
                reason("a.pdf", FolderOfFiles.options().withLimits(MEGABYTE, 1000, 100)));
    }

    @Test
    void pdfThatNeedsAPasswordIsNamed() throws IOException {
        SampleFiles.pdf(root.resolve("a.pdf"), "", "secret", "hidden text");
        assertEquals("encrypted with a password", reason("a.pdf", FolderOfFiles.options()));
    }

    @Test
    void damagedFilesAreNamed() throws IOException {
        SampleFiles.pdf(root.resolve("a.pdf"), "", "", "text");
        byte[] pdf = Files.readAllBytes(root.resolve("a.pdf"));
        folder.put("a.pdf", Arrays.copyOf(pdf, 100));
        folder.put("b.docx", Arrays.copyOf(SampleFiles.docx("", "<w:p/>"), 120));
        folder.put("c.docx", SampleFiles.docx("", "<w:p>"));
        folder.put("d.jsonl", "{\"text\":\"\\ud800\"}");
        assertEquals(1, folder.read().size());
        assertEquals(4, folder.failed.size(), folder.failed::toString);
        assertEquals("record 1: expected Unicode text, got half a surrogate pair", folder.failed.get("d.jsonl"));
    }
}
