package io.github.sgpt4j.retrieval.mining;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// The best pairs of many, at most a given number, without boxing: the higher score first, of equal
/// scores the smaller first index, then the smaller second. What is kept does not depend on the order
/// in which pairs come.
final class PairHeap {
    private final int capacity;
    private float[] scores = new float[16];
    private int[] first = new int[16];
    private int[] second = new int[16];
    private int size;

    /// @param capacity at least 1
    PairHeap(int capacity) {
        this.capacity = capacity;
    }

    int size() {
        return size;
    }

    boolean isFull() {
        return size == capacity;
    }

    /// The score below which no pair is accepted any more; minus infinity while there is room.
    float floor() {
        return isFull() ? scores[0] : Float.NEGATIVE_INFINITY;
    }

    /// The second index of the worst pair; there is one.
    int worstSecond() {
        return second[0];
    }

    /// Adds a pair if there is room, or in place of the worst if it is better.
    void offer(float score, int i, int j) {
        if (!isFull()) {
            grow();
            size++;
            up(size - 1, score, i, j);
        } else if (better(score, i, j, 0)) {
            down(score, i, j);
        }
    }

    private void grow() {
        if (size == scores.length) {
            int length = (int) Math.min(capacity, 2L * size);
            scores = Arrays.copyOf(scores, length);
            first = Arrays.copyOf(first, length);
            second = Arrays.copyOf(second, length);
        }
    }

    private boolean better(float score, int i, int j, int at) {
        if (score != scores[at]) {
            return score > scores[at];
        }
        return i != first[at] ? i < first[at] : j < second[at];
    }

    private void up(int hole, float score, int i, int j) {
        int at = hole;
        while (at > 0) {
            int parent = (at - 1) / 2;
            if (better(score, i, j, parent)) {
                break;
            }
            move(parent, at);
            at = parent;
        }
        set(at, score, i, j);
    }

    /// Puts a pair in place of the worst.
    private void down(float score, int i, int j) {
        int at = 0;
        while (2L * at + 1 < size) {
            int child = 2 * at + 1;
            if (child + 1 < size && better(scores[child], first[child], second[child], child + 1)) {
                child++;
            }
            if (!better(score, i, j, child)) {
                break;
            }
            move(child, at);
            at = child;
        }
        set(at, score, i, j);
    }

    private void move(int from, int to) {
        set(to, scores[from], first[from], second[from]);
    }

    private void set(int at, float score, int i, int j) {
        scores[at] = score;
        first[at] = i;
        second[at] = j;
    }

    /// Calls for each pair, in no order.
    void forEach(Visitor visitor) {
        for (int i = 0; i < size; i++) {
            visitor.visit(scores[i], first[i], second[i]);
        }
    }

    /// Takes a pair.
    @FunctionalInterface
    interface Visitor {
        void visit(float score, int i, int j);
    }

    /// All pairs, the best first.
    List<TextPair> sorted() {
        List<TextPair> pairs = new ArrayList<>(size);
        forEach((score, i, j) -> pairs.add(new TextPair(i, j, score)));
        pairs.sort(Comparator.comparing(TextPair::score)
                .reversed()
                .thenComparing(TextPair::first)
                .thenComparing(TextPair::second));
        return pairs;
    }
}
