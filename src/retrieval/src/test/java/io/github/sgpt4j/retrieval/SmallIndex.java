package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.retrieval.corpus.Document;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;

/// An index of a few documents in three parts, with removed documents, and every kind of search in it.
final class SmallIndex {
    static final Path MODEL = Path.of("../engine/src/test/resources/goldens/models/gptneo-be");

    private static final int DOCUMENTS = 14;

    private SmallIndex() {}

    static void make(Path path, BiEncoder encoder, VectorStorage storage) throws IOException {
        IndexOptions options = IndexOptions.DEFAULT.withStorage(storage).withConnections(2);
        try (SemanticIndex index = SemanticIndex.open(path, encoder, options)) {
            add(index, 0, DOCUMENTS - 4);
            index.commit();
            index.remove(List.of("3"));
            add(index, DOCUMENTS - 4, DOCUMENTS - 2);
            index.commit();
            add(index, DOCUMENTS - 2, DOCUMENTS);
            add(index, 5, 6);
            index.commit();
        }
        Files.delete(path.resolve("write.lock"));
    }

    private static void add(SemanticIndex index, int from, int to) throws IOException {
        List<Document> documents = new ArrayList<>();
        float[][] vectors = new float[to - from][];
        for (int i = from; i < to; i++) {
            String text = "spiders of kind %d and words %s".formatted(i, Integer.toString(i * 7919, 5));
            documents.add(
                    new Document(Integer.toString(i), i % 2 == 0 ? Optional.empty() : Optional.of("title " + i), text));
            vectors[i - from] = vector(index.model().dimension(), i);
        }
        index.add(documents, vectors);
    }

    static float[] vector(int dimension, int number) {
        Random random = new Random(number);
        float[] vector = new float[dimension];
        for (int i = 0; i < dimension; i++) {
            vector[i] = (float) random.nextGaussian();
        }
        return vector;
    }

    /// The answers to searches of every kind, all documents among them.
    static List<Object> ask(SemanticIndex index) throws IOException {
        SearchOptions all = SearchOptions.DEFAULT.withLimit(DOCUMENTS);
        VectorSpace space = new VectorSpace(index.similarity());
        float[] query = space.prepare(vector(index.model().dimension(), -1));
        List<Object> answers = new ArrayList<>();
        answers.add(index.size());
        try (var analyzer = Words.analyzer()) {
            for (SearchOptions options : List.of(
                    all,
                    all.withLimit(3),
                    all.withExact(true),
                    all.withMode(SearchMode.BM25),
                    all.withMode(SearchMode.HYBRID))) {
                answers.add(index.reading(searcher ->
                        new FirstStage(searcher, analyzer, space, options).search("spiders with titles of 3", query)));
            }
        }
        return answers;
    }

    static List<Object> ask(Path path, BiEncoder encoder) throws IOException {
        try (SemanticIndex index = SemanticIndex.openReadOnly(path, encoder)) {
            return ask(index);
        }
    }

    static List<Path> files(Path path) throws IOException {
        try (Stream<Path> files = Files.list(path)) {
            return files.filter(file -> !file.endsWith("write.lock")).sorted().toList();
        }
    }

    static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        for (Path file : files(from)) {
            Files.copy(file, to.resolve(file.getFileName()));
        }
    }
}
