package io.github.sgpt4j.tokenizer.bpe;

import io.github.sgpt4j.call.Cancellation;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.tokenizer.collection.IntList;
import io.github.sgpt4j.tokenizer.step.ByteLevelAlphabet;
import io.github.sgpt4j.tokenizer.step.PreTokenizer;
import io.github.sgpt4j.tokenizer.vocabulary.Vocabulary;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Byte-pair encoding of words into token ids, as in `tokenizers::models::bpe`. For one thread at a
/// time; buffers are kept for the next word.
public final class WordEncoder implements PreTokenizer.Words {
    private static final int UNSET = -1;

    private final BpeModel model;
    private final IntList ids;
    private final @Nullable IntList lengths;
    private final BpeMerger merger;
    /// The UTF-8 form of a code point.
    private final byte[] utf8 = new byte[4];
    /// The UTF-8 form of a code point that falls back to its bytes.
    private final byte[] fallback = new byte[4];
    /// A token or symbol in the vocabulary's notation.
    private char[] chars = new char[4 * WordCache.MAX_LENGTH];
    private int pendingUnknown = UNSET;
    private int pendingLength;
    private Cancellation cancellation = Cancellation.NEVER;

    /// @param ids receives the ids of each word
    public WordEncoder(BpeModel model, IntList ids) {
        this(model, ids, null);
    }

    /// An encoder that also tells lengths; it is slower, since it does not use the cache.
    ///
    /// @param ids receives the ids of each word
    /// @param lengths if not null, receives for each id how much of the word it stands for, as
    ///     [#notationLength] counts. Symbols that are dropped count for nothing, as in the reference
    ///     implementation
    public WordEncoder(BpeModel model, IntList ids, @Nullable IntList lengths) {
        this.model = model;
        this.ids = ids;
        this.lengths = lengths;
        merger = new BpeMerger(model.merges());
    }

    /// Sets the call that words are encoded for; its cancellation is checked for each word that is not
    /// in the cache.
    public void begin(Cancellation call) {
        cancellation = call;
    }

    @Override
    public void word(String text, int start, int end, boolean first) {
        if (end - start > WordCache.MAX_LENGTH || lengths != null) {
            compute(text, start, end);
            return;
        }
        int hash = WordCache.hash(text, start, end);
        int[] known = model.cache().find(text, start, end, hash);
        if (known != null) {
            ids.addAll(known);
            return;
        }
        int from = ids.size();
        compute(text, start, end);
        model.cache().missed(text, start, end, hash, ids, from);
    }

    private void compute(String text, int start, int end) {
        cancellation.check();
        if (model.options().ignoreMerges()) {
            int id = wholeWord(text, start, end);
            if (id != Vocabulary.ABSENT) {
                emit(id, lengths == null ? 0 : notationLength(text, start, end));
                return;
            }
        }
        int from = ids.size();
        pendingUnknown = UNSET;
        if (model.isByteLevel()) {
            addBytes(text, start, end);
        } else {
            addCodePoints(text, start, end);
        }
        flush();
        if (lengths == null) {
            ids.truncate(merger.merge(ids.values(), from, ids.size(), cancellation));
        } else {
            mergeLengths(lengths, from);
        }
    }

    /// Merges the symbols from `from` on and adds up their lengths.
    private void mergeLengths(IntList each, int from) {
        int symbols = ids.size() - from;
        ids.truncate(merger.mergeByHeap(ids.values(), from, ids.size(), cancellation));
        for (int token = from, symbol = 0; token < ids.size(); token++) {
            int next = merger.next(symbol);
            int end = next < 0 ? symbols : next;
            int sum = 0;
            for (; symbol < end; symbol++) {
                sum += each.get(from + symbol);
            }
            each.set(token, sum);
        }
        each.truncate(ids.size());
    }

    private int notationLength(String text, int start, int end) {
        int length = 0;
        for (int i = start; i < end; i += Character.charCount(text.codePointAt(i))) {
            length += notationLength(text.codePointAt(i));
        }
        return length;
    }

    /// Bytes of the UTF-8 form of a code point in the notation of the vocabulary: in byte-level
    /// vocabularies, of the characters that stand for its bytes.
    public int notationLength(int codePoint) {
        int count = encode(codePoint, utf8);
        if (!model.isByteLevel()) {
            return count;
        }
        int length = 0;
        for (int b = 0; b < count; b++) {
            length += symbolLength(utf8[b] & 0xFF);
        }
        return length;
    }

