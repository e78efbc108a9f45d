package io.github.sgpt4j.tokenizer;

import io.github.sgpt4j.error.FormatException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/// Byte-pair encoding of one word into token ids, as `tokenizers::models::bpe` does it, with a bounded cache of words
/// that all threads share.
final class BpeModel {
    /// Settings of the model beside vocabulary and merges.
    ///
    /// @param unknownToken stands for symbols that the vocabulary lacks; without one they are dropped
    /// @param fuseUnknown whether neighbouring unknown symbols become one
    /// @param byteFallback whether unknown symbols become tokens `<0x00>`…`<0xFF>` where all of them exist
    /// @param ignoreMerges whether a word that is a token is taken as such before any merging
    record Options(@Nullable String unknownToken, boolean fuseUnknown, boolean byteFallback, boolean ignoreMerges) {}

    private static final int CACHE_SLOTS = 1 << 14;
    private static final int CACHED_LENGTH = 64;
    private static final int UNSET = -1;
    private static final HexFormat HEX = HexFormat.of().withUpperCase();

    private final Vocabulary vocabulary;
    private final MergeTable merges;
    private final Options options;
    private final boolean byteLevel;
    private final int[] byteIds = new int[256];
    private final int[] fallbackIds = new int[256];
    /// Written without synchronization: entries are immutable, so that a race costs at most a repeated computation.
    private final @Nullable CachedWord[] cache = new CachedWord[CACHE_SLOTS];

    private record CachedWord(String word, int[] ids) {}

    /// @param byteLevel whether words come as text whose UTF-8 bytes are the symbols; otherwise code points are
    BpeModel(Vocabulary vocabulary, MergeTable merges, Options options, boolean byteLevel) {
        this.vocabulary = vocabulary;
        this.merges = merges;
        this.options = options;
        this.byteLevel = byteLevel;
        for (int b = 0; b < 256; b++) {
            byteIds[b] = vocabulary.id(String.valueOf(ByteLevelAlphabet.charOf(b)));
            // Formatter would cost a noticeable part of a cold start here.
            fallbackIds[b] =
                    options.byteFallback() ? vocabulary.id("<0x" + HEX.toHexDigits((byte) b) + ">") : Vocabulary.ABSENT;
        }
    }

    Vocabulary vocabulary() {
        return vocabulary;
    }

    boolean isByteLevel() {
        return byteLevel;
    }

    int merges() {
        return merges.size();
    }

    /// Appends the ids of a word.
    void encode(String word, IntList out) {
        if (word.isEmpty()) {
            return;
        }
        if (word.length() > CACHED_LENGTH) {
            out.addAll(compute(word));
            return;
        }
        int hash = word.hashCode();
        int slot = (hash ^ (hash >>> 14)) & (CACHE_SLOTS - 1);
        CachedWord hit = cache[slot];
        if (hit == null || !hit.word.equals(word)) {
            hit = new CachedWord(word, compute(word));
            cache[slot] = hit;
        }
        out.addAll(hit.ids);
    }

    private int[] compute(String word) {
        if (options.ignoreMerges()) {
            int id = vocabulary.id(byteLevel ? ByteLevelAlphabet.encode(word) : word);
            if (id != Vocabulary.ABSENT) {
                return new int[] {id};
            }
        }
        Symbols symbols = new Symbols(word.length());
        if (byteLevel) {
            for (byte b : word.getBytes(StandardCharsets.UTF_8)) {
                int id = byteIds[b & 0xFF];
                if (id != Vocabulary.ABSENT) {
                    symbols.known(id);
                } else {
                    symbols.unknown(String.valueOf(ByteLevelAlphabet.charOf(b & 0xFF)));
                }
            }
        } else {
            for (int i = 0; i < word.length(); ) {
                int end = i + Character.charCount(word.codePointAt(i));
                String symbol = word.substring(i, end);
                int id = vocabulary.id(symbol);
                if (id != Vocabulary.ABSENT) {
                    symbols.known(id);
                } else {
                    symbols.unknown(symbol);
                }
                i = end;
            }
        }
        symbols.flush();
        int[] ids = symbols.ids.toArray();
        return BpeMerger.merge(ids, ids.length, merges);
    }

    /// Collects a word's first symbols. An unknown symbol is held back until the next known one, so that it can fuse
    /// with its neighbours; bytes from the fallback pass by it, as in the reference implementation.
    private final class Symbols {
        private final IntList ids;
        private int pendingUnknown = UNSET;

        Symbols(int capacity) {
            ids = new IntList(capacity);
        }

        void known(int id) {
            flush();
            ids.add(id);
        }

        void unknown(String symbol) {
            if (options.byteFallback() && fallBack(symbol)) {
                return;
            }
            String unknownToken = options.unknownToken();
            if (unknownToken == null || pendingUnknown != UNSET && options.fuseUnknown()) {
                return;
            }
            flush();
            pendingUnknown = vocabulary.id(unknownToken);
            if (pendingUnknown == Vocabulary.ABSENT) {
                throw new FormatException(
                        "%s: model.unk_token: the vocabulary lacks the unknown token \"%s\", which the text needs"
                                .formatted(vocabulary.file(), unknownToken));
            }
        }

        private boolean fallBack(String symbol) {
            byte[] bytes = symbol.getBytes(StandardCharsets.UTF_8);
            for (byte b : bytes) {
                if (fallbackIds[b & 0xFF] == Vocabulary.ABSENT) {
                    return false;
                }
            }
            for (byte b : bytes) {
                ids.add(fallbackIds[b & 0xFF]);
            }
            return true;
        }

        void flush() {
            if (pendingUnknown != UNSET) {
                ids.add(pendingUnknown);
                pendingUnknown = UNSET;
            }
        }
    }
}
