package io.github.sgpt4j.documents;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.documents.format.SampleFiles;
import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is read of a folder, file by file.
class FolderReaderTest {
    @TempDir
    private Path root;

    private FolderOfFiles folder;

    @BeforeEach
    void begin() {
        folder = new FolderOfFiles(root);
    }

    @Test
    void aFileIsADocumentWithItsPlaceAndTime() throws IOException {
        folder.put("b/note.txt", "one\n\ntwo\n");
        folder.put("a.java", "class A {}");
        List<Document> documents = folder.read();
        assertEquals(
                List.of("a.java", "b/note.txt"),
                documents.stream().map(Document::id).toList());
        Document note = documents.getLast();
        assertEquals("one\n\ntwo\n", note.text());
        assertEquals(Optional.empty(), note.title());
        assertEquals(
                Map.of("path", "b/note.txt", "kind", "text", "modified", "2026-01-31T22:59:59Z"),
                note.metadata().asMap());
    }

    @Test
    void markdownLosesItsMarks() throws IOException {
        Document document = folder.one(
                "a.md",
                "# The *title*\n\nA [link](http://x) and `code`.\n\n- one\n- two\n\n```\nx = 1\n```\n\n<p>web <i>page</i></p>\n");
        assertEquals("The title", document.title().orElseThrow());
        assertEquals("A link and code.\none\ntwo\nx = 1\nweb page", document.text());
        assertEquals("markdown", document.metadata().get("kind").orElseThrow());
        Document matter = folder.one("b.markdown", "---\ntags: x\ntitle: \"From above\"\n---\n\nText.\n\n# Later\n");
        assertEquals("From above", matter.title().orElseThrow());
        assertEquals("Text.\nLater", matter.text());
        assertEquals("rule", folder.one("c.md", "---\n\nrule\n").text());
    }

    @Test
    void restructuredTextHasATitle() throws IOException {
        Document document = folder.one("a.rst", "\n=====\nTitle\n=====\n\nSome text\n---------\n\nmore");
        assertEquals("Title", document.title().orElseThrow());
        assertEquals("Some text\n---------\n\nmore", document.text());
        assertEquals("Title", folder.one("b.rst", "Title\n~~~~~\nx").title().orElseThrow());
        assertEquals(Optional.empty(), folder.one("c.rst", "No title\n~~~\nx").title());
    }

    @Test
    void webPagesAreWhatTheyShow() throws IOException {
        Document document = folder.one(
                "a.html",
                "<html><head><title> A  page </title><style>p{}</style></head><body><h1>Head</h1><p>one <b>bo</b>ld"
                        + "<script>x()</script></p><table><tr><td>1</td><td>2</td></tr></table><pre>a\n  b</pre>c<br>d"
                        + "&eacute;</body></html>");
        assertEquals("A page", document.title().orElseThrow());
        assertEquals("Head\none bold\n1 2\na\n  b\nc\ndé", document.text());
        assertEquals("Head", folder.one("b.htm", "<h1>Head</h1>text").title().orElseThrow());
    }

    @Test
    void webPagesSayTheirEncoding() throws IOException {
        byte[] declared = "<meta charset=iso-8859-15><p>5 \u20AC".getBytes(Charset.forName("iso-8859-15"));
        assertEquals("5 €", folder.one("a.html", declared).text());
        assertEquals(Map.of(), folder.told);
        assertEquals(
                "café",
                folder.one("b.html", "<p>caf\u00E9".getBytes(StandardCharsets.ISO_8859_1))
                        .text());
        assertEquals(Map.of("b.html", "not UTF-8, read as windows-1252"), folder.told);
    }

