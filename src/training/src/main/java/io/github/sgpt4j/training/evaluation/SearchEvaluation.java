package io.github.sgpt4j.training.evaluation;

import io.github.sgpt4j.BiEncoder;
import io.github.sgpt4j.TrainableModel;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.retrieval.evaluation.BeirDataset;
import io.github.sgpt4j.retrieval.evaluation.BeirRetrieval;
import io.github.sgpt4j.retrieval.evaluation.EvaluationListener;
import io.github.sgpt4j.retrieval.evaluation.Measure;
import io.github.sgpt4j.retrieval.evaluation.Run;
import io.github.sgpt4j.retrieval.evaluation.TextEmbedder;
import io.github.sgpt4j.training.data.DataFile;
import io.github.sgpt4j.training.run.Evaluation;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// Search in collections in BEIR's layout, with the judgements of the split `test`: the mean of nDCG@10 over queries,
/// and over collections if there are several. The forums of CQADupStack, in one folder, count as one collection.
/// Documents whose id is the query's are left out, as BEIR does.
public final class SearchEvaluation implements Evaluation {
    private static final String SPLIT = "test";
    private static final String NDCG = Measure.NDCG_10.name();

    private final Map<String, List<BeirDataset>> collections = new LinkedHashMap<>();
    private final String source;

    /// An evaluation with collections.
    ///
    /// @param folders at least one, with different names
    /// @throws FormatException if a file is missing or malformed, or two collections have one name
    /// @throws IOException if a folder cannot be read
    public SearchEvaluation(List<Path> folders) throws IOException {
        if (folders.isEmpty()) {
            throw new IllegalArgumentException("expected a collection, got none");
        }
        for (Path folder : folders) {
            String name = String.valueOf(folder.toAbsolutePath().normalize().getFileName());
            if (collections.put(name, BeirDataset.openAll(folder, SPLIT)) != null) {
                throw new FormatException(
                        "%s: expected collections with different names, got two with this one".formatted(folder));
            }
        }
        source = collections.entrySet().stream()
                .map(entry -> entry.getKey() + " " + hash(entry.getValue()))
                .collect(Collectors.joining(", "));
    }

    /// One hash of all files.
    private static String hash(List<BeirDataset> parts) {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
        for (BeirDataset part : parts) {
            for (Path file : part.files()) {
                digest.update(DataFile.of(file).sha256().getBytes(StandardCharsets.US_ASCII));
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    @Override
    public String name() {
        return NDCG;
    }

    /// Name and hash of each collection: of the contents of its files, compressed or not.
    @Override
    public String source() {
        return source;
    }

    /// The mean, then each collection's own number if there are several.
    @Override
    public Map<String, Double> scores(TrainableModel model, EvaluationListener listener) throws IOException {
        Map<String, Double> each = new LinkedHashMap<>();
        try (BiEncoder encoder = BiEncoder.of(model.model(), model.encoding())) {
            TextEmbedder embedder = TextEmbedder.of(encoder);
            for (Map.Entry<String, List<BeirDataset>> collection : collections.entrySet()) {
                List<Double> parts = new ArrayList<>();
                for (BeirDataset part : collection.getValue()) {
                    Run found = new BeirRetrieval(part, Measure.NDCG_10.cutoff(), true, listener).dense(embedder);
                    parts.add(io.github.sgpt4j.retrieval.evaluation.Evaluation.of(
                                    part.qrels(), found, List.of(Measure.NDCG_10))
                            .mean(Measure.NDCG_10));
                }
                each.put("%s %s".formatted(NDCG, collection.getKey()), mean(parts));
            }
        }
        Map<String, Double> scores = new LinkedHashMap<>();
        scores.put(NDCG, mean(List.copyOf(each.values())));
        if (each.size() > 1) {
            scores.putAll(each);
        }
        return scores;
    }

    private static double mean(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).average().orElse(0);
    }
}
