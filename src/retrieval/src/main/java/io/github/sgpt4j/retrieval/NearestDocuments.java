package io.github.sgpt4j.retrieval;

import java.util.Arrays;
import java.util.PriorityQueue;
import java.util.stream.IntStream;
import org.apache.lucene.util.ArrayUtil;

/// Collects the nearest documents, and all that are as near as the last of them.
final class NearestDocuments {
    private final int k;
    private final PriorityQueue<Scored> best = new PriorityQueue<>(Scored.BEST_FIRST.reversed());

    /// Documents beyond the `k` with the score of the worst of these.
    private int[] tied = new int[0];

    private int count;

    NearestDocuments(int k) {
        this.k = k;
    }

    void add(int number, float score) {
        if (best.size() < k) {
            best.add(new Scored(number, score));
            return;
        }
        float worst = best.element().score();
        if (score == worst) {
            tie(number);
        } else if (score > worst) {
            Scored out = best.remove();
            best.add(new Scored(number, score));
            if (best.element().score() == worst) {
                tie(out.number());
            } else {
                count = 0;
            }
        }
    }

    private void tie(int number) {
        tied = ArrayUtil.grow(tied, count + 1);
        tied[count] = number;
        count++;
    }

    /// @return ascending
    int[] numbers() {
        return IntStream.concat(best.stream().mapToInt(Scored::number), Arrays.stream(tied, 0, count))
                .sorted()
                .toArray();
    }
}
