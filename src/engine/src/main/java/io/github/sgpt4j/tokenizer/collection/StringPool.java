package io.github.sgpt4j.tokenizer.collection;

import java.util.Arrays;

/// An append-only list of strings, concatenated in one array, so that hundreds of thousands of
/// vocabulary entries need no objects of their own. Not thread-safe while it grows.
public final class StringPool {
    private char[] chars = new char[1 << 12];
    private int[] ends = new int[1 << 8];
    private int size;

    /// Appends `length` characters of `source` from `offset` and returns the index of the new string.
    public int add(char[] source, int offset, int length) {
        int start = size == 0 ? 0 : ends[size - 1];
        int end = Math.addExact(start, length);
        if (end > chars.length) {
            chars = Arrays.copyOf(chars, (int) Math.min(Integer.MAX_VALUE - 8L, Math.max(end, 2L * chars.length)));
        }
        if (size == ends.length) {
            ends = Arrays.copyOf(ends, 2 * size);
        }
        System.arraycopy(source, offset, chars, start, length);
        ends[size] = end;
        return size++;
    }

    public int size() {
        return size;
    }

    /// The array of all strings; valid until the next [#add].
    public char[] chars() {
        return chars;
    }

    public int start(int index) {
        return index == 0 ? 0 : ends[index - 1];
    }

    public int length(int index) {
        return ends[index] - start(index);
    }

    public String get(int index) {
        return new String(chars, start(index), length(index));
    }
}
