package io.github.sgpt4j.retrieval.evaluation;

import io.github.sgpt4j.retrieval.ScoredId;
import java.util.List;
import java.util.PriorityQueue;

/// The best of the documents offered, in trec_eval's order, whatever order they come in.
final class TopDocuments {
    private final int most;
    private final PriorityQueue<ScoredId> worstFirst = new PriorityQueue<>(RankingOrder.BEST_FIRST.reversed());

    /// @param most how many are kept
    TopDocuments(int most) {
        this.most = most;
    }

    void offer(String id, float score) {
        if (worstFirst.size() < most) {
            worstFirst.add(new ScoredId(id, score));
            return;
        }
        ScoredId worst = worstFirst.element();
        // Most documents end here, and cost no more than this.
        if (score < worst.score()) {
            return;
        }
        ScoredId document = new ScoredId(id, score);
        if (RankingOrder.BEST_FIRST.compare(document, worst) < 0) {
            worstFirst.remove();
            worstFirst.add(document);
        }
    }

    /// The kept documents, best first.
    List<ScoredId> list() {
        return worstFirst.stream().sorted(RankingOrder.BEST_FIRST).toList();
    }
}
