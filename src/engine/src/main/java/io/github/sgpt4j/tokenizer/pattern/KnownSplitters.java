package io.github.sgpt4j.tokenizer.pattern;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Hand-written scanners for the patterns of well-known tokenizers: several times faster than regular
/// expressions, and linear in the length of the text. Each matches exactly like its pattern.
public final class KnownSplitters {
    /// The pattern inside the pre-tokenizer `ByteLevel` (GPT-2, Radford et al. 2019).
    public static final String GPT2_PATTERN =
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

    /// Llama 3: numbers in groups of up to three digits.
    public static final String LLAMA3_PATTERN = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    /// Qwen 2 and 3: numbers digit by digit.
    public static final String QWEN_PATTERN = LLAMA3_PATTERN.replace("\\p{N}{1,3}", "\\p{N}");

    /// BLOOM.
    public static final String BLOOM_PATTERN = " ?[^(\\s|[.,!?…。，、।۔،])]+";

    public static final Splitter GPT2 = (Splitter.Stepper) KnownSplitters::gpt2;

    private static final Map<String, Splitter> BY_PATTERN = Map.of(
            GPT2_PATTERN,
            GPT2,
            LLAMA3_PATTERN,
            (Splitter.Stepper) (text, from, limit) -> llama(text, from, limit, 3),
            QWEN_PATTERN,
            (Splitter.Stepper) (text, from, limit) -> llama(text, from, limit, 1),
            BLOOM_PATTERN,
            (Splitter.Stepper) KnownSplitters::bloom);

    private KnownSplitters() {}

    /// The scanner for exactly this pattern, or null.
    public static @Nullable Splitter find(String pattern) {
        return BY_PATTERN.get(pattern);
    }

    private static int gpt2(String text, int from, int limit) {
        if (text.charAt(from) == '\'') {
            int contraction = contraction(text, from, limit, false);
            if (contraction > 0) {
                return contraction;
            }
        }
        int start = text.charAt(from) == ' ' && from + 1 < limit ? from + 1 : from;
        int first = text.codePointAt(start);
        if (CharacterClasses.isWhitespace(first)) {
            return spaces(text, from, limit);
        }
        int i = start + Character.charCount(first);
        if (CharacterClasses.isLetter(first)) {
            return skipLetters(text, i, limit);
        }
        boolean number = CharacterClasses.isNumber(first);
        while (i < limit) {
            int c = text.codePointAt(i);
            if (number ? !CharacterClasses.isNumber(c) : !isOther(c)) {
                break;
            }
            i += Character.charCount(c);
        }
        return i;
    }

    /// @param digits maximum digits in one piece
    private static int llama(String text, int from, int limit, int digits) {
        if (text.charAt(from) == '\'') {
            int contraction = contraction(text, from, limit, true);
            if (contraction > 0) {
                return contraction;
            }
        }
        int first = text.codePointAt(from);
        int second = from + Character.charCount(first);
        if (CharacterClasses.isLetter(first)) {
            return skipLetters(text, second, limit);
        }
        if (CharacterClasses.isNumber(first)) {
            int i = second;
            for (int n = 1; n < digits && i < limit && CharacterClasses.isNumber(text.codePointAt(i)); n++) {
                i += Character.charCount(text.codePointAt(i));
            }
            return i;
        }
        if (first != '\r' && first != '\n' && second < limit && CharacterClasses.isLetter(text.codePointAt(second))) {
            return skipLetters(text, second, limit);
        }
        int start = first == ' ' && second < limit ? second : from;
        if (isOther(text.codePointAt(start))) {
            int i = start;
            while (i < limit && isOther(text.codePointAt(i))) {
                i += Character.charCount(text.codePointAt(i));
            }
            while (i < limit && isLineEnd(text.charAt(i))) {
                i++;
            }
            return i;
        }
        return spacesOrLines(text, from, limit);
    }

    /// `\s*[\r\n]+|\s+(?!\S)|\s+`: up to the last line end of the run of white space, if it has one.
    private static int spacesOrLines(String text, int from, int limit) {
        int lastLineEnd = -1;
        for (int i = from; i < limit && CharacterClasses.isWhitespace(text.charAt(i)); i++) {
            if (isLineEnd(text.charAt(i))) {
                lastLineEnd = i;
            }
        }
        return lastLineEnd >= 0 ? lastLineEnd + 1 : spaces(text, from, limit);
    }

    /// `\s+(?!\S)|\s+`: a run of white space, without its last character if other text follows and the
    /// run is longer than one.
    private static int spaces(String text, int from, int limit) {
        int i = from;
        while (i < limit && CharacterClasses.isWhitespace(text.charAt(i))) {
            i++;
        }
        return i < limit && i - from > 1 ? i - 1 : i;
    }

    private static int bloom(String text, int from, int limit) {
        int i = text.charAt(from) == ' ' ? from + 1 : from;
        int start = i;
        while (i < limit && isBloomWord(text.codePointAt(i))) {
            i += Character.charCount(text.codePointAt(i));
        }
        return i > start ? i : -1;
    }

    private static boolean isBloomWord(int c) {
        return !CharacterClasses.isWhitespace(c) && "(|.,!?…。，、।۔،)".indexOf(c) < 0;
    }

    /// The end of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d` at the apostrophe at `from`; -1 if it is none of these.
    private static int contraction(String text, int from, int limit, boolean ignoreCase) {
        int a = folded(text, from + 1, limit, ignoreCase);
        if (a == 's' || a == 't' || a == 'm' || a == 'd') {
            return from + 2;
        }
        int b = folded(text, from + 2, limit, ignoreCase);
        return a == 'r' && b == 'e' || a == 'v' && b == 'e' || a == 'l' && b == 'l' ? from + 3 : -1;
    }

    /// Of these letters only `s` has a third form, the long s.
    private static int folded(String text, int index, int limit, boolean ignoreCase) {
        if (index >= limit) {
            return -1;
        }
        char c = text.charAt(index);
        if (!ignoreCase) {
            return c;
        }
        return c == 'ſ' ? 's' : c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
    }

    private static int skipLetters(String text, int from, int limit) {
        int i = from;
        while (i < limit) {
            int c = text.codePointAt(i);
            if (!CharacterClasses.isLetter(c)) {
                break;
            }
            i += Character.charCount(c);
        }
        return i;
    }

    private static boolean isLineEnd(char c) {
        return c == '\r' || c == '\n';
    }

    private static boolean isOther(int c) {
        return !CharacterClasses.isWhitespace(c) && !CharacterClasses.isLetter(c) && !CharacterClasses.isNumber(c);
    }
}
