package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.output.Output;
import io.github.sgpt4j.cli.output.ScratchFolder;
import io.github.sgpt4j.cli.output.SpoolFile;
import io.github.sgpt4j.weightstools.LockedFolder;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The next run removes what a killed run left behind, and nothing else.
class LeftoversTest {
    private static final String MODEL = Cli.model("gptneo-be");

    @TempDir
    Path folder;

    private static Output open(Path target) throws IOException {
        Console console = new Console(
                InputStream.nullInputStream(), OutputStream.nullOutputStream(), System.err, 0, false, Map.of());
        return Output.open(console, Optional.of(target.toString()));
    }

    private Set<String> names() throws IOException {
        try (var files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).collect(Collectors.toCollection(TreeSet::new));
        }
    }

    private void file(String name) throws IOException {
        Files.writeString(folder.resolve(name), "left");
    }

    private void embed(String name) {
        Cli.Result result =
                Cli.run("embed", "-m", MODEL, "-o", folder.resolve(name).toString(), "x");
        assertEquals(0, result.code(), result.err());
    }

    @Test
    void theNextRunToTheSamePlaceRemovesThem() throws IOException {
        file(".out.jsonl.0123abcd.tmp");
        file(".out.jsonl.ffffffff.tmp");
        embed("out.jsonl");
        assertEquals(Set.of("out.jsonl"), names());
    }

    @Test
    void onlyRegularFilesOfExactlyTheirNameGo() throws IOException {
        Set<String> alike = new TreeSet<>(Set.of(
                ".out.jsonl.0123ABCD.tmp",
                ".out.jsonl.0123abc.tmp",
                ".out.jsonl.0123abcd0.tmp",
                ".out.jsonl.0123abcg.tmp",
                ".out.jsonl.0123abcd.tmp.old",
                ".outxjsonl.0123abcd.tmp",
                ".other.jsonl.0123abcd.tmp",
                "out.jsonl.0123abcd.tmp",
                "x.out.jsonl.0123abcd.tmp"));
        for (String name : alike) {
            file(name);
        }
        Files.createDirectory(folder.resolve(".out.jsonl.00000001.tmp"));
        Files.writeString(
                Files.createDirectory(folder.resolve(".out.jsonl.00000002.tmp")).resolve(LockedFolder.LOCK_FILE), "");
        alike.addAll(Set.of(".out.jsonl.00000001.tmp", ".out.jsonl.00000002.tmp"));
        try {
            Files.createSymbolicLink(
                    folder.resolve(".out.jsonl.00000003.tmp"), folder.resolve("out.jsonl.0123abcd.tmp"));
            alike.add(".out.jsonl.00000003.tmp");
        } catch (IOException | UnsupportedOperationException e) {
            System.out.println("LeftoversTest: without symbolic links: " + e);
        }
        embed("out.jsonl");
        alike.add("out.jsonl");
        assertEquals(alike, names());
    }

    @Test
    void whatThisProcessWritesStaysWhoeverElseWritesThere() throws IOException {
        Path target = folder.resolve("out.jsonl");
        try (Output first = open(target);
                Output second = open(target)) {
            embed("out.jsonl");
            second.stream().write('2');
            second.finish();
            first.stream().write('1');
            // Checking the file did not release its lock: another process leaves it alone too.
            assertEquals(
                    1, names().stream().filter(name -> name.endsWith(".tmp")).count());
            otherProcessEmbeds(target);
            first.finish();
        }
        assertArrayEquals(new byte[] {'1'}, Files.readAllBytes(target));
        assertEquals(Set.of("out.jsonl"), names());
    }

    private void otherProcessEmbeds(Path target) throws IOException {
        List<String> command = new ArrayList<>(ChildCommand.java(Main.class));
        command.addAll(List.of("embed", "-m", MODEL, "-o", target.toString(), "y"));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.onExit().join().exitValue(), said);
        assertTrue(Files.readString(target).contains("\"y\""), said);
    }

    @Test
    void foldersForIndexesGoLikewise() throws IOException {
        Path left = Files.createDirectories(folder.resolve("bm25-0123456789abcdef"));
        Files.createFile(left.resolve(LockedFolder.LOCK_FILE));
        Files.createFile(Files.createDirectory(left.resolve("files")).resolve("_0.cfs"));
        Files.createDirectory(folder.resolve("bm25-0000000000000000"));
        Files.createFile(
                Files.createDirectory(folder.resolve("bm25-1111111111111111")).resolve("no lock"));
        Files.createDirectory(folder.resolve("bm25-2"));
        file("bm25-3333333333333333");
        Set<String> kept = new TreeSet<>(Set.of("bm25-1111111111111111", "bm25-2", "bm25-3333333333333333"));
        try (ScratchFolder one = ScratchFolder.in(folder, "bm25-");
                ScratchFolder two = ScratchFolder.in(folder, "bm25-")) {
            assertTrue(Files.isDirectory(one.path()) && Files.isDirectory(two.path()));
            assertEquals(kept.size() + 2, names().size(), names().toString());
        }
        assertEquals(kept, names());
    }

    @Test
    void aFileToCopyFromHasNoNameWhereThatIsPossible() throws IOException {
        Assumptions.assumeTrue(
                FileSystems.getDefault().supportedFileAttributeViews().contains("posix"),
                "needs files that can be used without a name");
        try (var channel = SpoolFile.create().channel()) {
            assertTrue(channel.isOpen());
        }
        SpoolFile spool = SpoolFile.create();
        assertFalse(Files.exists(spool.path()));
        spool.channel().close();
    }

    @Test
    void aFolderForTemporaryFilesThatIsNotThereIsASentence() {
        String before = System.getProperty("java.io.tmpdir");
        Path absent = folder.resolve("absent");
        System.setProperty("java.io.tmpdir", absent.toString());
        try {
            assertEquals(
                    absent
                            + ": expected a directory in which temporary files can be created: no such file or directory",
                    Cli.run("embed", "-m", MODEL, "--format", "npy", "x").failure(1));
        } finally {
            System.setProperty("java.io.tmpdir", before);
        }
    }
}
