package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.corpus.CorpusReader;
import io.github.sgpt4j.retrieval.corpus.RecordReader;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A collection in BEIR's layout (Thakur et al. 2021, arXiv 2104.08663): a folder with `corpus.jsonl`,
/// `queries.jsonl` and `qrels/SPLIT.tsv`, each optionally with `.gz`.
///
/// @param name the folder's name
/// @param directory the folder
/// @param queries texts by id, of the queries that the split judges, in the split's order
/// @param qrels the split's judgements
/// @param files corpus, queries and judgements
public record BeirDataset(String name, Path directory, Map<String, String> queries, Qrels qrels, List<Path> files) {
    private static final String CORPUS = "corpus.jsonl";
    private static final String QUERIES = "queries.jsonl";

    /// Keeps copies of the collections.
    public BeirDataset {
        queries = Collections.unmodifiableMap(new LinkedHashMap<>(queries));
        files = List.copyOf(files);
    }

    /// Reads a collection's queries and judgements; the corpus is read when it is needed.
    ///
    /// @param split such as `test`
    /// @throws FormatException if a file is missing or malformed, or a judged query has no text
    /// @throws IOException if a file cannot be read
    public static BeirDataset open(Path directory, String split) throws IOException {
        return open(nameOf(directory), directory, directory.resolve("qrels"), split);
    }

    /// As [#open(Path, String)], for a collection whose judgements may be elsewhere.
    ///
    /// @param name of the collection
    /// @param directory has corpus and queries
    /// @param splits the folder of `SPLIT.tsv`
    /// @param split such as `test`
    public static BeirDataset open(String name, Path directory, Path splits, String split) throws IOException {
        Path corpus = require(directory, CORPUS);
        Path judgements = find(splits, split + ".tsv")
                .orElseThrow(() -> new FormatException("%s: expected judgements of split \"%s\" in %s, found %s"
                        .formatted(directory, split, splits.getFileName(), splits(splits))));
        Qrels qrels = Qrels.read(judgements);
        Path file = require(directory, QUERIES);
        Map<String, String> texts = queryTexts(file, qrels);
        Map<String, String> queries = new LinkedHashMap<>();
        for (String query : qrels.queries()) {
            String text = texts.get(query);
            if (text == null) {
                throw new FormatException("%s: expected a text for query %s, which %s judges, found none"
                        .formatted(file, ShownText.quoted(query), judgements));
            }
            queries.put(query, text);
        }
        return new BeirDataset(name, directory, queries, qrels, List.of(corpus, file, judgements));
    }

    /// Opens a collection, or all parts of a folder of collections, such as CQADupStack with its
    /// forums, whose results are averaged.
    ///
    /// @return one collection, or the parts in the order of their names
    /// @throws IOException if a folder cannot be read
    public static List<BeirDataset> openAll(Path directory, String split) throws IOException {
        if (find(directory, CORPUS).isPresent()) {
            return List.of(open(directory, split));
        }
        List<Path> parts = new ArrayList<>();
        if (Files.isDirectory(directory)) {
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, Files::isDirectory)) {
                for (Path entry : entries) {
                    if (find(entry, CORPUS).isPresent()) {
                        parts.add(entry);
                    }
                }
            } catch (DirectoryIteratorException e) {
                throw e.getCause();
            }
        }
        if (parts.isEmpty()) {
            throw new FormatException(
                    directory + ": expected a folder with corpus.jsonl, or a folder of such folders, found none");
        }
        parts.sort(null);
        List<BeirDataset> datasets = new ArrayList<>();
        for (Path part : parts) {
            datasets.add(open(part, split));
        }
        return datasets;
    }

    private static Map<String, String> queryTexts(Path file, Qrels qrels) throws IOException {
        Map<String, String> texts = new LinkedHashMap<>();
        try (RecordReader records = RecordReader.open(file)) {
            while (records.hasNext()) {
                TextRecord record = records.next();
                String id = record.id()
                        .orElseThrow(() -> new FormatException(record.where() + ": expected \"_id\", found none"));
                String text = record.text()
                        .orElseThrow(() -> new FormatException(record.where() + ": expected \"text\", found none"));
                if (qrels.queries().contains(id) && texts.put(id, text) != null) {
                    throw new FormatException(
                            "%s: query %s occurs a second time".formatted(record.where(), ShownText.quoted(id)));
                }
            }
        }
        return texts;
    }

    private static Path require(Path directory, String name) {
        return find(directory, name)
                .orElseThrow(() -> new FormatException(
                        "%s: expected %s or %s.gz in the folder, found neither".formatted(directory, name, name)));
    }

    private static Optional<Path> find(Path directory, String name) {
        for (String candidate : List.of(name, name + ".gz")) {
            if (Files.isRegularFile(directory.resolve(candidate))) {
                return Optional.of(directory.resolve(candidate));
            }
        }
        return Optional.empty();
    }

    private static String splits(Path folder) {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                names.add(String.valueOf(file.getFileName()));
            }
        } catch (IOException | DirectoryIteratorException e) {
            return "no such folder";
        }
        names.sort(null);
        return names.isEmpty() ? "nothing" : String.join(", ", names);
    }

    private static String nameOf(Path directory) {
        return Optional.ofNullable(directory.toAbsolutePath().normalize().getFileName())
                .map(Path::toString)
                .orElse("collection");
    }

    /// Checks that a run over this collection can be written ([Run#write]): reads the corpus, keeping 8
    /// bytes per document.
    ///
    /// @throws FormatException if an id of a query or document is empty or contains blanks, an id
    ///     occurs twice, or the corpus is malformed
    /// @throws IOException if the corpus cannot be read
    public void requireRunIds() throws IOException {
        RunIds.require(this);
    }

    /// The documents, one by one. The caller closes the reader.
    ///
    /// @throws IOException if the file cannot be read
    public CorpusReader corpus() throws IOException {
        return CorpusReader.openWithoutMetadata(directory).withIdsNeeded();
    }
}