    /// As [#notationLength] of one byte.
    private static int symbolLength(int unsignedByte) {
        return ByteLevelAlphabet.charOf(unsignedByte) < 0x80 ? 1 : 2;
    }

    /// The id of the word if it is a token, or [Vocabulary#ABSENT].
    private int wholeWord(String text, int start, int end) {
        if (end - start > model.vocabulary().longest()) {
            return Vocabulary.ABSENT;
        }
        int length = 0;
        for (int i = start; i < end; ) {
            int codePoint = text.codePointAt(i);
            if (length + utf8.length > chars.length) {
                chars = Arrays.copyOf(chars, 2 * chars.length);
            }
            if (model.isByteLevel()) {
                int count = encode(codePoint, utf8);
                for (int b = 0; b < count; b++) {
                    chars[length++] = ByteLevelAlphabet.charOf(utf8[b] & 0xFF);
                }
            } else {
                length += Character.toChars(codePoint, chars, length);
            }
            i += Character.charCount(codePoint);
        }
        return model.vocabulary().id(chars, 0, length);
    }

    private void addBytes(String text, int start, int end) {
        for (int i = start; i < end; ) {
            int codePoint = text.codePointAt(i);
            int count = encode(codePoint, utf8);
            for (int b = 0; b < count; b++) {
                int unsignedByte = utf8[b] & 0xFF;
                int id = model.byteId(unsignedByte);
                if (id != Vocabulary.ABSENT) {
                    known(id, symbolLength(unsignedByte));
                } else {
                    unknown(ByteLevelAlphabet.charOf(unsignedByte));
                }
            }
            i += Character.charCount(codePoint);
        }
    }

    private void addCodePoints(String text, int start, int end) {
        for (int i = start; i < end; ) {
            int codePoint = text.codePointAt(i);
            int length = Character.toChars(codePoint, chars, 0);
            int id = model.vocabulary().id(chars, 0, length);
            if (id != Vocabulary.ABSENT) {
                known(id, lengths == null ? 0 : encode(codePoint, utf8));
            } else {
                unknown(codePoint);
            }
            i += length;
        }
    }

    private void known(int id, int length) {
        flush();
        emit(id, length);
    }

    private void emit(int id, int length) {
        ids.add(id);
        if (lengths != null) {
            lengths.add(length);
        }
    }

    /// An unknown symbol is held back until the next known one, so that it can fuse with its
    /// neighbours. Bytes from the fallback are emitted before it, as in the reference implementation.
    private void unknown(int codePoint) {
        if (model.options().byteFallback() && fallBack(codePoint)) {
            return;
        }
        String unknownToken = model.options().unknownToken();
        if (unknownToken == null) {
            return;
        }
        int length = encode(codePoint, fallback);
        if (pendingUnknown != UNSET && model.options().fuseUnknown()) {
            pendingLength += length;
            return;
        }
        flush();
        pendingLength = length;
        pendingUnknown = model.vocabulary().id(unknownToken);
        if (pendingUnknown == Vocabulary.ABSENT) {
            throw new FormatException(
                    "%s: model.unk_token: the vocabulary lacks the unknown token \"%s\", which the text needs"
                            .formatted(model.vocabulary().file(), unknownToken));
        }
    }

    private boolean fallBack(int codePoint) {
        int count = encode(codePoint, fallback);
        for (int b = 0; b < count; b++) {
            if (model.fallbackId(fallback[b] & 0xFF) == Vocabulary.ABSENT) {
                return false;
            }
        }
        for (int b = 0; b < count; b++) {
            emit(model.fallbackId(fallback[b] & 0xFF), 1);
        }
        return true;
    }

    private void flush() {
        if (pendingUnknown != UNSET) {
            emit(pendingUnknown, pendingLength);
            pendingUnknown = UNSET;
        }
    }

    /// Writes the UTF-8 form of a code point and returns its number of bytes.
    private static int encode(int codePoint, byte[] out) {
        if (codePoint < 0x80) {
            out[0] = (byte) codePoint;
            return 1;
        }
        int count = codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
        int rest = codePoint;
        for (int b = count - 1; b > 0; b--) {
            out[b] = (byte) (0x80 | rest & 0x3F);
            rest >>= 6;
        }
        // One leading 1 bit per byte, then a 0.
        out[0] = (byte) (0xF00 >> count | rest);
        return count;
    }
}
