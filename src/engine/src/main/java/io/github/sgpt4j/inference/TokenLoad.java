package io.github.sgpt4j.inference;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// Workload for speed measurements: texts of random tokens, embedded and scored like real ones, without
/// a tokenizer.
///
/// @param texts number of texts
/// @param tokens tokens per text
/// @param queryTokens tokens of the query that is scored after each text
/// @param batchTokens maximum tokens computed at the same time on a device
public record TokenLoad(int texts, int tokens, int queryTokens, int batchTokens) {
    /// Number of common first tokens of the texts to score, like the instruction of a prompt.
    private static final int INSTRUCTION = 14;

    public TokenLoad {
        if (texts < 1 || tokens < 1 || queryTokens < 1 || batchTokens < 1) {
            throw new IllegalArgumentException(
                    "expected texts, tokens, query tokens and batch tokens of at least 1, got %d, %d, %d, %d"
                            .formatted(texts, tokens, queryTokens, batchTokens));
        }
    }

    /// Draws the tokens, so that measuring does not.
    public TokenWork draw(Lanes lanes) {
        SplittableRandom random = new SplittableRandom(2);
        int[] query = ids(random, lanes, queryTokens);
        int max = lanes.any().config().longest();
        int[] instruction = ids(random, lanes, Math.min(INSTRUCTION, tokens));
        List<int[]> sequences = sequences(lanes);
        List<ScoringRequest> requests = new ArrayList<>();
        for (int[] sequence : sequences) {
            int[] text = sequence.clone();
            System.arraycopy(instruction, 0, text, 0, instruction.length);
            requests.add(ScoringRequest.of(text, query, instruction.length, max));
        }
        return new TokenWork(sequences, requests, batchTokens);
    }

    private List<int[]> sequences(Lanes lanes) {
        SplittableRandom random = new SplittableRandom(1);
        List<int[]> sequences = new ArrayList<>(texts);
        for (int i = 0; i < texts; i++) {
            sequences.add(ids(random, lanes, tokens));
        }
        return sequences;
    }

    private static int[] ids(SplittableRandom random, Lanes lanes, int count) {
        int vocabulary = lanes.any().config().vocabulary();
        int[] ids = new int[count];
        for (int i = 0; i < count; i++) {
            ids[i] = random.nextInt(vocabulary);
        }
        return ids;
    }
}
