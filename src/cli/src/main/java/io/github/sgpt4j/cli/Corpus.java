package io.github.sgpt4j.cli;

import io.github.sgpt4j.nano.NanoModel;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Reads the documents to search.
final class Corpus {
    private static final List<String> BEIR_NAMES = List.of("corpus.jsonl", "corpus.jsonl.gz");

    private Corpus() {}

    /// The demo corpus.
    static List<Document> demo() throws IOException {
        try (TextInput in = TextInput.ofJsonLines(NanoModel.corpus(), "demo corpus")) {
            return read(in);
        }
    }

    /// A file of documents, or a directory: with `corpus.jsonl` as BEIR lays it out, or with a `.txt` file per
    /// document.
    static List<Document> load(String name, Console console) throws IOException {
        Path path = TextInput.path(name);
        if (!Files.isDirectory(path)) {
            return loadFile(name, console);
        }
        for (String file : BEIR_NAMES) {
            if (Files.isRegularFile(path.resolve(file))) {
                return loadFile(path.resolve(file).toString(), console);
            }
        }
        List<Document> documents = loadTexts(path);
        if (documents.isEmpty()) {
            throw new CliException(name + ": expected corpus.jsonl or .txt files in the directory, found neither");
        }
        return documents;
    }

    private static List<Document> loadFile(String name, Console console) throws IOException {
        if (name.equals("-") || !TextInput.isSupported(name)) {
            throw new CliException(
                    "%s: expected a directory or a name ending in .txt, .jsonl, .txt.gz or .jsonl.gz".formatted(name));
        }
        try (TextInput in = TextInput.open(name, console)) {
            List<Document> documents = read(in);
            if (documents.isEmpty()) {
                throw new CliException(name + ": expected documents, found none");
            }
            return documents;
        }
    }

    private static List<Document> read(TextInput in) {
        List<Document> documents = new ArrayList<>();
        for (List<InputRecord> chunk = in.chunk(); !chunk.isEmpty(); chunk = in.chunk()) {
            for (InputRecord record : chunk) {
                documents.add(Document.of(record, documents.size()));
            }
        }
        return documents;
    }

    /// Each file a document, ordered by name.
    private static List<Document> loadTexts(Path directory) throws IOException {
        List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, "*.txt")) {
            entries.forEach(files::add);
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        files.sort(null);
        List<Document> documents = new ArrayList<>();
        for (Path file : files) {
            String name = String.valueOf(file.getFileName());
            documents.add(new Document(name, Optional.empty(), LineReader.readWhole(file)));
        }
        return documents;
    }
}
