package io.github.sgpt4j.tokenizer.pattern;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/// Translates a pattern in the syntax of Oniguruma (Ruby's, as the Rust crate `onig` uses it) to
/// `java.util.regex`. Every construct is parsed and written again, so that differences between the two
/// are either translated (`\s`, `\w`, `\v`, nested classes, `^`, `$`) or refused by name (`\h`, `\b`,
/// back references, `{n,m}+`, `&&`, …).
public final class OnigurumaPattern {
    private static final int FLAGS = Pattern.UNICODE_CHARACTER_CLASS | Pattern.UNIX_LINES | Pattern.MULTILINE;
    private static final int MAX_DEPTH = 32;
    private static final int MAX_REPEAT = 1000;

    /// Names after `\p` with the same meaning in both.
    private static final Set<String> CATEGORIES = Set.of(
            "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps",
            "Pe", "Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf", "Cn", "Co");
    private static final Set<String> SCRIPTS = Set.of(
            "Arabic",
            "Armenian",
            "Bengali",
            "Cyrillic",
            "Devanagari",
            "Ethiopic",
            "Georgian",
            "Greek",
            "Han",
            "Hangul",
            "Hebrew",
            "Hiragana",
            "Katakana",
            "Khmer",
            "Lao",
            "Latin",
            "Myanmar",
            "Tamil",
            "Telugu",
            "Thai",
            "Tibetan");
    /// First two letters of sequences that a single character folds to if case is ignored.
    private static final Set<String> FOLDED_PAIRS =
            Set.of("ss", "ff", "fi", "fl", "st", "ij", "dz", "lj", "nj", "hh", "tt", "ww", "yy", "aa");

    private final String pattern;
    private final String where;
    private final StringBuilder out = new StringBuilder();
    private int position;
    private boolean ignoreCase;

    private OnigurumaPattern(String pattern, String where) {
        this.pattern = pattern;
        this.where = where;
    }

    /// The splitter for a pattern: a hand-written one if there is one.
    ///
    /// @param where file and key, for messages
    /// @throws FormatException if the pattern is malformed
    /// @throws UnsupportedModelException if it uses an untranslated construct
    public static Splitter splitter(String pattern, String where) {
        Splitter known = KnownSplitters.find(pattern);
        return known != null ? known : regex(pattern, where);
    }

    /// The general splitter for any pattern.
    public static Splitter regex(String pattern, String where) {
        OnigurumaPattern translation = new OnigurumaPattern(pattern, where);
        if (pattern.startsWith("(?i)")) {
            translation.position = 4;
            translation.ignoreCase = true;
            translation.out.append("(?iu)");
        }
        translation.alternatives(0);
        if (translation.position < pattern.length()) {
            throw translation.malformed("unmatched )");
        }
        try {
            return new RegexSplitter(pattern, Pattern.compile(translation.out.toString(), FLAGS), where);
        } catch (PatternSyntaxException e) {
            throw new FormatException("%s: malformed pattern %s: %s".formatted(where, pattern, e.getDescription()), e);
        } catch (StackOverflowError e) {
            throw new UnsupportedModelException(
                    "%s: pattern of %d characters nests too deeply".formatted(where, pattern.length()));
        }
    }

    private void alternatives(int depth) {
        if (depth > MAX_DEPTH) {
            throw unsupported("groups nested more than " + MAX_DEPTH + " deep");
        }
        while (position < pattern.length() && pattern.charAt(position) != ')') {
            if (pattern.charAt(position) == '|') {
                out.append('|');
                position++;
            } else {
                boolean repeatable = atom(depth);
                quantifiers(repeatable);
            }
        }
    }

    /// Translates one atom; returns false for an assertion, which must not be repeated.
    private boolean atom(int depth) {
        int c = pattern.codePointAt(position);
        switch (c) {
            case '(' -> {
                return group(depth);
            }
            case '[' -> new OnigurumaClass(this).translate();
            case '\\' -> {
                return escape();
            }
            case '.', '^', '$' -> {
                out.append((char) c);
                position++;
                return c == '.';
            }
            case '*', '+', '?' -> throw malformed("nothing to repeat");
            default -> literal(c, Character.charCount(c));
        }
        return true;
    }

