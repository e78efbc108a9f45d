package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.retrieval.ScoredId;
import java.util.Comparator;

/// The order in which trec_eval reads a query's documents: by score, descending, in 32-bit floating
/// point; equal scores by id, descending as UTF-8 bytes.
final class RankingOrder {
    static final Comparator<ScoredId> BEST_FIRST = RankingOrder::compare;

    private RankingOrder() {}

    private static int compare(ScoredId a, ScoredId b) {
        return a.score() == b.score() ? compareIds(b.id(), a.id()) : Float.compare(b.score(), a.score());
    }

    /// Compares as C's `strcmp` does with UTF-8: in the order of code points, not of Java's characters.
    static int compareIds(String a, String b) {
        int length = Math.min(a.length(), b.length());
        for (int i = 0; i < length; i++) {
            char x = a.charAt(i);
            char y = b.charAt(i);
            if (x != y) {
                // Surrogates encode code points above all other characters.
                boolean high = Character.isSurrogate(x);
                return high == Character.isSurrogate(y) ? x - y : high ? 1 : -1;
            }
        }
        return a.length() - b.length();
    }
}
