package io.github.sgpt4j.jmh.peers;

import io.github.sgpt4j.CrossEncoderOptions;
import io.github.sgpt4j.jmh.Peer;
import java.util.Arrays;
import java.util.List;

/// A cross-encoder with length-sorted, padded batches; only the states before scored tokens go through the output
/// head.
abstract class PaddedScorer implements Peer.Scorer {
    private static final String PROMPT = CrossEncoderOptions.DEFAULT.prompt();

    private final RustTokenizer tokenizer;
    private final int positions;

    PaddedScorer(RustTokenizer tokenizer, int positions) {
        this.tokenizer = tokenizer;
        this.positions = positions;
    }

    /// Log-probabilities of tokens.
    ///
    /// @param rows rows of the padded batch, `[texts · length]`, that predict
    /// @param targets the token that each predicts
    abstract float[] logProbabilities(int[][] sequences, int[] group, long[] rows, long[] targets);

    @Override
    public float[] score(String query, List<String> documents) {
        int[] queryIds = tokenizer.encode(query);
        int[][] contexts = tokenizer.encodeAll(
                documents.stream().map(d -> PROMPT.replace("{}", d)).toList());
        int[][] sequences = new int[contexts.length][];
        for (int i = 0; i < sequences.length; i++) {
            // The query's last token predicts nothing and is left out.
            sequences[i] = Arrays.copyOf(contexts[i], contexts[i].length + queryIds.length - 1);
            System.arraycopy(queryIds, 0, sequences[i], contexts[i].length, queryIds.length - 1);
            if (sequences[i].length > positions) {
                throw new IllegalArgumentException("a document of %d tokens is too long".formatted(contexts[i].length));
            }
        }
        float[] scores = new float[sequences.length];
        for (int[] group : Padding.groups(sequences)) {
            score(sequences, group, queryIds, scores);
        }
        return scores;
    }

    private void score(int[][] sequences, int[] group, int[] query, float[] scores) {
        int length = Arrays.stream(group).map(i -> sequences[i].length).max().orElse(0);
        long[] rows = new long[group.length * query.length];
        long[] targets = new long[rows.length];
        for (int g = 0; g < group.length; g++) {
            int first = sequences[group[g]].length - query.length;
            for (int t = 0; t < query.length; t++) {
                rows[g * query.length + t] = (long) g * length + first + t;
                targets[g * query.length + t] = query[t];
            }
        }
        float[] chosen = logProbabilities(sequences, group, rows, targets);
        for (int g = 0; g < group.length; g++) {
            double sum = 0;
            for (int t = 0; t < query.length; t++) {
                sum += chosen[g * query.length + t];
            }
            scores[group[g]] = (float) sum;
        }
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
