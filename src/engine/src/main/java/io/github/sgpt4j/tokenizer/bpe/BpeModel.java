package io.github.sgpt4j.tokenizer.bpe;

import io.github.sgpt4j.tokenizer.step.ByteLevelAlphabet;
import io.github.sgpt4j.tokenizer.vocabulary.Vocabulary;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/// The data of byte-pair encoding: vocabulary, merges and settings, and a cache of words. A
/// [WordEncoder] encodes with it. Safe to share between threads.
public final class BpeModel {
    /// Further settings of the model.
    ///
    /// @param unknownToken replaces symbols that the vocabulary lacks; without one they are dropped
    /// @param fuseUnknown whether neighbouring unknown symbols become one
    /// @param byteFallback whether unknown symbols become tokens `<0x00>`…`<0xFF>` if the tokens of all
    ///     their bytes exist
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

    /// @param byteLevel whether the symbols are the UTF-8 bytes of words; otherwise they are code
    ///     points
    public BpeModel(Vocabulary vocabulary, MergeTable merges, Options options, boolean byteLevel) {
        this.vocabulary = vocabulary;
        this.merges = merges;
        this.options = options;
        this.byteLevel = byteLevel;
        for (int b = 0; b < 256; b++) {
            byteIds[b] = vocabulary.id(String.valueOf(ByteLevelAlphabet.charOf(b)));
            // A Formatter would take a noticeable part of a cold start.
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

    Options options() {
        return options;
    }

    WordCache cache() {
        return cache;
    }

    /// The id of a byte, 0 to 255, in a byte-level vocabulary, or [Vocabulary#ABSENT].
    int byteId(int unsignedByte) {
        return byteIds[unsignedByte];
    }

    /// The id of the token `<0x00>`…`<0xFF>` that a byte falls back to, or [Vocabulary#ABSENT].
    int fallbackId(int unsignedByte) {
        return fallbackIds[unsignedByte];
    }
}
