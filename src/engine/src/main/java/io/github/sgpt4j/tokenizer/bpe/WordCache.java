package io.github.sgpt4j.tokenizer.bpe;

import io.github.sgpt4j.tokenizer.collection.IntList;
import org.jspecify.annotations.Nullable;

/// A bounded cache of words and their ids that all threads share. Words are looked up by where they are in a text, so
/// that nothing is allocated for a word that is found.
///
/// A word comes in where there is room, and in place of another once it is missed several times in a row: rare words
/// do not drive out frequent ones, words met once allocate nothing, and what a long run of texts needs comes to rest.
///
/// Written without synchronization: entries are immutable, so that a race costs at most a repeated computation.
public final class WordCache {
    /// Longer words do not come in.
    static final int MAX_LENGTH = 64;

    private static final int SLOTS = 1 << 14;
    private static final int MISSES = 16;

    private record Entry(int hash, String word, int[] ids) {
        boolean is(String text, int start, int end, int otherHash) {
            return hash == otherHash && word.length() == end - start && text.startsWith(word, start);
        }
    }

    private final @Nullable Entry[] entries = new Entry[SLOTS];
    /// For each slot the hash of the word that was last looked for and not found, and how often in a row.
    private final int[] missed = new int[SLOTS];
    private final byte[] misses = new byte[SLOTS];

    /// That of [String#hashCode].
    public static int hash(String text, int start, int end) {
        int hash = 0;
        for (int i = start; i < end; i++) {
            hash = 31 * hash + text.charAt(i);
        }
        return hash;
    }

    /// The ids of the word `text[start, end)`, or null. A word is in the slot that its hash leads to, or in the one
    /// beside it.
    int @Nullable [] find(String text, int start, int end, int hash) {
        int slot = slot(hash);
        Entry entry = entries[slot];
        if (entry != null && entry.hash != hash) {
            entry = entries[slot ^ 1];
        }
        return entry != null && entry.is(text, start, end, hash) ? entry.ids : null;
    }

    /// Takes note of a word that was not found. When it comes in, what was in its slot moves to the one beside it.
    ///
    /// @param ids its ids, from `ids[from]` to the end
    public void missed(String text, int start, int end, int hash, IntList ids, int from) {
        int slot = slot(hash);
        misses[slot] = missed[slot] == hash ? (byte) (misses[slot] + 1) : 1;
        missed[slot] = hash;
        Entry before = entries[slot];
        if (before != null && entries[slot ^ 1] != null && misses[slot] < MISSES) {
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