    @Test
    void pdfHasPagesAndATitle() throws IOException {
        Path file = root.resolve("a.pdf");
        SampleFiles.pdf(file, "Spiders", "", "a morbid fear", "of spiders");
        byte[] bytes = Files.readAllBytes(file);
        Document document = folder.one("a.pdf", bytes);
        assertEquals("a morbid fear\nof spiders", document.text());
        assertEquals("Spiders", document.title().orElseThrow());
        assertEquals(2L, document.metadata().get("pages").orElseThrow());
        assertEquals(
                document.text(), folder.one("a.pdf.gz", SampleFiles.gzip(bytes)).text());
    }

    @Test
    void wordDocumentsAreTheirParagraphs() throws IOException {
        String body = "<w:p><w:pPr><w:pStyle w:val=\"Title\"/></w:pPr><w:r><w:t>Styled</w:t></w:r></w:p>"
                + "<w:p><w:r><w:t>one </w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
                + "<w:r><w:t>two</w:t><w:tab/><w:t>three &amp; more</w:t></w:r></w:p>"
                + "<mc:AlternateContent><mc:Choice><w:p><w:r><w:t>box</w:t></w:r></w:p></mc:Choice>"
                + "<mc:Fallback><w:p><w:r><w:t>box</w:t></w:r></w:p></mc:Fallback></mc:AlternateContent>";
        Document document = folder.one("a.docx", SampleFiles.docx("From properties", body));
        assertEquals("From properties", document.title().orElseThrow());
        assertEquals("Styled\none two\tthree & more\nbox", document.text());
        assertEquals(
                "Styled",
                folder.one("b.docx", SampleFiles.docx("", body)).title().orElseThrow());
    }

    @Test
    void aTableIsADocumentPerRow() throws IOException {
        folder.put("a.csv", "id,Title,Body,year\n7,Bread,\"made of\nflour, \"\"white\"\"\",2020\n8,Water,is wet,n/a\n");
        List<Document> documents = folder.read(FolderOfFiles.options().withMetadataFields(List.of("year")));
        assertEquals(
                List.of("a.csv#1", "a.csv#2"),
                documents.stream().map(Document::id).toList());
        Document bread = documents.getFirst();
        assertEquals("Bread", bread.title().orElseThrow());
        assertEquals("made of\nflour, \"white\"", bread.text());
        assertEquals(2020L, bread.metadata().get("year").orElseThrow());
        assertEquals("7", bread.metadata().get("id").orElseThrow());
        assertEquals(1L, bread.metadata().get("record").orElseThrow());
        assertEquals("n/a", documents.getLast().metadata().get("year").orElseThrow());
        assertEquals(Map.of("a.csv", "text from \"Body\", title from \"Title\""), folder.told);
    }

    @Test
    void aTableWithoutKnownColumnsIsReadWhole() throws IOException {
        Document tabs = folder.one("a.tsv", "city\tnote\nRome\tsays \"hi\n");
        assertEquals("city: Rome\nnote: says \"hi", tabs.text());
        assertEquals(
                "the first row is taken for names of columns (city, note), and all columns are read",
                folder.told.get("a.tsv"));
        Document semicolons = folder.one("b.csv", "city;note\nRome;old, big\n");
        assertEquals("city: Rome\nnote: old, big", semicolons.text());
        folder.put("c.csv", "1,2\n3,4\n");
        List<Document> rows = folder.read();
        assertEquals(2, rows.size());
        assertEquals("column 1: 1\ncolumn 2: 2", rows.getFirst().text());
    }

