package io.github.sgpt4j.training.data;

import java.util.Arrays;

/// A growing list of integers without boxing.
final class IntList {
    private int[] values = new int[16];
    private int size;

    void add(int value) {
        if (size == values.length) {
            values = Arrays.copyOf(values, Growth.of(size));
        }
        values[size++] = value;
    }

    int get(int index) {
        return values[index];
    }

    int size() {
        return size;
    }

    int[] slice(int from, int to) {
        return Arrays.copyOfRange(values, from, to);
    }
}
