package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.corpus.LineReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/// AskUbuntu: 20 candidates per question, found by BM25, are re-ordered by the cosine of titles. The
/// measures are MAP, P@1, P@5 and MRR over questions that have similar questions. USEB's evaluator
/// stops at a question whose similar questions are not among its candidates; here such a question
/// counts as 0.
record AskUbuntuTask(List<Question> questions) implements UsebTask {
    private static final String SUFFIX = "_askubuntu_title";

    /// @param title of the question
    /// @param candidates titles, best BM25 score first
    /// @param similar whether each candidate is one of the similar questions
    record Question(String title, List<String> candidates, List<Boolean> similar) {}

    static AskUbuntuTask read(Path folder, Useb.Split split) throws IOException {
        Map<String, String> titles = titles(folder.resolve("text_tokenized.txt"));
        Path file = folder.resolve(split == Useb.Split.TEST ? "test.txt" : "dev.txt");
        List<Question> questions = new ArrayList<>();
        try (LineReader lines = TextFiles.open(file)) {
            for (Optional<String> line = lines.next(); line.isPresent(); line = lines.next()) {
                if (!line.get().isBlank()) {
                    question(line.get(), lines.where(), titles).ifPresent(questions::add);
                }
            }
        }
        if (questions.isEmpty()) {
            throw new FormatException(file + ": expected questions with similar questions, found none");
        }
        return new AskUbuntuTask(questions);
    }

    private static Map<String, String> titles(Path file) throws IOException {
        Map<String, String> titles = new HashMap<>();
        try (LineReader lines = TextFiles.open(file)) {
            for (Optional<String> line = lines.next(); line.isPresent(); line = lines.next()) {
                String[] fields = line.get().split("\t", -1);
                if (fields.length != 3) {
                    throw new FormatException("%s: expected id, title and body between tabs, got %s"
                            .formatted(lines.where(), ShownText.quoted(line.get())));
                }
                titles.put(fields[0].strip(), fields[1]);
            }
        }
        return titles;
    }

    private static Optional<Question> question(String line, String where, Map<String, String> titles) {
        String[] fields = line.split("\t", -1);
        if (fields.length != 4) {
            throw new FormatException(
                    "%s: expected question, similar questions, candidates and their scores between tabs, got %s"
                            .formatted(where, ShownText.quoted(line)));
        }
        List<String> ids = TrecFields.split(fields[2]);
        double[] scores = TrecFields.split(fields[3]).stream()
                .mapToDouble(text -> score(text, where))
                .toArray();
        if (scores.length != ids.size() || ids.isEmpty()) {
            throw new FormatException("%s: expected a score for each of at least one candidate, got %d scores for %d"
                    .formatted(where, scores.length, ids.size()));
        }
        Set<String> similar = Set.copyOf(TrecFields.split(fields[1]));
        if (similar.isEmpty()) {
            return Optional.empty();
        }
        // The list is in no particular order; candidates with equal cosines keep the order of BM25.
        List<String> ordered = IntStream.range(0, scores.length)
                .boxed()
                .sorted(Comparator.comparing((Integer i) -> scores[i]).reversed())
                .map(ids::get)
                .toList();
        return Optional.of(new Question(
                title(fields[0].strip(), where, titles),
                ordered.stream().map(id -> title(id, where, titles)).toList(),
                ordered.stream().map(similar::contains).toList()));
    }

    private static double score(String text, String where) {
        try {
            double score = Double.parseDouble(text);
            if (Double.isFinite(score)) {
                return score;
            }
        } catch (NumberFormatException e) {
            // Reported below, together with numbers that are not finite.
        }
        throw new FormatException(
                "%s: expected a finite number as score, got %s".formatted(where, ShownText.quoted(text)));
    }

    private static String title(String id, String where, Map<String, String> titles) {
        String title = titles.get(id);
        if (title == null) {
            throw new FormatException(
                    "%s: expected a question of text_tokenized.txt, got %s".formatted(where, ShownText.quoted(id)));
        }
        return title;
    }

    @Override
    public String name() {
        return "askubuntu";
    }

    @Override
    public String mainMeasure() {
        return "map" + SUFFIX;
    }

    @Override
    public Map<String, Double> evaluate(TextEmbedder embedder, EvaluationListener listener) {
        List<String> texts = new ArrayList<>();
        for (Question question : questions) {
            texts.add(question.title());
            texts.addAll(question.candidates());
        }
        TextVectors vectors = TextVectors.of(texts, embedder, listener, "embed " + name());
        double[] sums = new double[4];
        for (Question question : questions) {
            double[] values = measure(ranked(question, vectors));
            Arrays.setAll(sums, i -> sums[i] + values[i]);
        }
        Map<String, Double> values = new LinkedHashMap<>();
        List<String> names = List.of("map", "p@1", "p@5", "mrr");
        for (int i = 0; i < sums.length; i++) {
            values.put(names.get(i) + SUFFIX, sums[i] / questions.size());
        }
        return values;
    }

    /// Whether each candidate is similar, nearest first.
    private static List<Boolean> ranked(Question question, TextVectors vectors) {
        List<Float> cosines = question.candidates().stream()
                .map(candidate -> vectors.cosine(question.title(), candidate))
                .toList();
        return IntStream.range(0, cosines.size())
                .boxed()
                .sorted(Comparator.comparing(cosines::get).reversed())
                .map(question.similar()::get)
                .toList();
    }

    /// Mean of the precision at each hit, P@1, P@5, 1 / rank of the first hit.
    private static double[] measure(List<Boolean> similar) {
        double precisions = 0;
        double first = 0;
        int hits = 0;
        int hitsOfFive = 0;
        for (int i = 0; i < similar.size(); i++) {
            if (similar.get(i)) {
                hits++;
                hitsOfFive += i < 5 ? 1 : 0;
                precisions += (double) hits / (i + 1);
                first = first == 0 ? 1.0 / (i + 1) : first;
            }
        }
        return new double[] {
            hits == 0 ? 0 : precisions / hits,
            similar.getFirst() ? 1 : 0,
            (double) hitsOfFive / Math.min(5, similar.size()),
            first
        };
    }
}
