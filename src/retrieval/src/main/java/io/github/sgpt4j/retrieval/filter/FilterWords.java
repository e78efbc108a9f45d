package io.github.sgpt4j.retrieval.filter;

import io.github.sgpt4j.text.Quoted;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// Divides a filter's text into words, strings, numbers and symbols.
final class FilterWords {
    private static final Set<String> KEYWORDS = Set.of("and", "or", "not", "in", "true", "false");
    private static final String SYMBOLS = "=!<>(),";

    /// What is written here in place of the operators of other languages, or of those in the wrong order.
    private static final Map<String, String> MISTAKEN =
            Map.of("<>", "!=", "=!", "!=", "=>", ">=", "=<", "<=", "&", "\"and\"", "|", "\"or\"");

    private final String text;
    private int position;

    /// What a token is.
    enum Kind {
        /// A name that is no keyword, or one in backticks.
        NAME,
        /// In lower case.
        KEYWORD,
        STRING,
        NUMBER,
        SYMBOL,
        END
    }

    /// A part of the text.
    ///
    /// @param text a string without quotes and escapes; otherwise what stands there
    /// @param column 1-based
    record Token(Kind kind, String text, int column) {
        /// For messages.
        String shown() {
            return kind == Kind.END ? "the end" : Quoted.of(text);
        }
    }

    FilterWords(String text) {
        this.text = text;
    }

    static IllegalArgumentException wrong(int column, String expected, String got) {
        return new IllegalArgumentException("filter: column %d: expected %s, got %s".formatted(column, expected, got));
    }

    static boolean isPlainName(String name) {
        return isNameStart(name.codePointAt(0))
                && name.codePoints().allMatch(FilterWords::isNamePart)
                && !isKeyword(name);
    }

    private static boolean isKeyword(String word) {
        return KEYWORDS.contains(word.toLowerCase(Locale.ROOT));
    }

    private static boolean isNameStart(int c) {
        return Character.isLetter(c) || c == '_';
    }

    private static boolean isNamePart(int c) {
        return Character.isLetterOrDigit(c) || c == '_' || c == '.' || c == '-';
    }

    Token next() {
        while (position < text.length() && Character.isWhitespace(text.charAt(position))) {
            position++;
        }
        if (position == text.length()) {
            return new Token(Kind.END, "", position + 1);
        }
        int c = text.codePointAt(position);
        if (isNameStart(c)) {
            return word();
        }
        if (c == '"' || c == '\'') {
            return quoted(Kind.STRING, (char) c);
        }
        if (c == '`') {
            return quoted(Kind.NAME, '`');
        }
        if (c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.') {
            return number();
        }
        if (SYMBOLS.indexOf(c) >= 0) {
            return symbol((char) c);
        }
        refuseMistaken(position);
        throw wrong(position + 1, "a name, value or operator", Quoted.of(Character.toString(c)));
    }

    private Token word() {
        int start = position;
        String word = take();
        return isKeyword(word)
                ? new Token(Kind.KEYWORD, word.toLowerCase(Locale.ROOT), start + 1)
                : new Token(Kind.NAME, word, start + 1);
    }

    /// Everything up to the first character that cannot be within a name.
    private String take() {
        int start = position;
        while (position < text.length() && isNamePart(text.codePointAt(position))) {
            position += Character.charCount(text.codePointAt(position));
        }
        return text.substring(start, position);
    }

    private Token number() {
        int start = position++;
        take();
        // The sign of an exponent is no part of a name, unless it is a minus.
        if (position < text.length() && text.charAt(position) == '+' && "eE".indexOf(text.charAt(position - 1)) >= 0) {
            position++;
            take();
        }
        return new Token(Kind.NUMBER, text.substring(start, position), start + 1);
    }

    private Token symbol(char c) {
        int start = position++;
        refuseMistaken(start);
        boolean twice = position < text.length() && text.charAt(position) == '=' && "=!<>".indexOf(c) >= 0;
        if (twice) {
            position++;
        }
        return new Token(Kind.SYMBOL, text.substring(start, position), start + 1);
    }

    /// Refuses what other languages write, with what is written here.
    private void refuseMistaken(int start) {
        MISTAKEN.forEach((mistaken, meant) -> {
            if (text.startsWith(mistaken, start)) {
                throw wrong(start + 1, meant, Quoted.of(mistaken));
            }
        });
    }

    private Token quoted(Kind kind, char quote) {
        int start = position++;
        StringBuilder content = new StringBuilder();
        while (position < text.length() && text.charAt(position) != quote) {
            char c = text.charAt(position++);
            content.append(c == '\\' ? escaped() : c);
        }
        if (position == text.length()) {
            throw wrong(position + 1, "%c, which ends what begins at column %d".formatted(quote, start + 1), "the end");
        }
        position++;
        return new Token(kind, content.toString(), start + 1);
    }

    private char escaped() {
        if (position == text.length()) {
            throw wrong(position + 1, "a character after the backslash", "the end");
        }
        char c = text.charAt(position++);
        return switch (c) {
            case '"', '\'', '`', '\\' -> c;
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> unicode();
            default -> throw wrong(position, "a quote, a backslash, n, r, t or u after a backslash", Quoted.of("" + c));
        };
    }

    private char unicode() {
        int end = Math.min(text.length(), position + 4);
        int code = 0;
        for (int i = position; i < end; i++) {
            int digit = text.charAt(i) < 128 ? Character.digit(text.charAt(i), 16) : -1;
            code = digit < 0 || code < 0 ? -1 : 16 * code + digit;
        }
        if (code < 0 || end - position < 4) {
            throw wrong(position + 1, "four hexadecimal digits", Quoted.of(text.substring(position, end)));
        }
        position = end;
        return (char) code;
    }
}
