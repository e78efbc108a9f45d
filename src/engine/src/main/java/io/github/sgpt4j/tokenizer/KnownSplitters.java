package io.github.sgpt4j.tokenizer;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Hand-written scanners for the patterns of well-known tokenizers: several times faster than the general way, and
/// linear in the length of the text. Each does exactly what its pattern does.
final class KnownSplitters {
    /// The pattern inside the pre-tokenizer `ByteLevel` (GPT-2, Radford et al. 2019).
    static final String GPT2_PATTERN =
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

    /// Llama 3: numbers in groups of up to three digits.
    static final String LLAMA3_PATTERN = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    /// Qwen 2 and 3: numbers digit by digit.
    static final String QWEN_PATTERN = LLAMA3_PATTERN.replace("\\p{N}{1,3}", "\\p{N}");

    /// BLOOM.
    static final String BLOOM_PATTERN = " ?[^(\\s|[.,!?…。，、।۔،])]+";

    static final Splitter GPT2 = (Splitter.Stepper) KnownSplitters::gpt2;

    private static final Map<String, Splitter> BY_PATTERN = Map.of(
            GPT2_PATTERN,
            GPT2,
            LLAMA3_PATTERN,
            (Splitter.Stepper) (text, from) -> llama(text, from, 3),
            QWEN_PATTERN,
            (Splitter.Stepper) (text, from) -> llama(text, from, 1),
            BLOOM_PATTERN,
            (Splitter.Stepper) KnownSplitters::bloom);

    private KnownSplitters() {}

    /// The scanner for exactly this pattern, or null.
    static @Nullable Splitter find(String pattern) {
        return BY_PATTERN.get(pattern);
    }

    private static int gpt2(String text, int from) {
        if (text.charAt(from) == '\'') {
            int contraction = contraction(text, from, false);
            if (contraction > 0) {
                return contraction;
            }
        }
        int length = text.length();
        int start = text.charAt(from) == ' ' && from + 1 < length ? from + 1 : from;
        int first = text.codePointAt(start);
        if (CharacterClasses.isWhitespace(first)) {
            return spaces(text, from);
        }
        int i = start + Character.charCount(first);
        if (CharacterClasses.isLetter(first)) {
            return skipLetters(text, i);
        }
        boolean number = CharacterClasses.isNumber(first);
        while (i < length) {
            int c = text.codePointAt(i);
            if (number ? !CharacterClasses.isNumber(c) : !isOther(c)) {
                break;
            }
            i += Character.charCount(c);
        }
        return i;
    }

    /// @param digits how many digits one piece takes at most
    private static int llama(String text, int from, int digits) {
        if (text.charAt(from) == '\'') {
            int contraction = contraction(text, from, true);
            if (contraction > 0) {
                return contraction;
            }
        }
        int first = text.codePointAt(from);
        int second = from + Character.charCount(first);
        if (CharacterClasses.isLetter(first)) {
            return skipLetters(text, second);
        }
        if (CharacterClasses.isNumber(first)) {
            int i = second;
            for (int n = 1; n < digits && i < text.length() && CharacterClasses.isNumber(text.codePointAt(i)); n++) {
                i += Character.charCount(text.codePointAt(i));
            }
            return i;
        }
        if (first != '\r'
                && first != '\n'
                && second < text.length()
                && CharacterClasses.isLetter(text.codePointAt(second))) {
            return skipLetters(text, second);
        }
        int start = first == ' ' && second < text.length() ? second : from;
        if (isOther(text.codePointAt(start))) {
            int i = start;
            while (i < text.length() && isOther(text.codePointAt(i))) {
                i += Character.charCount(text.codePointAt(i));
            }
            while (i < text.length() && isLineEnd(text.charAt(i))) {
                i++;
            }
            return i;
        }
        return spacesOrLines(text, from);
    }

    /// `\s*[\r\n]+|\s+(?!\S)|\s+`: up to the last line end of the run of white space, if it has one.
    private static int spacesOrLines(String text, int from) {
        int lastLineEnd = -1;
        for (int i = from; i < text.length() && CharacterClasses.isWhitespace(text.charAt(i)); i++) {
            if (isLineEnd(text.charAt(i))) {
                lastLineEnd = i;
            }
        }
        return lastLineEnd >= 0 ? lastLineEnd + 1 : spaces(text, from);
    }

    /// `\s+(?!\S)|\s+`: a run of white space, less its last character if something else follows and it is not alone.
    private static int spaces(String text, int from) {
        int i = from;
        while (i < text.length() && CharacterClasses.isWhitespace(text.charAt(i))) {
            i++;
        }
        return i < text.length() && i - from > 1 ? i - 1 : i;
    }

    private static int bloom(String text, int from) {
        int i = text.charAt(from) == ' ' ? from + 1 : from;
        int start = i;
        while (i < text.length() && isBloomWord(text.codePointAt(i))) {
            i += Character.charCount(text.codePointAt(i));
        }
        return i > start ? i : -1;
    }

    private static boolean isBloomWord(int c) {
        return !CharacterClasses.isWhitespace(c) && "(|.,!?…。，、।۔،)".indexOf(c) < 0;
    }

    /// The end of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d` at the apostrophe at `from`; -1 if it is none of these.
    private static int contraction(String text, int from, boolean ignoreCase) {
        int a = folded(text, from + 1, ignoreCase);
        if (a == 's' || a == 't' || a == 'm' || a == 'd') {
            return from + 2;
        }
        int b = folded(text, from + 2, ignoreCase);
        return a == 'r' && b == 'e' || a == 'v' && b == 'e' || a == 'l' && b == 'l' ? from + 3 : -1;
    }

    /// Of the letters in question only `s` has a third form, the long s.
    private static int folded(String text, int index, boolean ignoreCase) {
        if (index >= text.length()) {
            return -1;
        }
        char c = text.charAt(index);
        if (!ignoreCase) {
            return c;
        }
        return c == 'ſ' ? 's' : c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
    }

    private static int skipLetters(String text, int from) {
        int i = from;
        while (i < text.length()) {
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
