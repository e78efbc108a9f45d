package io.github.sgpt4j.tokenizer.collection;

import java.util.Arrays;

/// An open-addressing map from `long` keys to non-negative `int` values, without boxing. Safe to read
/// from many threads after it was filled and safely published.
public final class LongIntMap {
    /// The result of [#get] for a missing key.
    public static final int ABSENT = -1;

    private static final long FREE = -1L;

    private long[] keys;
    private int[] values;
    private int size;

    public LongIntMap(int expected) {
        int capacity = Integer.highestOneBit(Math.clamp(expected * 2L, 8, 1 << 29)) << 1;
        keys = new long[capacity];
        values = new int[capacity];
        Arrays.fill(keys, FREE);
    }

    /// Sets the value of a key; a later value replaces an earlier one. The key -1 is not allowed.
    public void put(long key, int value) {
        if (size >= keys.length / 2) {
            grow();
        }
        int slot = slot(key);
        if (keys[slot] == FREE) {
            keys[slot] = key;
            size++;
        }
        values[slot] = value;
    }

    public int get(long key) {
        int slot = slot(key);
        return keys[slot] == FREE ? ABSENT : values[slot];
    }

    private int slot(long key) {
        int mask = keys.length - 1;
        long hash = (key ^ (key >>> 32)) * 0x9E3779B97F4A7C15L;
        int slot = (int) (hash >>> 32) & mask;
        while (keys[slot] != key && keys[slot] != FREE) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private void grow() {
        long[] oldKeys = keys;
        int[] oldValues = values;
        keys = new long[Math.multiplyExact(oldKeys.length, 2)];
        values = new int[keys.length];
        Arrays.fill(keys, FREE);
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldKeys[i] != FREE) {
                int slot = slot(oldKeys[i]);
                keys[slot] = oldKeys[i];
                values[slot] = oldValues[i];
            }
        }
    }
}