    private boolean group(int depth) {
        boolean outer = ignoreCase;
        String prefix = null;
        for (String candidate : new String[] {"(?:", "(?i:", "(?=", "(?!", "(?<=", "(?<!", "(?>"}) {
            if (pattern.startsWith(candidate, position)) {
                prefix = candidate;
            }
        }
        if (prefix == null && pattern.startsWith("(?", position)) {
            throw unsupported("group " + excerpt(4));
        }
        position += prefix == null ? 1 : prefix.length();
        if ("(?i:".equals(prefix)) {
            ignoreCase = true;
            prefix = "(?iu:";
        }
        out.append(prefix == null ? "(?:" : prefix);
        alternatives(depth + 1);
        if (position >= pattern.length()) {
            throw malformed("missing )");
        }
        position++;
        out.append(')');
        ignoreCase = outer;
        return prefix == null || !prefix.contains("=") && !prefix.contains("!");
    }

    private boolean escape() {
        if (position + 1 >= pattern.length()) {
            throw malformed("\\ at the end");
        }
        char c = pattern.charAt(position + 1);
        if (c == 'A' || c == 'z') {
            out.append('\\').append(c);
            position += 2;
            return false;
        }
        String type = classEscape();
        if (type != null) {
            out.append(type);
        } else {
            int start = position;
            int literal = literalEscape();
            int length = position - start;
            position = start;
            literal(literal, length);
        }
        return true;
    }

    /// Reads an escape that stands for a class, such as `\s`, and returns its translation, usable inside and outside of
    /// brackets; null, without moving, if the escape stands for a single character.
    @Nullable
    String classEscape() {
        char c = pattern.charAt(position + 1);
        switch (c) {
            case 's', 'S', 'd', 'D' -> {
                position += 2;
                return "\\" + c;
            }
            case 'w', 'W' -> {
                // Oniguruma counts superscript digits and vulgar fractions of Latin-1 as word characters.
                position += 2;
                return "[%s\\p{IsAlphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u00B2\\u00B3\\u00B9\\u00BC-\\u00BE]"
                        .formatted(c == 'W' ? "^" : "");
            }
            case 'p', 'P' -> {
                return property(c == 'P');
            }
            default -> {
                return null;
            }
        }
    }

    private String property(boolean negated) {
        int open = position + 2;
        int close = pattern.indexOf('}', position);
        if (open >= pattern.length() || pattern.charAt(open) != '{' || close < 0) {
            throw malformed("property without {name}");
        }
        String name = pattern.substring(open + 1, close);
        boolean invert = name.startsWith("^");
        name = invert ? name.substring(1) : name;
        if (!CATEGORIES.contains(name) && !SCRIPTS.contains(name) || ignoreCase) {
            throw unsupported("property " + pattern.substring(position, close + 1)
                    + (ignoreCase ? " while case is ignored" : ""));
        }
        position = close + 1;
        return "\\%s{%s}".formatted(negated != invert ? "P" : "p", SCRIPTS.contains(name) ? "Is" + name : name);
    }

    /// Reads an escape that stands for a single code point.
    int literalEscape() {
        char c = pattern.charAt(position + 1);
        position += 2;
        switch (c) {
            case 't' -> {
                return '\t';
            }
            case 'n' -> {
                return '\n';
            }
            case 'r' -> {
                return '\r';
            }
            case 'f' -> {
                return '\f';
            }
            case 'v' -> {
                return 0x0B;
            }
            case 'a' -> {
                return 0x07;
            }
            case 'e' -> {
                return 0x1B;
            }
            case 'x' -> {
                if (position < pattern.length() && pattern.charAt(position) == '{') {
                    int close = pattern.indexOf('}', position);
                    return hexadecimal(position + 1, close, close + 1);
                }
                throw unsupported("escape \\x without braces");
            }
            case 'u' -> {
                return hexadecimal(position, position + 4, position + 4);
            }
            default -> {
                if (c < 0x80 && !Character.isLetterOrDigit(c)) {
                    return c;
                }
                throw unsupported("escape \\" + c);
            }
        }
    }

