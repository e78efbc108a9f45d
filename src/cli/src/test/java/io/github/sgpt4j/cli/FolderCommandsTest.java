package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `sgpt index DIR` and `sgpt search` with folders of any files.
class FolderCommandsTest {
    @TempDir
    private Path root;

    private Path folder;
    private String name;

    @BeforeEach
    void fill() throws IOException {
        folder = Files.createDirectory(root.resolve("notes"));
        name = folder.toString();
        Files.writeString(folder.resolve("spiders.md"), "# Arachnophobia\n\na morbid *fear* of spiders\n");
        Files.writeString(folder.resolve("bread.html"), "<title>Bakery</title><p>a place where bread is made</p>");
        Files.writeString(folder.resolve("places.csv"), "title,text,size\nsea,a large body of salt water,9\n");
        Files.write(folder.resolve("doctor.docx"), docx("a doctor for children"));
        Files.writeString(folder.resolve("picture.png"), "x");
        Files.writeString(folder.resolve(".hidden"), "x");
        Files.writeString(folder.resolve("broken.pdf"), "no PDF");
        // A file that was changed just now is not noted as read, since it might change again within its time stamp.
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(60)));
            }
        }
    }

    private static byte[] docx(String text) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            zip.putNextEntry(new ZipEntry("word/document.xml"));
            zip.write("<w:document xmlns:w=\"w\"><w:p><w:t>%s</w:t></w:p></w:document>"
                    .formatted(text)
                    .getBytes(StandardCharsets.UTF_8));
        }
        return bytes.toByteArray();
    }

    private String first(String query) {
        List<JsonNode> found = Cli.run("search", "--index", name, "--format", "jsonl", "-k", "1", query)
                .lines();
        return found.getFirst().get("id").asText();
    }

    @Test
    void theIndexLiesInTheFolder() {
        Cli.Result made = Cli.run("index", name);
        assertEquals(0, made.code(), made.err());
        assertTrue(
                made.err()
                        .contains(name + ": read 4 files (1 .csv, 1 .docx, 1 .html, 1 .md); passed over 2 (1 hidden,"
                                + " 1 images); failed 1: broken.pdf (no readable PDF: "),
                made.err());
        assertTrue(made.err().contains("4 added"), made.err());
        assertTrue(Files.isDirectory(folder.resolve(".sgpt")));
        assertEquals("spiders.md", first("fear of spiders"));
        assertEquals("doctor.docx", first("a pediatrician for children"));
        assertEquals("places.csv#1", first("sea of salt water"));
        Cli.Result found = Cli.run("search", "--index", name, "bread");
        assertEquals("sgpt: searching the index %s\n".formatted(folder.resolve(".sgpt")), found.err());
        String again = Cli.run("index", "--corpus", name).err();
        assertTrue(again.contains("read 0 files, 4 unchanged since they were read before; passed over 2"), again);
        assertEquals("", Cli.run("index", name, "--quiet").err());
    }

    @Test
    void anIndexMayLieElsewhere() throws IOException {
        String index = root.resolve("index").toString();
        assertEquals(0, Cli.run("index", name, "--index", index, "--quiet").code());
        assertFalse(Files.exists(folder.resolve(".sgpt")));
        assertEquals("", Cli.run("search", "--index", index, "bread").err());
        Files.delete(folder.resolve("spiders.md"));
        String kept = Cli.run("index", name, "--index", index).err();
        assertTrue(kept.contains("0 removed; 0 texts embedded"), kept);
        String removed =
                Cli.run("index", name, "--index", index, "--remove-missing").err();
        assertTrue(removed.contains("1 removed; 0 texts embedded"), removed);
        assertTrue(removed.contains("has 3 documents"), removed);
    }

    @Test
    void searchesInMemory() {
        Cli.Result found = Cli.run(
                "search",
                "--corpus",
                name,
                "--format",
                "jsonl",
                "-k",
                "1",
                "--where",
                "size = 9",
                "--metadata-fields",
                "size",
                "water");
        assertEquals("places.csv#1", found.lines().getFirst().get("id").asText());
        assertTrue(found.err().contains("read 4 files"), found.err());
    }

    @Test
    void verboseNamesEachFileAndStrictRefuses() {
        String said = Cli.run("index", name, "--verbose").err();
        assertTrue(said.contains("sgpt: picture.png: passed over: images\n"), said);
        assertTrue(said.contains("sgpt: .hidden: passed over: hidden\n"), said);
        assertTrue(said.contains("sgpt: broken.pdf: failed: no readable PDF: "), said);
        String refused = Cli.run("index", name, "--strict").failure(1);
        assertTrue(refused.startsWith("broken.pdf: no readable PDF: "), refused);
        assertTrue(refused.endsWith(" (an error with --strict)"), refused);
        assertTrue(
                Cli.run("search", "--corpus", name, "--strict", "x").failure(1).contains("with --strict"));
    }

    @Test
    void beirFoldersAndFilesKeepTheirMeaning() throws IOException {
        Path beir = Files.createDirectory(root.resolve("beir"));
        Files.writeString(beir.resolve("corpus.jsonl"), "{\"_id\":\"7\",\"text\":\"bread\"}\n");
        Files.writeString(beir.resolve("other.md"), "not read");
        Cli.Result made = Cli.run("index", beir.toString());
        assertTrue(made.err().startsWith("sgpt: 1 documents read"), made.err());
        assertEquals(
                "7",
                Cli.run("search", "--index", beir.toString(), "--format", "jsonl", "bread")
                        .lines()
                        .getFirst()
                        .get("id")
                        .asText());
        Path lines = Files.writeString(root.resolve("a.txt"), "one\ntwo\n");
        String index = root.resolve("index").toString();
        assertTrue(Cli.run("index", lines.toString(), "--index", index).err().contains("has 2 documents"));
    }

    @Test
    void refusesWhatHasNoEffect() throws IOException {
        Path file = Files.writeString(root.resolve("a.txt"), "one\n");
        String index = root.resolve("index").toString();
        String[][] commands = {
            {"index", file.toString(), "--index", index, "--watch"},
            {"index", file.toString(), "--index", index, "--verbose"},
            {"search", "--index", index, "--verbose", "x"},
            {"search", "--verbose", "x"},
            {"index", "--merge", name, "--index", index, "--watch"},
        };
        for (String[] command : commands) {
            assertTrue(Cli.run(command).failure(2).contains("has no effect"), String.join(" ", command));
        }
        assertTrue(Cli.run("index", file.toString()).failure(2).contains("expected --index, or a directory"));
        assertTrue(Cli.run("index", "--merge", name).failure(2).contains("expected --index, got none"));
        assertTrue(Cli.run("index", name, "--corpus", name).failure(2).contains("expected documents once"));
        assertFalse(Files.exists(root.resolve("index")));
        Path empty = Files.createDirectory(root.resolve("empty"));
        Files.writeString(empty.resolve("a.png"), "x");
        String line = Cli.run("index", empty.toString()).failure(1);
        assertEquals(empty + ": expected files to read, found none: read 0 files; passed over 1 (1 images)", line);
        assertFalse(Files.exists(empty.resolve(".sgpt")));
    }

    @Test
    void watchFollowsUntilItIsInterrupted() throws Exception {
        Cli.Result[] result = new Cli.Result[1];
        Thread command = new Thread(() -> result[0] = Cli.run("index", name, "--watch"));
        command.start();
        try {
            waitFor(4);
            Files.writeString(folder.resolve("heat.txt"), "an instrument for measuring temperature");
            Files.delete(folder.resolve("bread.html"));
            long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
            while (!first("thermometer for temperature").equals("heat.txt") && System.nanoTime() < end) {
                Thread.sleep(200);
            }
            waitFor(4);
        } finally {
            command.interrupt();
            command.join(TimeUnit.MINUTES.toMillis(1));
        }
        assertEquals(130, result[0].code(), result[0].err());
        assertTrue(
                result[0].err().contains(": documents added 1, replaced 0, removed 1; files that cannot be read 1; "),
                result[0].err());
        assertTrue(result[0].err().endsWith("has 4 documents\n"), result[0].err());
    }

    /// Waits until the index has so many documents and the command watches.
    private void waitFor(int documents) throws Exception {
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
        while (System.nanoTime() < end) {
            Cli.Result found = Cli.run("search", "--index", name, "--format", "jsonl", "x");
            if (found.code() == 0 && found.text().lines().count() == documents) {
                // The first look of the watch comes right after the commit.
                Thread.sleep(1000);
                return;
            }
            Thread.sleep(200);
        }
        throw new AssertionError("expected %d documents in the index".formatted(documents));
    }
}
