package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.corpus.LineReader;
import io.github.sgpt4j.retrieval.corpus.TextRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// TwitterPara: how many of 6 people (Twitter URL), or to what degree up to 5 (PIT), judged two tweets
/// to say the same. The measures are the average precision of the cosine at telling paraphrases (more
/// than 3) from others (fewer than 3; 3 is left out), and Spearman's correlation over all. There is no
/// validation set.
record TwitterParaTask(Map<String, List<Pair>> sets) implements UsebTask {
    private static final Pattern URL_LABEL = Pattern.compile("\\(\\s*(\\d{1,9})\\s*,.*");
    private static final Pattern PIT_LABEL = Pattern.compile("(\\d{1,9})");

    /// @param label above 3 for a paraphrase
    record Pair(String first, String second, int label) {}

    static TwitterParaTask read(Path folder) throws IOException {
        Map<String, List<Pair>> sets = new LinkedHashMap<>();
        sets.put("twitterurl", pairs(folder.resolve("Twitter_URL_Corpus_test.txt"), 0, URL_LABEL));
        sets.put("pit", pairs(folder.resolve("test.data"), 2, PIT_LABEL));
        return new TwitterParaTask(sets);
    }

    /// @param column of the first text; the second text and the label follow it
    private static List<Pair> pairs(Path file, int column, Pattern label) throws IOException {
        List<Pair> pairs = new ArrayList<>();
        try (LineReader lines = TextFiles.open(file)) {
            for (Optional<String> line = lines.next(); line.isPresent(); line = lines.next()) {
                if (line.get().isBlank()) {
                    continue;
                }
                String[] fields = TextRecord.strip(line.get()).split("\t", -1);
                if (fields.length < column + 3) {
                    throw new FormatException("%s: expected at least %d fields between tabs, got %d"
                            .formatted(lines.where(), column + 3, fields.length));
                }
                Matcher matcher = label.matcher(TextRecord.strip(fields[column + 2]));
                if (!matcher.matches()) {
                    throw new FormatException("%s: expected a label such as %s, got %s"
                            .formatted(
                                    lines.where(),
                                    label.equals(PIT_LABEL) ? "4" : "(4, 6)",
                                    ShownText.quoted(fields[column + 2])));
                }
                pairs.add(new Pair(fields[column], fields[column + 1], Integer.parseInt(matcher.group(1))));
            }
        }
        if (pairs.stream().map(Pair::label).distinct().count() < 2) {
            throw new FormatException(file + ": expected pairs with different labels, found none");
        }
        return pairs;
    }

    @Override
    public String name() {
        return "twitterpara";
    }

    @Override
    public String mainMeasure() {
        return "ap_twitter_avg";
    }

    @Override
    public Map<String, Double> evaluate(TextEmbedder embedder, EvaluationListener listener) {
        Map<String, Double> values = new LinkedHashMap<>();
        List<Double> precisions = new ArrayList<>();
        List<Double> correlations = new ArrayList<>();
        sets.forEach((set, pairs) -> {
            List<String> texts = new ArrayList<>();
            pairs.forEach(pair -> texts.addAll(List.of(pair.first(), pair.second())));
            TextVectors vectors = TextVectors.of(texts, embedder, listener, "embed %s %s".formatted(name(), set));
            precisions.add(averagePrecision(pairs, vectors));
            correlations.add(correlation(pairs, vectors));
            values.put("ap_twitter_" + set, precisions.getLast());
            values.put("spearman_twitter_" + set, correlations.getLast());
        });
        values.put("ap_twitter_avg", ScoreStatistics.mean(precisions));
        values.put("spearman_twitter_avg", ScoreStatistics.mean(correlations));
        return values;
    }

    private static double averagePrecision(List<Pair> pairs, TextVectors vectors) {
        List<Pair> clear = pairs.stream().filter(pair -> pair.label() != 3).toList();
        float[] cosines = new float[clear.size()];
        for (int i = 0; i < cosines.length; i++) {
            cosines[i] = vectors.cosine(clear.get(i).first(), clear.get(i).second());
        }
        return ScoreStatistics.averagePrecision(
                clear.stream().map(pair -> pair.label() > 3).toList(), cosines);
    }

    private static double correlation(List<Pair> pairs, TextVectors vectors) {
        return ScoreStatistics.spearman(
                pairs.stream().mapToDouble(Pair::label).toArray(),
                pairs.stream()
                        .mapToDouble(pair -> vectors.cosine(pair.first(), pair.second()))
                        .toArray());
    }
}
