package io.github.sgpt4j.tokenizer.collection;

import java.util.Arrays;

/// A growable list of `int`, without boxing.
public final class IntList {
    private int[] values;
    private int size;

    public IntList(int capacity) {
        values = new int[Math.max(4, capacity)];
    }

    public void add(int value) {
        if (size == values.length) {
            values = Arrays.copyOf(values, Math.multiplyExact(size, 2));
        }
        values[size++] = value;
    }

    public void addAll(int[] more) {
        int needed = Math.addExact(size, more.length);
        if (needed > values.length) {
            values =
                    Arrays.copyOf(values, (int) Math.min(Integer.MAX_VALUE - 8L, Math.max(needed, 2L * values.length)));
        }
        System.arraycopy(more, 0, values, size, more.length);
        size = needed;
    }

    public int size() {
        return size;
    }

    public int get(int index) {
        return values[index];
    }

    public void set(int index, int value) {
        values[index] = value;
    }

    /// The backing array, of which [#size] values are used; valid until the next value is added.
    public int[] values() {
        return values;
    }

    /// Removes all values from `newSize` on.
    public void truncate(int newSize) {
        size = newSize;
    }

    public int[] toArray() {
        return toArray(0);
    }

    /// The values from `from` on.
    public int[] toArray(int from) {
        return Arrays.copyOfRange(values, from, size);
    }
}