    @Test
    void jsonIsADocumentPerObject() throws IOException {
        folder.put(
                "a.jsonl",
                "{\"_id\":\"x\",\"title\":\"T\",\"text\":\"U\",\"metadata\":{\"tags\":[\"a\",\"b\"]},\"year\":1}\n\n"
                        + "{\"text\":\"V\"}\n{\"text\":\"\"}\n");
        folder.put("b.json", "[{\"body\":\"one\"},{\"body\":\"two\"}]");
        folder.put("c.json", "{\"n\":{\"deep\":true},\"list\":[1,2],\"none\":null}");
        folder.put("d.json", "// settings\n{}");
        List<Document> documents = folder.read(FolderOfFiles.options().withMetadataFields(List.of("year")));
        assertEquals(
                List.of("a.jsonl#1", "a.jsonl#2", "b.json#1", "b.json#2", "c.json", "d.json"),
                documents.stream().map(Document::id).toList());
        Document first = documents.getFirst();
        assertEquals("T U", first.joined());
        assertEquals(List.of("a", "b"), first.metadata().get("tags").orElseThrow());
        assertEquals(1L, first.metadata().get("year").orElseThrow());
        assertEquals("x", first.metadata().get("id").orElseThrow());
        assertEquals("n.deep: true\nlist: 1, 2", documents.get(4).text());
        assertEquals("// settings\n{}", documents.get(5).text());
        assertEquals("records without text, left out: 1", folder.told.get("a.jsonl"));
    }

    @Test
    void encodingsAreFoundOrRefused() throws IOException {
        assertEquals("é", folder.one("a.txt", "\uFEFFé").text());
        assertEquals(
                "é",
                folder.one("b.txt", "\uFEFFé".getBytes(StandardCharsets.UTF_16LE))
                        .text());
        assertEquals(
                "é",
                folder.one("c.txt", "\uFEFFé".getBytes(StandardCharsets.UTF_16BE))
                        .text());
        assertEquals(Map.of(), folder.told);
        assertEquals(
                "a café",
                folder.one("d.txt", "a café".getBytes(StandardCharsets.ISO_8859_1))
                        .text());
        assertTrue(folder.told.containsKey("d.txt"));
        folder.put("e.txt", "съешь ещё этих мягких".getBytes(Charset.forName("koi8-r")));
        folder.put("f.txt", new byte[] {'a', 0, 'b'});
        folder.put("g", new byte[] {'a', 0, 'b'});
        folder.put("h.csv", "a,b\ncaf\u00E9,x\n".getBytes(StandardCharsets.ISO_8859_1));
        assertEquals("a: café\nb: x", folder.read().getFirst().text());
        assertEquals("expected UTF-8 or Latin-1, got another encoding", folder.failed.get("e.txt"));
        assertEquals("expected text, got a zero byte", folder.failed.get("f.txt"));
        assertEquals("binary files", folder.passedOver.get("g"));
    }

    /// A multi-byte character may lie on the edge of two blocks.
    @Test
    void longTextsAreUtf8Everywhere() throws IOException {
        for (int shift = 0; shift < 3; shift++) {
            String text = "x".repeat((1 << 16) - 2 + shift) + "é€😀";
            assertEquals(text, folder.one("a.txt", text).text());
            assertEquals(
                    text, folder.one("a.csv", "text,n\n%s,1\n".formatted(text)).text());
        }
        byte[] cut = ("x".repeat(1 << 16) + "é").getBytes(StandardCharsets.UTF_8);
        folder.one("b.txt", Arrays.copyOf(cut, cut.length - 1));
        assertTrue(folder.told.containsKey("b.txt"), "a character that is cut off is no UTF-8");
    }

    @Test
    void whatIsNoTextIsPassedOver() throws IOException {
        folder.put("a.png", "x");
        folder.put("b.zip", "x");
        folder.put("c.txt", "");
        folder.put(".d", "x");
        folder.put(".git/config", "x");
        folder.put("e.html", "<script>only()</script>");
        folder.put("f.doc", "x");
        folder.put("g.txt", "12345678901");
        folder.put("h.md", "text");
        Files.createSymbolicLink(root.resolve("i.txt"), root.resolve("h.md"));
        Files.createSymbolicLink(root.resolve("loop"), root);
        List<Document> documents = folder.read(FolderOfFiles.options().withLimits(30, 20, 1));
        assertEquals(
                List.of("g.txt", "h.md"), documents.stream().map(Document::id).toList());
        folder.read(FolderOfFiles.options().withLimits(10, 20, 1));
        assertEquals("too large", folder.passedOver.get("g.txt"));
        assertEquals(
                "read 1 file (1 .md); passed over 10 (2 links, 2 too large, 1 archives, 1 documents of other programs,"
                        + " 1 empty, 1 hidden, 1 hidden folders, 1 images)",
                folder.report.orElseThrow().sentence());
    }

