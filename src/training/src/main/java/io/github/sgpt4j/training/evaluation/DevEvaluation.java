package io.github.sgpt4j.training.evaluation;

import io.github.sgpt4j.TextKind;
import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.evaluation.EvaluationListener;
import io.github.sgpt4j.training.data.DataFile;
import io.github.sgpt4j.training.data.Triple;
import io.github.sgpt4j.training.data.TripleSource;
import io.github.sgpt4j.training.loss.ContrastiveLoss;
import io.github.sgpt4j.training.run.Evaluation;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Rows that are not trained with, in batches: the share of rows whose positive has the highest cosine of all texts of
/// the batch, which decides, and the contrastive loss. Rows stay in the order of the file; all batches have about as
/// many as a batch of the training.
public final class DevEvaluation implements Evaluation {
    private static final String ACCURACY = "dev_accuracy";
    private static final String LOSS = "dev_loss";
    private static final String TASK = "embed dev rows";

    private final TripleSource data;
    private final int batches;
    private final ContrastiveLoss loss;

    /// An evaluation with rows.
    ///
    /// @param data borrowed
    /// @param batchSize rows of a batch, at most
    /// @param scale what cosines are multiplied by in the loss
    /// @throws FormatException if there is nothing to choose a positive from
    public DevEvaluation(TripleSource data, int batchSize, double scale) {
        this.data = data;
        if (data.rows() < 2 && data.negatives() == 0) {
            throw new FormatException(
                    "%s: expected at least two rows, or a negative, to choose positives from, got one row"
                            .formatted(data.name()));
        }
        batches = Math.ceilDiv(data.rows(), batchSize);
        loss = new ContrastiveLoss(scale);
    }

    @Override
    public String name() {
        return ACCURACY;
    }

    @Override
    public String source() {
        return data.files().stream().map(DataFile::sha256).collect(Collectors.joining(" "));
    }

    /// @throws FormatException if the loss is not finite
    @Override
    public Map<String, Double> scores(TrainableModel model, EvaluationListener listener) {
        TrainedEmbedder embedder = TrainedEmbedder.of(model);
        double sum = 0;
        long first = 0;
        listener.update(TASK, 0, data.rows());
        for (int batch = 0; batch < batches; batch++) {
            int from = start(batch);
            int to = start(batch + 1);
            ContrastiveLoss.Result result = result(embedder, from, to);
            sum += result.loss() * result.rows();
            first += result.first();
            listener.update(TASK, to, data.rows());
        }
        if (!Double.isFinite(sum)) {
            throw new FormatException("%s: expected a finite loss, got %s".formatted(data.name(), sum));
        }
        Map<String, Double> scores = new LinkedHashMap<>();
        scores.put(ACCURACY, (double) first / data.rows());
        scores.put(LOSS, sum / data.rows());
        return scores;
    }

    private int start(int batch) {
        return (int) ((long) data.rows() * batch / batches);
    }

    private ContrastiveLoss.Result result(TrainedEmbedder embedder, int from, int to) {
        List<Triple> triples =
                IntStream.range(from, to).mapToObj(row -> data.row(row, 0)).toList();
        List<TrainedEmbedder.Text> texts = new ArrayList<>();
        triples.forEach(triple -> texts.add(new TrainedEmbedder.Text(triple.anchor(), TextKind.QUERY)));
        triples.forEach(triple -> texts.add(document(triple.positive())));
        for (int i = 0; i < data.negatives(); i++) {
            int negative = i;
            triples.forEach(triple -> texts.add(document(triple.negatives().get(negative))));
        }
        float[][] embeddings = embedder.embed(texts, done -> {});
        int rows = triples.size();
        List<float[][]> columns = IntStream.range(0, embeddings.length / rows)
                .mapToObj(column -> List.of(embeddings)
                        .subList(column * rows, column * rows + rows)
                        .toArray(float[][]::new))
                .toList();
        return loss.of(columns.getFirst(), columns.subList(1, columns.size()));
    }

    private static TrainedEmbedder.Text document(String text) {
        return new TrainedEmbedder.Text(text, TextKind.DOCUMENT);
    }
}
