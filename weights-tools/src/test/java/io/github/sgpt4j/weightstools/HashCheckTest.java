package io.github.sgpt4j.weightstools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.CancelledException;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.weightstools.VerifyReport.HashedFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Compares files with their known hashes.
class HashCheckTest {
    /// Hashes of the four bytes `hey\n`, from `sha256sum` and `git hash-object`.
    private static final String SHA256 = "4e955fea0268518cbaa500409dfbec88f0ecebad28d84ecbe250baed97dba889";

    private static final String GIT_SHA1 = "1385f264afb75a56a5bec74243be9b367ba4ca08";

    @TempDir
    Path folder;

    private final Findings findings = new Findings();

    @BeforeEach
    void makeFiles() throws IOException {
        Files.writeString(folder.resolve("model.safetensors"), "hey\n");
        Files.writeString(folder.resolve("config.json"), "hey\n");
        Files.writeString(folder.resolve("other.txt"), "hey\n");
    }

    private Map<String, HashedFile> check(Optional<Path> sums) throws IOException {
        Map<String, HashedFile> files = new TreeMap<>();
        new HashCheck(folder, new ExpectedHashes(folder, sums), findings, VerifyListener.NONE)
                .run()
                .forEach(file -> files.put(folder.relativize(file.file()).toString(), file));
        return files;
    }

    private void link(String name, String hash) throws IOException {
        Path blobs = Files.createDirectories(folder.resolve("cache/blobs"));
        Path file = folder.resolve(name);
        Files.move(file, blobs.resolve(hash));
        Files.createSymbolicLink(file, Path.of("cache/blobs").resolve(hash));
    }

    @Test
    void weightFilesAreHashedWhetherTheirHashIsKnownOrNot() throws IOException {
        Map<String, HashedFile> files = check(Optional.empty());
        assertEquals(List.of("model.safetensors"), List.copyOf(files.keySet()));
        HashedFile file = files.get("model.safetensors");
        assertEquals(SHA256, file.sha256());
        assertEquals(4, file.bytes());
        assertTrue(file.matches() && file.expectedFrom().isEmpty());
    }

    @Test
    void filesOfACacheAreComparedWithTheirBlobNames() throws IOException {
        link("model.safetensors", SHA256);
        link("config.json", GIT_SHA1);
        Map<String, HashedFile> files = check(Optional.empty());
        assertEquals(List.of("config.json", "model.safetensors"), List.copyOf(files.keySet()));
        files.values().forEach(file -> assertTrue(file.matches(), file.toString()));
        assertEquals(List.of(), findings.sorted());
        Files.writeString(folder.resolve("model.safetensors"), "he!\n");
        Files.writeString(folder.resolve("config.json"), "hey\n\n");
        files = check(Optional.empty());
        files.values().forEach(file -> assertFalse(file.matches(), file.toString()));
        assertEquals(2, findings.sorted().size());
        assertTrue(findings.sorted().get(0).message().contains("the file is damaged or was changed"));
    }

    @Test
    void recordsOfDownloadsAreUsed() throws IOException {
        Path records = Files.createDirectories(folder.resolve(".cache/huggingface/download"));
        Files.writeString(records.resolve("model.safetensors.metadata"), "0a1b\n" + SHA256 + "\n1700000000.0\n");
        Files.writeString(records.resolve("config.json.metadata"), "0a1b\n" + "0".repeat(40) + "\n1700000000.0\n");
        Files.writeString(records.resolve("other.txt.metadata"), "something else");
        Map<String, HashedFile> files = check(Optional.empty());
        assertTrue(files.get("model.safetensors").matches());
        assertEquals(
                "the record of its download",
                files.get("config.json").expectedFrom().orElseThrow());
        assertFalse(files.get("config.json").matches());
        assertEquals(2, files.size());
    }

    @Test
    void listsOfHashesAreUsed() throws IOException {
        Path list = folder.resolve("SHA256SUMS");
        Files.writeString(
                list, "# a list\n\n%s  config.json\n%s *./model.safetensors\n".formatted(SHA256, "0".repeat(64)));
        Map<String, HashedFile> files = check(Optional.empty());
        assertTrue(files.get("config.json").matches());
        assertFalse(files.get("model.safetensors").matches());
        Path other = folder.resolve("sums");
        Files.writeString(other, SHA256.toUpperCase(Locale.ROOT) + "  model.safetensors\n" + SHA256 + "  lost.bin\n");
        files = check(Optional.of(other));
        assertTrue(files.get("model.safetensors").matches());
        assertEquals(1, files.size(), "the list that was asked for replaces the checkpoint's own");
        assertTrue(findings.sorted().getLast().message().contains("lost.bin: expected the file"));
    }

    @Test
    void listsOfAnotherFormAreRefused() throws IOException {
        Path list = folder.resolve("sums");
        Files.writeString(list, SHA256 + "  model.safetensors\nhello\n");
        FormatException e = assertThrows(FormatException.class, () -> check(Optional.of(list)));
        assertTrue(
                e.getMessage().contains("line 2: expected a SHA-256 and a file name, got \"hello\""), e.getMessage());
        Files.write(list, new byte[] {(byte) 0xff, '\n'});
        assertThrows(FormatException.class, () -> check(Optional.of(list)));
        assertThrows(FormatException.class, () -> check(Optional.of(folder.resolve("nowhere"))));
    }

    @Test
    void filesOfModulesAreHashedAndProgressIsTold() throws IOException {
        Path dense = Files.createDirectories(folder.resolve("2_Dense"));
        Files.write(dense.resolve("model.safetensors"), new byte[3_000_000]);
        long[] last = new long[2];
        List<HashedFile> files = new HashCheck(
                        folder, new ExpectedHashes(folder, Optional.empty()), findings, (done, total) -> {
                            assertTrue(done > last[0], "forward");
                            last[0] = done;
                            last[1] = total;
                        })
                .run();
        assertEquals(2, files.size());
        assertEquals(3_000_004, last[0]);
        assertEquals(3_000_004, last[1]);
    }

    @Test
    void anInterruptEndsTheHashing() {
        // Does not return before the pool's threads are interrupted too.
        VerifyListener waiting = (done, total) -> {
            while (!Thread.currentThread().isInterrupted()) {
                Thread.onSpinWait();
            }
        };
        HashCheck check = new HashCheck(folder, new ExpectedHashes(folder, Optional.empty()), findings, waiting);
        Thread.currentThread().interrupt();
        CancelledException e = assertThrows(CancelledException.class, check::run);
        assertTrue(Thread.interrupted(), "the status stays set");
        assertTrue(e.getMessage().startsWith("hashing the files of " + folder), e.getMessage());
    }
}