    private int hexadecimal(int start, int end, int next) {
        if (end <= start || end - start > 6 || end > pattern.length()) {
            throw malformed("hexadecimal escape");
        }
        int value = 0;
        for (int i = start; i < end; i++) {
            int digit = pattern.charAt(i) < 0x80 ? Character.digit(pattern.charAt(i), 16) : -1;
            if (digit < 0) {
                throw malformed("hexadecimal escape");
            }
            value = value << 4 | digit;
        }
        if (value > Character.MAX_CODE_POINT || value >= 0xD800 && value <= 0xDFFF) {
            throw malformed("hexadecimal escape");
        }
        position = next;
        return value;
    }

    private void literal(int c, int length) {
        if (ignoreCase) {
            int next = position + length;
            boolean pair = next < pattern.length()
                    && FOLDED_PAIRS.contains(
                            ("" + Character.toString(c) + pattern.charAt(next)).toLowerCase(Locale.ROOT));
            if (c >= 0x80 || pair) {
                throw unsupported("%s while case is ignored".formatted(excerpt(length + 1)));
            }
        }
        appendCodePoint(c);
        position += length;
    }

    void appendCodePoint(int c) {
        if (c < 0x80 && Character.isLetterOrDigit(c)) {
            out.append((char) c);
        } else {
            out.append("\\x{%X}".formatted(c));
        }
    }

    private void quantifiers(boolean repeatable) {
        if (position >= pattern.length()) {
            return;
        }
        char c = pattern.charAt(position);
        boolean counted = c == '{';
        if (counted) {
            countedQuantifier();
        } else if (c == '*' || c == '+' || c == '?') {
            out.append(c);
            position++;
        } else {
            return;
        }
        if (!repeatable) {
            throw unsupported("repeated assertion");
        }
        if (position < pattern.length() && "?+".indexOf(pattern.charAt(position)) >= 0) {
            if (counted) {
                throw unsupported("{…} followed by " + pattern.charAt(position));
            }
            out.append(pattern.charAt(position++));
        }
        if (position < pattern.length() && "*+?{".indexOf(pattern.charAt(position)) >= 0) {
            throw unsupported("repeated repetition");
        }
    }

    private void countedQuantifier() {
        int close = pattern.indexOf('}', position);
        String range = close < 0 ? "" : pattern.substring(position + 1, close);
        if (!range.matches("[0-9]{1,4}(,[0-9]{0,4})?|,[0-9]{1,4}")) {
            throw unsupported("{ that is not a repetition");
        }
        String[] bounds = range.split(",", -1);
        int min = bounds[0].isEmpty() ? 0 : Integer.parseInt(bounds[0]);
        int max = bounds.length == 1 ? min : bounds[1].isEmpty() ? min : Integer.parseInt(bounds[1]);
        if (max < min || max > MAX_REPEAT) {
            throw unsupported("repetition {" + range + "}");
        }
        out.append(range.startsWith(",") ? "{0" + range + "}" : "{" + range + "}");
        position = close + 1;
    }

    public String pattern() {
        return pattern;
    }

    int position() {
        return position;
    }

    void advance(int characters) {
        position += characters;
    }

    StringBuilder out() {
        return out;
    }

    boolean ignoresCase() {
        return ignoreCase;
    }

    UnsupportedModelException unsupported(String what) {
        return new UnsupportedModelException("%s: pattern %s uses %s, which is not supported (at character %d)"
                .formatted(where, pattern, what, position));
    }

    FormatException malformed(String what) {
        return new FormatException(
                "%s: malformed pattern %s: %s at character %d".formatted(where, pattern, what, position));
    }

    private String excerpt(int length) {
        return pattern.substring(position, Math.min(pattern.length(), position + length));
    }
}
