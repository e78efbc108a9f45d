package io.github.sgpt4j.tokenizer;

import java.util.Arrays;

/// Applies merges to a word: always the lowest rank first, the leftmost of equal ones, until none applies (Sennrich et
/// al. 2016). Short words by repeated scanning, long ones with a heap in O(n log n).
final class BpeMerger {
    /// Up to this many symbols scanning is faster than a heap.
    static final int SCAN_LIMIT = 48;

    private static final int NONE = Integer.MAX_VALUE;

    private BpeMerger() {}

    /// Merges `symbols[0..length)`; the array is used as scratch.
    static int[] merge(int[] symbols, int length, MergeTable merges) {
        return length <= SCAN_LIMIT ? mergeByScan(symbols, length, merges) : mergeByHeap(symbols, length, merges);
    }

    static int[] mergeByScan(int[] symbols, int length, MergeTable merges) {
        int n = length;
        int[] ranks = new int[Math.max(n, 1)];
        for (int i = 0; i + 1 < n; i++) {
            ranks[i] = rank(merges, symbols[i], symbols[i + 1]);
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
            symbols[best] = merges.merged(ranks[best]);
            System.arraycopy(symbols, best + 2, symbols, best + 1, n - best - 2);
            System.arraycopy(ranks, best + 1, ranks, best, n - best - 2);
            n--;
            if (best + 1 < n) {
                ranks[best] = rank(merges, symbols[best], symbols[best + 1]);
            }
            if (best > 0) {
                ranks[best - 1] = rank(merges, symbols[best - 1], symbols[best]);
            }
        }
        return Arrays.copyOf(symbols, n);
    }

    private static int rank(MergeTable merges, int left, int right) {
        int rank = merges.rank(left, right);
        return rank == LongIntMap.ABSENT ? NONE : rank;
    }

    /// Symbols form a doubly linked list; the heap holds `rank << 32 | position` of every pair that merges. An entry is
    /// stale, and dropped when it comes up, once its pair no longer merges to the same token.
    static int[] mergeByHeap(int[] symbols, int length, MergeTable merges) {
        int[] next = new int[length];
        int[] previous = new int[length];
        LongHeap heap = new LongHeap(length);
        for (int i = 0; i < length; i++) {
            next[i] = i + 1 < length ? i + 1 : -1;
            previous[i] = i - 1;
            if (i + 1 < length) {
                offer(heap, merges, symbols, i, i + 1);
            }
        }
        while (!heap.isEmpty()) {
            long top = heap.poll();
            int rank = (int) (top >>> 32);
            int left = (int) top;
            int right = symbols[left] < 0 ? -1 : next[left];
            if (right < 0) {
                continue;
            }
            int current = merges.rank(symbols[left], symbols[right]);
            if (current == LongIntMap.ABSENT || merges.merged(current) != merges.merged(rank)) {
                continue;
            }
            symbols[left] = merges.merged(rank);
            symbols[right] = -1;
            next[left] = next[right];
            if (next[left] >= 0) {
                previous[next[left]] = left;
                offer(heap, merges, symbols, left, next[left]);
            }
            if (previous[left] >= 0) {
                offer(heap, merges, symbols, previous[left], left);
            }
        }
        int n = 0;
        for (int i = 0; i >= 0 && length > 0; i = next[i]) {
            symbols[n++] = symbols[i];
        }
        return Arrays.copyOf(symbols, n);
    }

    private static void offer(LongHeap heap, MergeTable merges, int[] symbols, int left, int right) {
        int rank = merges.rank(symbols[left], symbols[right]);
        if (rank != LongIntMap.ABSENT) {
            heap.add((long) rank << 32 | left);
        }
    }

    /// A binary min-heap of `long`.
    private static final class LongHeap {
        private long[] entries;
        private int size;

        LongHeap(int capacity) {
            entries = new long[Math.max(16, capacity)];
        }

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
