package io.github.sgpt4j.tokenizer.bpe;

import io.github.sgpt4j.tokenizer.collection.IntList;
import org.jspecify.annotations.Nullable;

/// A bounded cache of words and their ids, shared by all threads. Words are looked up as ranges of a
/// text, so a hit allocates nothing.
///
/// A word is stored if there is room. It replaces another word only after several misses in a row, so
/// rare words do not evict frequent ones, words that occur once allocate nothing in a full cache, and
/// over a long run of texts the cache becomes stable.
///
/// Not synchronized: entries are immutable, so a race costs at most a repeated computation.
final class WordCache {
    /// Longer words are not stored.
    static final int MAX_LENGTH = 64;

    private static final int SLOTS = 1 << 14;
    private static final int MISSES_BEFORE_REPLACING = 16;

    private record Entry(int hash, String word, int[] ids) {
        boolean is(String text, int start, int end, int otherHash) {
            return hash == otherHash && word.length() == end - start && text.startsWith(word, start);
        }
    }

    private final @Nullable Entry[] entries = new Entry[SLOTS];
    /// For each slot, the hash of the last word that was not found, and how often in a row.
    private final int[] missed = new int[SLOTS];
    private final byte[] misses = new byte[SLOTS];

    /// The same hash as [String#hashCode].
    static int hash(String text, int start, int end) {
        int hash = 0;
        for (int i = start; i < end; i++) {
            hash = 31 * hash + text.charAt(i);
        }
        return hash;
    }

    /// The ids of the word `text[start, end)`, or null. A word is in the slot of its hash or in the
    /// neighbouring one.
    int @Nullable [] find(String text, int start, int end, int hash) {
        int slot = slot(hash);
        Entry entry = entries[slot];
        if (entry != null && entry.hash != hash) {
            entry = entries[slot ^ 1];
        }
        return entry != null && entry.is(text, start, end, hash) ? entry.ids : null;
    }

    /// Records a word that was not found. If it is stored, the previous word of its slot moves to the
    /// neighbouring slot.
    ///
    /// @param ids its ids, from `ids[from]` to the end
    void missed(String text, int start, int end, int hash, IntList ids, int from) {
        int slot = slot(hash);
        misses[slot] = missed[slot] == hash ? (byte) (misses[slot] + 1) : 1;
        missed[slot] = hash;
        Entry before = entries[slot];
        if (before != null && entries[slot ^ 1] != null && misses[slot] < MISSES_BEFORE_REPLACING) {
            return;
        }
        if (before != null) {
            entries[slot ^ 1] = before;
        }
        entries[slot] = new Entry(hash, text.substring(start, end), ids.toArray(from));
        misses[slot] = 0;
    }

    private static int slot(int hash) {
        return (hash ^ (hash >>> 14)) & (SLOTS - 1);
    }
}
