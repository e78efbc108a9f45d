package io.github.sgpt4j.documents;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A folder that a test fills, and what is read of it.
final class FolderOfFiles {
    /// Long enough ago for a file to count as unchanged.
    static final Instant THEN = Instant.parse("2026-01-31T22:59:59.5Z");

    final Path root;
    final Map<String, String> passedOver = new LinkedHashMap<>();
    final Map<String, String> failed = new LinkedHashMap<>();
    final Map<String, String> told = new LinkedHashMap<>();

    /// What the last reading reported.
    Optional<FolderReport> report = Optional.empty();

    final FolderListener listener = new FolderListener() {
        @Override
        public void passedOver(String name, String reason) {
            passedOver.put(name, reason);
        }

        @Override
        public void failed(String name, String reason) {
            failed.put(name, reason);
        }

        @Override
        public void told(String name, String sentence) {
            told.put(name, sentence);
        }
    };

    FolderOfFiles(Path root) {
        this.root = root;
    }

    Path put(String name, String text) throws IOException {
        return put(name, text.getBytes(StandardCharsets.UTF_8));
    }

    Path put(String name, byte[] bytes) throws IOException {
        Path file = root.resolve(name);
        Files.createDirectories(file.getParent());
        Files.write(file, bytes);
        Files.setLastModifiedTime(file, FileTime.from(THEN));
        return file;
    }

    static FolderOptions options() {
        return FolderOptions.DEFAULT.withSystemFonts(false);
    }

    List<Document> read() throws IOException {
        return read(options());
    }

    List<Document> read(FolderOptions options) throws IOException {
        List<Document> documents = new ArrayList<>();
        try (FolderReader reader = FolderReader.open(root, options, listener)) {
            reader.forEachRemaining(documents::add);
            report = Optional.of(reader.report());
            assertTrue(reader.position() == reader.size(), reader.position() + " of " + reader.size());
        }
        return documents;
    }

    /// The only document of a folder with this file only.
    Document one(String name, byte[] bytes) throws IOException {
        put(name, bytes);
        List<Document> documents = read();
        assertTrue(documents.size() == 1, () -> documents + " " + failed + " " + passedOver);
        Files.delete(root.resolve(name));
        return documents.getFirst();
    }

    Document one(String name, String text) throws IOException {
        return one(name, text.getBytes(StandardCharsets.UTF_8));
    }
}
