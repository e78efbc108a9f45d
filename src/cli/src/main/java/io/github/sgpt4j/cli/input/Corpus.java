package io.github.sgpt4j.cli.input;

import io.github.sgpt4j.cli.console.CliException;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.corpus.CorpusReader;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// Reads a corpus into memory.
public final class Corpus {
    private Corpus() {}

    /// The demo corpus.
    public static List<Document> demo() throws IOException {
        try (CorpusReader reader = CorpusReader.ofJsonLines(NanoModel.corpus(), "demo corpus")) {
            return read(reader);
        }
    }

    /// The documents at a path.
    public static List<Document> load(String name) throws IOException {
        try (CorpusReader reader = CorpusReader.open(TextInput.path(name))) {
            List<Document> documents = read(reader);
            if (documents.isEmpty()) {
                throw new CliException(name + ": expected documents, found none");
            }
            return documents;
        }
    }

    private static List<Document> read(CorpusReader reader) {
        List<Document> documents = new ArrayList<>();
        reader.forEachRemaining(documents::add);
        return documents;
    }
}
