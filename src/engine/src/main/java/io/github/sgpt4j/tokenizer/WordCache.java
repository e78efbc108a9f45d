package io.github.sgpt4j.tokenizer;

import org.jspecify.annotations.Nullable;

/// A bounded cache of words and their ids that all threads share. Words are looked up by where they are in a text, so
/// that nothing is allocated for a word that is found, nor for one that is met once.
///
/// Written without synchronization: entries are immutable, so that a race costs at most a repeated computation.
final class WordCache {
    /// Longer words do not come in.
    static final int LONGEST = 64;

    private static final int SLOTS = 1 << 14;

    private record Entry(int hash, String word, int[] ids) {
        boolean is(String text, int start, int end, int otherHash) {
            return hash == otherHash && word.length() == end - start && text.startsWith(word, start);
        }
    }

    private final @Nullable Entry[] entries = new Entry[SLOTS];
    /// For each slot the hash of the word that was last looked for and not found.
    private final int[] missed = new int[SLOTS];

    /// That of [String#hashCode].
    static int hash(String text, int start, int end) {
        int hash = 0;
        for (int i = start; i < end; i++) {
            hash = 31 * hash + text.charAt(i);
        }
        return hash;
    }

    /// The ids of the word `text[start, end)`, or null.
    int @Nullable [] find(String text, int start, int end, int hash) {
        Entry entry = entries[slot(hash)];
        return entry != null && entry.is(text, start, end, hash) ? entry.ids : null;
    }

    /// Learns a word that was not found. In place of another it comes in the second time in a row that it is missed:
    /// rare words do not drive out frequent ones.
    ///
    /// @param ids its ids, from `ids[from]` to the end
    void learn(String text, int start, int end, int hash, IntList ids, int from) {
        int slot = slot(hash);
        if (entries[slot] == null || missed[slot] == hash) {
            entries[slot] = new Entry(hash, text.substring(start, end), ids.toArray(from));
        } else {
            missed[slot] = hash;
        }
    }

    private static int slot(int hash) {
        return (hash ^ (hash >>> 14)) & (SLOTS - 1);
    }
}