    @Test
    void gzAreReadAsWhatTheyHold() throws IOException {
        folder.put("a.md.gz", SampleFiles.gzip("# T\n\ntext".getBytes(StandardCharsets.UTF_8)));
        folder.put("changelog.gz", SampleFiles.gzip("fixed".getBytes(StandardCharsets.UTF_8)));
        folder.put("x.tar.gz", SampleFiles.gzip("x".getBytes(StandardCharsets.UTF_8)));
        folder.put("cut.txt.gz", Arrays.copyOf(SampleFiles.gzip(new byte[] {'a', 'b', 'c'}), 15));
        List<Document> documents = folder.read();
        assertEquals(
                List.of("T text", "fixed"),
                documents.stream().map(Document::joined).toList());
        assertEquals("archives", folder.passedOver.get("x.tar.gz"));
        assertEquals(Map.of("cut.txt.gz", "the gz file ends within a member"), folder.failed);
        assertEquals(
                Map.of(".md.gz", 1L, ".gz", 1L), folder.report.orElseThrow().read());
    }

    @Test
    void whatCannotBeReadIsNamedAndTheRestIsRead() throws IOException {
        folder.put("a.jsonl", "{\"text\":\"one\"}\n{\"text\":\n");
        folder.put("b.jsonl", "[]\n");
        folder.put("c.docx", "no zip");
        folder.put("d.txt", "last");
        Path secret = folder.put("e/f.txt", "x").getParent();
        boolean locked = !System.getProperty("user.name").equals("root");
        if (locked) {
            Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("---------"));
        }
        List<Document> documents = folder.read();
        if (locked) {
            Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rwx------"));
            assertEquals("permission denied", folder.failed.remove("e"));
        }
        assertEquals("one", documents.getFirst().text());
        assertTrue(documents.stream().anyMatch(document -> document.text().equals("last")));
        assertEquals(List.of("a.jsonl", "b.jsonl", "c.docx"), List.copyOf(folder.failed.keySet()));
        assertTrue(folder.failed.get("a.jsonl").startsWith("line 2: "), folder.failed.get("a.jsonl"));
        assertTrue(folder.failed.get("a.jsonl").endsWith(", after 1 documents"), folder.failed.get("a.jsonl"));
        assertEquals("line 1: expected an object, got an array", folder.failed.get("b.jsonl"));
        assertTrue(folder.failed.get("c.docx").startsWith("no readable docx: "), folder.failed.get("c.docx"));
        String line = folder.report.orElseThrow().sentence();
        assertTrue(line.contains("; failed 3: a.jsonl (line 2: "), line);
    }

    @Test
    void anInterruptEndsReading() throws IOException {
        folder.put("a.txt", "x");
        try (FolderReader reader = FolderReader.open(root, FolderOfFiles.options(), FolderListener.NONE)) {
            Thread.currentThread().interrupt();
            assertThrows(CancelledException.class, reader::hasNext);
            assertTrue(Thread.interrupted());
            assertEquals("x", reader.next().text());
            assertFalse(reader.hasNext());
        }
    }

    @Test
    void aFileIsNoFolder() throws IOException {
        Path file = folder.put("a.txt", "x");
        assertTrue(assertThrows(
                        FormatException.class,
                        () -> FolderReader.open(file, FolderOfFiles.options(), FolderListener.NONE))
                .getMessage()
                .endsWith("expected a directory, got a file"));
        assertTrue(FolderReader.hasFiles(root, FolderOfFiles.options()));
    }
}
