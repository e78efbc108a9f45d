package io.github.sgpt4j.tokenizer.bpe;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.tokenizer.collection.LongIntMap;
import java.util.Arrays;

/// Applies merges to words: always the lowest rank first, the leftmost of equal ones, until none
/// applies (Sennrich et al. 2016). Short words are merged by repeated scanning, long ones with a heap
/// in O(n log n). For one thread at a time; buffers are kept for the next word.
public final class BpeMerger {
    /// Up to this many symbols, scanning is faster than a heap.
    static final int SCAN_LIMIT = 48;

    private static final int NONE = Integer.MAX_VALUE;

    /// A mask: in a long word, cancellation is checked every 65,536 steps.
    private static final int CHECK_MASK = (1 << 16) - 1;

    private final MergeTable merges;
    private int[] ranks = new int[SCAN_LIMIT];
    private int[] next = new int[0];
    private int[] previous = new int[0];
    private final LongHeap heap = new LongHeap();

    public BpeMerger(MergeTable merges) {
        this.merges = merges;
    }

    /// Merges `symbols[from, to)` in place and returns the end of the result.
    ///
    /// @param cancellation of the call, checked from time to time if the word is long
    public int merge(int[] symbols, int from, int to, Cancellation cancellation) {
        return to - from <= SCAN_LIMIT ? mergeByScan(symbols, from, to) : mergeByHeap(symbols, from, to, cancellation);
    }

    public int mergeByScan(int[] symbols, int from, int to) {
        int n = to - from;
        if (ranks.length < n) {
            ranks = new int[n];
        }
        for (int i = 0; i + 1 < n; i++) {
            ranks[i] = rank(symbols[from + i], symbols[from + i + 1]);
        }
        while (n > 1) {
            int best = 0;
            for (int i = 1; i < n - 1; i++) {
                if (ranks[i] < ranks[best]) {
                    best = i;
                }
            }
            if (ranks[best] == NONE) {
                break;
            }
            int at = from + best;
            symbols[at] = merges.merged(ranks[best]);
            System.arraycopy(symbols, at + 2, symbols, at + 1, n - best - 2);
            System.arraycopy(ranks, best + 1, ranks, best, n - best - 2);
            n--;
            if (best + 1 < n) {
                ranks[best] = rank(symbols[at], symbols[at + 1]);
            }
            if (best > 0) {
                ranks[best - 1] = rank(symbols[at - 1], symbols[at]);
            }
        }
        return from + n;
    }

    private int rank(int left, int right) {
        int rank = merges.rank(left, right);
        return rank == LongIntMap.ABSENT ? NONE : rank;
    }

    /// Symbols form a doubly linked list; the heap contains `rank << 32 | position` of every pair that
    /// merges. An entry is stale if its pair no longer merges to the same token; it is dropped when it
    /// reaches the top. Positions count from `from`.
    public int mergeByHeap(int[] symbols, int from, int to, Cancellation cancellation) {
        int length = to - from;
        link(length);
        for (int i = 0; i + 1 < length; i++) {
            check(i + 1, cancellation);
            offer(i, symbols[from + i], symbols[from + i + 1]);
        }
        for (int step = 1; !heap.isEmpty(); step++) {
            check(step, cancellation);
            long top = heap.poll();
            int rank = (int) (top >>> 32);
            int left = (int) top;
            int right = symbols[from + left] < 0 ? -1 : next[left];
            if (right < 0) {
                continue;
            }
            int current = merges.rank(symbols[from + left], symbols[from + right]);
            if (current == LongIntMap.ABSENT || merges.merged(current) != merges.merged(rank)) {
                continue;
            }
            symbols[from + left] = merges.merged(rank);
            symbols[from + right] = -1;
            next[left] = next[right];
            if (next[left] >= 0) {
                previous[next[left]] = left;
                offer(left, symbols[from + left], symbols[from + next[left]]);
            }
            if (previous[left] >= 0) {
                offer(previous[left], symbols[from + previous[left]], symbols[from + left]);
            }
        }
        int end = from;
        for (int i = 0; i >= 0 && length > 0; i = next[i]) {
            symbols[end++] = symbols[from + i];
        }
        return end;
    }

    /// After [#mergeByHeap]: of the symbol that begins at a position, the position after it, or -1 if it
    /// is the last. Positions count from the start of the word, before merging.
    int next(int position) {
        return next[position];
    }

    private static void check(int step, Cancellation cancellation) {
        if ((step & CHECK_MASK) == 0) {
            cancellation.check();
        }
    }

    private void link(int length) {
        if (next.length < length) {
            int capacity = Math.max(length, 2 * SCAN_LIMIT);
            next = new int[capacity];
            previous = new int[capacity];
        }
        for (int i = 0; i < length; i++) {
            next[i] = i + 1 < length ? i + 1 : -1;
            previous[i] = i - 1;
        }
    }

    private void offer(int position, int left, int right) {
        int rank = merges.rank(left, right);
        if (rank != LongIntMap.ABSENT) {
            heap.add((long) rank << 32 | position);
        }
    }

    /// A binary min-heap of `long`.
    private static final class LongHeap {
        private long[] entries = new long[2 * SCAN_LIMIT];
        private int size;

        boolean isEmpty() {
            return size == 0;
        }

        void add(long entry) {
            if (size == entries.length) {
                entries = Arrays.copyOf(entries, Math.multiplyExact(size, 2));
            }
            int child = size++;
            while (child > 0 && entries[(child - 1) >>> 1] > entry) {
                entries[child] = entries[(child - 1) >>> 1];
                child = (child - 1) >>> 1;
            }
            entries[child] = entry;
        }

        long poll() {
            long top = entries[0];
            long last = entries[--size];
            int parent = 0;
            for (int child = 1; child < size; child = 2 * parent + 1) {
                if (child + 1 < size && entries[child + 1] < entries[child]) {
                    child++;
                }
                if (entries[child] >= last) {
                    break;
                }
                entries[parent] = entries[child];
                parent = child;
            }
            entries[parent] = last;
            return top;
        }
    }
}
