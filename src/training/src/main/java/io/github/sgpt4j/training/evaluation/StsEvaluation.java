package io.github.sgpt4j.training.evaluation;

import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.evaluation.EvaluationListener;
import io.github.sgpt4j.retrieval.evaluation.ScoreStatistics;
import io.github.sgpt4j.training.data.ScoredPairs;
import io.github.sgpt4j.training.run.Evaluation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Spearman's correlation between the cosines of pairs of sentences and their scores. Sentences are neither queries nor
/// documents. If all cosines are equal, there is no order to compare, and the correlation counts as 0.
public final class StsEvaluation implements Evaluation {
    private static final String SPEARMAN = "sts_spearman";
    private static final String TASK = "embed STS pairs";

    private final ScoredPairs data;
    private final List<TrainedEmbedder.Text> texts = new ArrayList<>();
    private final Map<String, Integer> places = new HashMap<>();

    /// An evaluation with pairs.
    public StsEvaluation(ScoredPairs data) {
        this.data = data;
        for (ScoredPairs.Pair pair : data.pairs()) {
            for (String text : List.of(pair.first(), pair.second())) {
                if (places.putIfAbsent(text, texts.size()) == null) {
                    texts.add(new TrainedEmbedder.Text(text, TextKind.TEXT));
                }
            }
        }
    }

    @Override
    public String name() {
        return SPEARMAN;
    }

    @Override
    public String source() {
        return data.file().sha256();
    }

    /// @throws FormatException if a cosine is not finite
    @Override
    public Map<String, Double> scores(TrainableModel model, EvaluationListener listener) {
        long[] done = new long[1];
        listener.update(TASK, 0, texts.size());
        float[][] embeddings = TrainedEmbedder.of(model).embed(texts, more -> {
            done[0] += more;
            listener.update(TASK, done[0], texts.size());
        });
        double[] cosines = data.pairs().stream()
                .mapToDouble(pair -> cosine(embeddings[place(pair.first())], embeddings[place(pair.second())]))
                .toArray();
        for (double cosine : cosines) {
            if (!Double.isFinite(cosine)) {
                throw new FormatException("%s: expected finite cosines, got %s"
                        .formatted(data.file().name(), cosine));
            }
        }
        boolean differ = Arrays.stream(cosines).distinct().count() > 1;
        double[] scores =
                data.pairs().stream().mapToDouble(ScoredPairs.Pair::score).toArray();
        return Map.of(SPEARMAN, differ ? ScoreStatistics.spearman(scores, cosines) : 0);
    }

    private int place(String text) {
        return places.getOrDefault(text, 0);
    }

    /// 0 if either is zero. Equal vectors have exactly 1, and pairs of equal vectors equal cosines.
    private static double cosine(float[] a, float[] b) {
        double norms = Math.sqrt(dot(a, a) * dot(b, b));
        return norms == 0 ? 0 : (float) (dot(a, b) / norms);
    }

    private static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }
}
