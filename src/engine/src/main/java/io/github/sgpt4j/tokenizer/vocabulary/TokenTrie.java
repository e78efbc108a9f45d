package io.github.sgpt4j.tokenizer.vocabulary;

import io.github.sgpt4j.tokenizer.collection.IntList;
import io.github.sgpt4j.tokenizer.collection.LongIntMap;

/// Finds the longest string of a set that starts at a position.
final class TokenTrie {
    private final LongIntMap edges = new LongIntMap(16);
    private final IntList values = new IntList(16);
    /// Whether a string starts with the character; the last entry stands for that character and all
    /// above.
    private final boolean[] beginnings = new boolean[129];

    TokenTrie() {
        values.add(-1);
    }

    /// Adds a non-empty string with a value ≥ 0, unless it is already present.
    void add(String text, int value) {
        beginnings[Math.min(text.charAt(0), beginnings.length - 1)] = true;
        int node = 0;
        for (int i = 0; i < text.length(); i++) {
            int next = edges.get(edge(node, text.charAt(i)));
            if (next == LongIntMap.ABSENT) {
                next = values.size();
                edges.put(edge(node, text.charAt(i)), next);
                values.add(-1);
            }
            node = next;
        }
        if (values.get(node) < 0) {
            values.set(node, value);
        }
    }

    boolean isEmpty() {
        return values.size() == 1;
    }

    /// The first position at or after `from` where a string may start, by its first character; the
    /// text's length if there is none.
    int candidate(String text, int from) {
        int i = from;
        while (i < text.length() && !beginnings[Math.min(text.charAt(i), beginnings.length - 1)]) {
            i++;
        }
        return i;
    }

    /// The longest string at `from`, as `end << 32 | value`; -1 if none starts there.
    long longest(String text, int from) {
        long found = -1;
        int node = 0;
        for (int i = from; i < text.length(); i++) {
            node = edges.get(edge(node, text.charAt(i)));
            if (node == LongIntMap.ABSENT) {
                break;
            }
            if (values.get(node) >= 0) {
                found = (i + 1L) << 32 | values.get(node);
            }
        }
        return found;
    }

    private static long edge(int node, char c) {
        return (long) node << 16 | c;
    }
}
