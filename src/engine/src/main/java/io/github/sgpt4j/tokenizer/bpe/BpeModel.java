package io.github.sgpt4j.tokenizer.bpe;

import io.github.sgpt4j.tokenizer.step.ByteLevelAlphabet;
import io.github.sgpt4j.tokenizer.vocabulary.Vocabulary;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/// What byte-pair encoding goes by: vocabulary, merges and settings, and a cache of words. A [WordEncoder] does the
/// work. Safe to share between threads.
public final class BpeModel {
    /// Settings of the model beside vocabulary and merges.
    ///
    /// @param unknownToken stands for symbols that the vocabulary lacks; without one they are dropped
    /// @param fuseUnknown whether neighbouring unknown symbols become one
    /// @param byteFallback whether unknown symbols become tokens `<0x00>`…`<0xFF>` where all of them exist
    /// @param ignoreMerges whether a word that is a token is taken as such before any merging
    public record Options(
            @Nullable String unknownToken, boolean fuseUnknown, boolean byteFallback, boolean ignoreMerges) {}

    private static final HexFormat HEX = HexFormat.of().withUpperCase();

    private final Vocabulary vocabulary;
    private final MergeTable merges;
    private final Options options;
    private final boolean byteLevel;
    private final int[] byteIds = new int[256];
    private final int[] fallbackIds = new int[256];
    private final WordCache cache = new WordCache();

    /// @param byteLevel whether words come as text whose UTF-8 bytes are the symbols; otherwise code points are
    public BpeModel(Vocabulary vocabulary, MergeTable merges, Options options, boolean byteLevel) {
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

    public Vocabulary vocabulary() {
        return vocabulary;
    }

    public boolean isByteLevel() {
        return byteLevel;
    }

    public MergeTable merges() {
        return merges;
    }

    public Options options() {
        return options;
    }

    public WordCache cache() {
        return cache;
    }

    /// The id of a byte, 0 to 255, in a byte-level vocabulary, or [Vocabulary#ABSENT].
    public int byteId(int unsignedByte) {
        return byteIds[unsignedByte];
    }

    /// The id of the token `<0x00>`…`<0xFF>` that a byte falls back to, or [Vocabulary#ABSENT].
    public int fallbackId(int unsignedByte) {
        return fallbackIds[unsignedByte];
    }
}
