package io.github.sgpt4j.retrieval.evaluation;

/// Finds a key's record: a hash table of 8 bytes per slot that stores half of each key. A match is only
/// a candidate, since keys may share that half: the holder of the records compares the rest.
final class KeyTable {
    private static final int MIN_SLOTS = 1 << 10;
    private static final int MAX_SLOTS = 1 << 30;

    /// Upper half: half of the key; lower half: the record's number plus 1; 0 if the slot is free.
    private long[] slots = new long[MIN_SLOTS];

    private int size;

    /// Compares a record with a key.
    @FunctionalInterface
    interface RecordCheck {
        /// Whether the record has the key, and is intact.
        boolean matches(int index);
    }

    /// Adds a record under a key, beside any records already there.
    void add(TextKey key, int index) {
        if (size >= slots.length / 4 * 3) {
            grow();
        }
        insert(key.high() << 32 | index + 1L);
        size++;
    }

    /// The first record under a key that passes the check, or -1 if there is none.
    int find(TextKey key, RecordCheck check) {
        long entry = key.high() << 32;
        for (int slot = slot(entry); slots[slot] != 0; slot = slot + 1 & slots.length - 1) {
            int index = (int) slots[slot] - 1;
            if (slots[slot] >>> 32 == entry >>> 32 && check.matches(index)) {
                return index;
            }
        }
        return -1;
    }

    private void insert(long entry) {
        int slot = slot(entry);
        while (slots[slot] != 0) {
            slot = slot + 1 & slots.length - 1;
        }
        slots[slot] = entry;
    }

    private int slot(long entry) {
        return (int) ((entry >>> 32) * 0x9E3779B97F4A7C15L >>> 33) & slots.length - 1;
    }

    private void grow() {
        if (slots.length == MAX_SLOTS) {
            throw new IllegalStateException("a cache holds at most %,d records".formatted(size));
        }
        long[] old = slots;
        slots = new long[old.length * 2];
        for (long entry : old) {
            if (entry != 0) {
                insert(entry);
            }
        }
    }
}
