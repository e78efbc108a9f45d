package io.github.sgpt4j.tokenizer;

import java.util.Arrays;

/// A growable list of `int`, without boxing.
final class IntList {
    private int[] values;
    private int size;

    IntList(int capacity) {
        values = new int[Math.max(4, capacity)];
    }

    void add(int value) {
        if (size == values.length) {
            values = Arrays.copyOf(values, Math.multiplyExact(size, 2));
        }
        values[size++] = value;
    }

    void addAll(int[] more) {
        int needed = Math.addExact(size, more.length);
        if (needed > values.length) {
            values =
                    Arrays.copyOf(values, (int) Math.min(Integer.MAX_VALUE - 8L, Math.max(needed, 2L * values.length)));
        }
        System.arraycopy(more, 0, values, size, more.length);
        size = needed;
    }

    int size() {
        return size;
    }

    int get(int index) {
        return values[index];
    }

    void set(int index, int value) {
        values[index] = value;
    }

    /// The array that holds the values, [#size] of them; valid until the next value is added.
    int[] values() {
        return values;
    }

    /// Removes all values from `newSize` on.
    void truncate(int newSize) {
        size = newSize;
    }

    int[] toArray() {
        return toArray(0);
    }

    /// The values from `from` on.
    int[] toArray(int from) {
        return Arrays.copyOfRange(values, from, size);
    }
}
