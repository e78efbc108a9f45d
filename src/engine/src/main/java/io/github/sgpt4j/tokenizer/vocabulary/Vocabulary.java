package io.github.sgpt4j.tokenizer.vocabulary;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.tokenizer.collection.StringPool;
import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/// Maps tokens of the model to ids and back. Gaps between ids are allowed; duplicate tokens or ids are
/// not. Filled by one thread, then read by many.
public final class Vocabulary {
    /// The result of [#id] for a missing token.
    public static final int ABSENT = -1;

    /// Upper bound (exclusive) of ids.
    static final int MAX_ID = 1 << 24;

    private final String file;
    private final int seed = ThreadLocalRandom.current().nextInt();
    private final StringPool tokens = new StringPool();
    private int[] ids = new int[1 << 8];
    private int[] table = new int[1 << 9];
    private int[] byId = new int[1 << 8];
    private int limit;
    private int longest;

    public Vocabulary(String file) {
        this.file = file;
    }

    /// Adds a token.
    ///
    /// @throws FormatException if the id is out of range, or the token or the id is already present
    public void add(char[] chars, int offset, int length, long id) {
        if (id < 0 || id >= MAX_ID) {
            throw new FormatException("%s: model.vocab: expected an id of token \"%s\" from 0 to %d, got %d"
                    .formatted(file, new String(chars, offset, length), MAX_ID - 1, id));
        }
        if (id(chars, offset, length) != ABSENT) {
            throw new FormatException(
                    "%s: model.vocab: token \"%s\" occurs twice".formatted(file, new String(chars, offset, length)));
        }
        int intId = (int) id;
        if (token(intId) instanceof String other) {
            throw new FormatException("%s: model.vocab: tokens \"%s\" and \"%s\" have the same id %d"
                    .formatted(file, other, new String(chars, offset, length), intId));
        }
        int index = tokens.add(chars, offset, length);
        if (index == ids.length) {
            ids = Arrays.copyOf(ids, 2 * index);
        }
        ids[index] = intId;
        if (intId >= byId.length) {
            byId = Arrays.copyOf(byId, Math.max(intId + 1, Math.min(2 * byId.length, MAX_ID)));
        }
        byId[intId] = index + 1;
        limit = Math.max(limit, intId + 1);
        longest = Math.max(longest, length);
        if (2 * tokens.size() > table.length) {
            table = new int[2 * table.length];
            for (int i = 0; i < tokens.size(); i++) {
                insert(i);
            }
        } else {
            insert(index);
        }
    }

    /// The id of a token, or [#ABSENT].
    public int id(char[] chars, int offset, int length) {
        char[] pool = tokens.chars();
        int mask = table.length - 1;
        for (int slot = hash(chars, offset, length) & mask; table[slot] != 0; slot = (slot + 1) & mask) {
            int index = table[slot] - 1;
            int start = tokens.start(index);
            if (tokens.length(index) == length
                    && Arrays.equals(pool, start, start + length, chars, offset, offset + length)) {
                return ids[index];
            }
        }
        return ABSENT;
    }

    public int id(String token) {
        char[] chars = token.toCharArray();
        return id(chars, 0, chars.length);
    }

    /// The token with this id, or null if there is none.
    @Nullable
    public String token(int id) {
        return id < 0 || id >= byId.length || byId[id] == 0 ? null : tokens.get(byId[id] - 1);
    }

    /// Number of tokens.
    public int size() {
        return tokens.size();
    }

    /// The highest id + 1.
    public int limit() {
        return limit;
    }

    /// The length of the longest token, in `char`s.
    public int longest() {
        return longest;
    }

    public String file() {
        return file;
    }

    private void insert(int index) {
        int mask = table.length - 1;
        int slot = hash(tokens.chars(), tokens.start(index), tokens.length(index)) & mask;
        while (table[slot] != 0) {
            slot = (slot + 1) & mask;
        }
        table[slot] = index + 1;
    }

    /// Seeded per vocabulary, so that a file cannot provoke collisions.
    private int hash(char[] chars, int offset, int length) {
        int hash = seed;
        for (int i = offset; i < offset + length; i++) {
            hash = (Integer.rotateLeft(hash, 5) ^ chars[i]) * 0x9E3779B1;
        }
        return hash ^ (hash >>> 15);
    }
}
