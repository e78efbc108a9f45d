package io.github.sgpt4j.cli.input;

import io.github.sgpt4j.cli.console.CliException;
import io.github.sgpt4j.nano.NanoModel;
import io.github.sgpt4j.retrieval.corpus.CorpusReader;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// Reads a corpus into memory.
public final class Corpus {
    private Corpus() {}

    /// The demo corpus.
    public static List<Document> demo() throws IOException {
        try (CorpusReader reader = CorpusReader.ofJsonLines(NanoModel.corpus(), "demo corpus")) {
            return read(reader);
        }
    }

    /// The documents of a reader, at least one.
    ///
    /// @param name for the error if there is none
    public static List<Document> load(Iterator<Document> reader, String name) {
        List<Document> documents = read(reader);
        if (documents.isEmpty()) {
            throw new CliException(name + ": expected documents, found none");
        }
        return documents;
    }

    /// Those of some names of metadata that no document has.
    public static Set<String> absentMetadata(List<Document> documents, Set<String> names) {
        Set<String> absent = new TreeSet<>(names);
        documents.forEach(
                document -> absent.removeAll(document.metadata().asMap().keySet()));
        return absent;
    }

    private static List<Document> read(Iterator<Document> reader) {
        List<Document> documents = new ArrayList<>();
        reader.forEachRemaining(documents::add);
        return documents;
    }
}
