package io.github.sgpt4j.tokenizer.pattern;

/// Classes of code points as the Rust standard library and its `regex` and `unicode_categories` crates
/// define them. Java 25 implements Unicode 16; differences to an older or newer version of the
/// reference are listed here. (Oniguruma, which runs the patterns of `tokenizer.json`, agrees with Java
/// on all general categories and on white space.)
public final class CharacterClasses {
    private static final int NUMBER_TYPES =
            1 << Character.DECIMAL_DIGIT_NUMBER | 1 << Character.LETTER_NUMBER | 1 << Character.OTHER_NUMBER;
    private static final int LETTER_TYPES = 1 << Character.UPPERCASE_LETTER
            | 1 << Character.LOWERCASE_LETTER
            | 1 << Character.TITLECASE_LETTER
            | 1 << Character.MODIFIER_LETTER
            | 1 << Character.OTHER_LETTER;
    /// Word characters in addition to alphabetic ones (Unicode Technical Standard 18, annex C).
    private static final int WORD_TYPES = 1 << Character.NON_SPACING_MARK
            | 1 << Character.ENCLOSING_MARK
            | 1 << Character.COMBINING_SPACING_MARK
            | 1 << Character.DECIMAL_DIGIT_NUMBER
            | 1 << Character.CONNECTOR_PUNCTUATION;
    private static final int ZERO_WIDTH_NON_JOINER = 0x200C;
    private static final int ZERO_WIDTH_JOINER = 0x200D;
    private static final int PUNCTUATION_TYPES = 1 << Character.CONNECTOR_PUNCTUATION
            | 1 << Character.DASH_PUNCTUATION
            | 1 << Character.START_PUNCTUATION
            | 1 << Character.END_PUNCTUATION
            | 1 << Character.INITIAL_QUOTE_PUNCTUATION
            | 1 << Character.FINAL_QUOTE_PUNCTUATION
            | 1 << Character.OTHER_PUNCTUATION;

    /// First and last code points of ranges that are punctuation in Unicode 16, but not in Unicode 8,
    /// which the reference uses.
    private static final int[] LATER_PUNCTUATION = {
        0x61D, 0x61D, 0x9FD, 0x9FD, 0xA76, 0xA76, 0xC77, 0xC77, 0xC84, 0xC84, 0x1B4E, 0x1B4F, 0x1B7D, 0x1B7F, 0x2E43,
        0x2E4F, 0x2E52, 0x2E5D, 0x10D6E, 0x10D6E, 0x10EAD, 0x10EAD, 0x10F55, 0x10F59, 0x10F86, 0x10F89, 0x113D4,
        0x113D5, 0x113D7, 0x113D8, 0x1144B, 0x1144F, 0x1145A, 0x1145B, 0x1145D, 0x1145D, 0x11660, 0x1166C, 0x116B9,
        0x116B9, 0x1183B, 0x1183B, 0x11944, 0x11946, 0x119E2, 0x119E2, 0x11A3F, 0x11A46, 0x11A9A, 0x11A9C, 0x11A9E,
        0x11AA2, 0x11B00, 0x11B09, 0x11BE1, 0x11BE1, 0x11C41, 0x11C45, 0x11C70, 0x11C71, 0x11EF7, 0x11EF8, 0x11F43,
        0x11F4F, 0x11FFF, 0x11FFF, 0x12FF1, 0x12FF2, 0x16D6D, 0x16D6F, 0x16E97, 0x16E9A, 0x16FE2, 0x16FE2, 0x1E5FF,
        0x1E5FF, 0x1E95E, 0x1E95F
    };

    private CharacterClasses() {}

    /// The Unicode property White_Space.
    public static boolean isWhitespace(int c) {
        return c == ' '
                || c >= '\t' && c <= '\r'
                || c == 0x85
                || c == 0xA0
                || c == 0x1680
                || c >= 0x2000 && c <= 0x200A
                || c == 0x2028
                || c == 0x2029
                || c == 0x202F
                || c == 0x205F
                || c == 0x3000;
    }

    /// General category L.
    static boolean isLetter(int c) {
        return (1 << Character.getType(c) & LETTER_TYPES) != 0;
    }

    /// General category N as in Unicode 16.
    static boolean isNumber(int c) {
        return (1 << Character.getType(c) & NUMBER_TYPES) != 0;
    }

    /// Rust's `char::is_numeric`: general category N as in Unicode 17.
    public static boolean isRustNumeric(int c) {
        return isNumber(c) || c >= 0x11DE0 && c <= 0x11DE9 || c >= 0x16FF4 && c <= 0x16FF6;
    }

    /// `\w` of Rust's `regex`.
    public static boolean isWord(int c) {
        return Character.isAlphabetic(c)
                || (1 << Character.getType(c) & WORD_TYPES) != 0
                || c == ZERO_WIDTH_NON_JOINER
                || c == ZERO_WIDTH_JOINER;
    }

    /// The characters that the pre-tokenizer `Punctuation` splits at.
    public static boolean isPunctuation(int c) {
        if (c < 0x80) {
            return c > ' ' && c < 0x7F && !Character.isLetterOrDigit(c);
        }
        if (c == 0x166D || c == 0x111C9) {
            return true;
        }
        return (1 << Character.getType(c) & PUNCTUATION_TYPES) != 0 && !inRanges(c, LATER_PUNCTUATION);
    }

    private static boolean inRanges(int c, int[] ranges) {
        for (int i = 0; i < ranges.length; i += 2) {
            if (c >= ranges[i] && c <= ranges[i + 1]) {
                return true;
            }
        }
        return false;
    }
}
