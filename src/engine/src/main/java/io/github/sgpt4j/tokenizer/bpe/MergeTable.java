package io.github.sgpt4j.tokenizer.bpe;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.tokenizer.collection.LongIntMap;
import io.github.sgpt4j.tokenizer.collection.StringPool;
import io.github.sgpt4j.tokenizer.vocabulary.Vocabulary;

/// The merges of byte-pair encoding: for a pair of token ids its rank (position in the file; lower
/// ranks merge first) and the id of the merged token.
public final class MergeTable {
    private final LongIntMap ranks;
    private final int[] merged;

    private MergeTable(LongIntMap ranks, int[] merged) {
        this.ranks = ranks;
        this.merged = merged;
    }

    /// Builds the table from pairs of strings: merge `i` joins strings `2 i` and `2 i + 1`. If a pair
    /// occurs twice, the later merge is used, as in the reference implementation.
    ///
    /// @param where file and key, for messages
    /// @throws FormatException if a part or a result is not in the vocabulary
    public static MergeTable of(StringPool pairs, Vocabulary vocabulary, String where) {
        int count = pairs.size() / 2;
        LongIntMap ranks = new LongIntMap(count);
        int[] merged = new int[count];
        char[] chars = pairs.chars();
        for (int i = 0; i < count; i++) {
            int start = pairs.start(2 * i);
            int leftLength = pairs.length(2 * i);
            int rightLength = pairs.length(2 * i + 1);
            int left = known(vocabulary, chars, start, leftLength, where, i);
            int right = known(vocabulary, chars, start + leftLength, rightLength, where, i);
            merged[i] = known(vocabulary, chars, start, leftLength + rightLength, where, i);
            ranks.put(key(left, right), i);
        }
        return new MergeTable(ranks, merged);
    }

    private static int known(Vocabulary vocabulary, char[] chars, int start, int length, String where, int merge) {
        int id = vocabulary.id(chars, start, length);
        if (id == Vocabulary.ABSENT) {
            throw new FormatException("%s: merge %d: expected token \"%s\" in the vocabulary, found none"
                    .formatted(where, merge, new String(chars, start, length)));
        }
        return id;
    }

    /// The rank of a pair, or [LongIntMap#ABSENT].
    int rank(int left, int right) {
        return ranks.get(key(left, right));
    }

    /// The id that the merge of this rank produces.
    int merged(int rank) {
        return merged[rank];
    }

    public int size() {
        return merged.length;
    }

    private static long key(int left, int right) {
        return (long) left << 32 | right;
    }
}
