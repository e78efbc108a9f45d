package io.github.sgpt4j.template;

import io.github.sgpt4j.template.TemplateToken.Kind;
import io.github.sgpt4j.text.Quoted;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;

/// Cuts a template into tokens. White space around tags is handled as transformers sets Jinja up: the line
/// break after a block is dropped, and so is white space before a block on its line (`trim_blocks`,
/// `lstrip_blocks`); a last line break of the template is dropped.
final class TemplateLexer {
    private static final List<String> OPERATORS = List.of(
            "**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "|", ".", ",", ":", "(",
            ")", "[", "]", "{", "}");

    private static final Set<String> OPENING = Set.of("(", "[", "{");
    private static final Set<String> CLOSING = Set.of(")", "]", "}");

    private final TemplateFailure failure;
    private final String text;
    private final List<TemplateToken> tokens = new ArrayList<>();
    private int at;
    private int line = 1;

    /// Whether the last tag left the place at the beginning of a line.
    private boolean lineStarts = true;

    /// Whether the white space after the last tag is dropped.
    private boolean stripNext;

    private TemplateLexer(String text, TemplateFailure failure) {
        this.failure = failure;
        String lines = text.replace("\r\n", "\n").replace('\r', '\n');
        this.text = lines.endsWith("\n") ? lines.substring(0, lines.length() - 1) : lines;
    }

    static List<TemplateToken> tokens(String text, TemplateFailure failure) {
        return new TemplateLexer(text, failure).run();
    }

    private List<TemplateToken> run() {
        while (at < text.length()) {
            int tag = nextTag();
            data(tag);
            if (tag < text.length()) {
                tag();
            }
        }
        tokens.add(new TemplateToken(Kind.END, "", line));
        return tokens;
    }

    private int nextTag() {
        for (int i = at; i + 1 < text.length(); i++) {
            if (text.charAt(i) == '{' && "{%#".indexOf(text.charAt(i + 1)) >= 0) {
                return i;
            }
        }
        return text.length();
    }

    /// The text up to a tag.
    private void data(int end) {
        int from = at;
        if (stripNext) {
            while (from < end && isSpace(text.charAt(from))) {
                from++;
            }
        }
        boolean starts = lineStarts && !stripNext;
        int to = end;
        if (end < text.length()) {
            char sign = end + 2 < text.length() ? text.charAt(end + 2) : ' ';
            if (sign == '-') {
                while (to > from && isSpace(text.charAt(to - 1))) {
                    to--;
                }
            } else if (sign != '+' && text.charAt(end + 1) != '{') {
                int begin = end;
                while (begin > from && text.charAt(begin - 1) != '\n' && isSpace(text.charAt(begin - 1))) {
                    begin--;
                }
                if (begin == from ? starts : text.charAt(begin - 1) == '\n') {
                    to = begin;
                }
            }
        }
        if (to > from) {
            tokens.add(new TemplateToken(Kind.DATA, text.substring(from, to), line + lines(at, from)));
        }
        line += lines(at, end);
        at = end;
        stripNext = false;
    }

    private int lines(int from, int to) {
        int count = 0;
        for (int i = from; i < to; i++) {
            count += text.charAt(i) == '\n' ? 1 : 0;
        }
        return count;
    }

    private void tag() {
        char kind = text.charAt(at + 1);
        if (kind == '#') {
            comment();
            return;
        }
        int begin = line;
        tokens.add(new TemplateToken(kind == '{' ? Kind.VARIABLE_BEGIN : Kind.BLOCK_BEGIN, "", line));
        at += 2;
        if (at < text.length() && (text.charAt(at) == '-' || text.charAt(at) == '+')) {
            at++;
        }
        if (kind == '%' && raw()) {
            return;
        }
        inside(kind == '{' ? "}}" : "%}", begin);
        tokens.add(new TemplateToken(kind == '{' ? Kind.VARIABLE_END : Kind.BLOCK_END, "", line));
    }

    private void comment() {
        int end = text.indexOf("#}", at + 2);
        if (end < 0) {
            throw failure.broken(line, "expected the end of a comment, #}, found none");
        }
        line += lines(at, end);
        boolean minus = end > at + 2 && text.charAt(end - 1) == '-';
        boolean plus = end > at + 2 && text.charAt(end - 1) == '+';
        at = end + 2;
        afterTag(minus, !plus);
    }

    /// A block whose content is text as it is.
    private boolean raw() {
        int i = at;
        while (i < text.length() && isSpace(text.charAt(i))) {
            i++;
        }
        if (!text.startsWith("raw", i) || i + 3 < text.length() && isNamePart(text.charAt(i + 3))) {
            return false;
        }
        throw failure.unsupported(line, "{% raw %}");
    }

    private void afterTag(boolean strips, boolean dropsLineBreak) {
        stripNext = strips;
        lineStarts = false;
        if (!strips && dropsLineBreak && at < text.length() && text.charAt(at) == '\n') {
            at++;
            line++;
            lineStarts = true;
        }
    }

    /// The tokens of a tag, and its end.
    private void inside(String end, int begin) {
        Deque<String> open = new ArrayDeque<>();
        while (at < text.length()) {
            char c = text.charAt(at);
            if (isSpace(c)) {
                line += c == '\n' ? 1 : 0;
                at++;
                continue;
            }
            boolean sign = (c == '-' || c == '+') && text.startsWith(end, at + 1);
            if (open.isEmpty() && (sign || text.startsWith(end, at))) {
                boolean block = end.equals("%}");
                at += end.length() + (sign ? 1 : 0);
                afterTag(c == '-', block && c != '+');
                return;
            }
            if (c == '"' || c == '\'') {
                string(c);
            } else if (c >= '0' && c <= '9') {
                number();
            } else if (isNameStart(c)) {
                int from = at;
                while (at < text.length() && isNamePart(text.charAt(at))) {
                    at++;
                }
                tokens.add(new TemplateToken(Kind.NAME, text.substring(from, at), line));
            } else {
                operator(open);
            }
        }
        throw failure.broken(begin, "expected the end of a tag, %s, found none".formatted(end));
    }

    private void operator(Deque<String> open) {
        for (String operator : OPERATORS) {
            if (text.startsWith(operator, at)) {
                if (OPENING.contains(operator)) {
                    open.push(operator);
                } else if (CLOSING.contains(operator)) {
                    if (open.isEmpty()) {
                        throw failure.broken(line, "unexpected \"%s\"".formatted(operator));
                    }
                    open.pop();
                }
                tokens.add(new TemplateToken(Kind.OPERATOR, operator, line));
                at += operator.length();
                return;
            }
        }
        int character = text.codePointAt(at);
        throw failure.broken(line, "unexpected character " + Quoted.of(Character.toString(character)));
    }

    private void number() {
        int from = at;
        digits();
        boolean real = false;
        if (at + 1 < text.length() && text.charAt(at) == '.' && isDigit(text.charAt(at + 1))) {
            real = true;
            at++;
            digits();
        }
        if (at < text.length() && isNamePart(text.charAt(at))) {
            throw failure.unsupported(line, "a number such as " + Quoted.of(text.substring(from, at + 1)));
        }
        String digits = text.substring(from, at).replace("_", "");
        if (digits.length() > 18) {
            throw failure.unsupported(line, "a number of more than 18 digits");
        }
        tokens.add(new TemplateToken(real ? Kind.FLOAT : Kind.INTEGER, digits, line));
    }

    private void digits() {
        while (at < text.length() && isDigit(text.charAt(at))) {
            at++;
        }
    }

    private void string(char quote) {
        int begin = line;
        StringBuilder value = new StringBuilder();
        at++;
        while (at < text.length() && text.charAt(at) != quote) {
            char c = text.charAt(at++);
            line += c == '\n' ? 1 : 0;
            if (c == '\\') {
                escape(value, begin);
            } else {
                value.append(c);
            }
        }
        if (at >= text.length()) {
            throw failure.broken(begin, "expected the end of a string, found none");
        }
        at++;
        tokens.add(new TemplateToken(Kind.STRING, value.toString(), begin));
    }

    /// The escapes of Python; an unknown one stays as it is.
    private void escape(StringBuilder value, int begin) {
        if (at >= text.length()) {
            throw failure.broken(begin, "expected the end of a string, found none");
        }
        char c = text.charAt(at++);
        switch (c) {
            case 'n' -> value.append('\n');
            case 't' -> value.append('\t');
            case 'r' -> value.append('\r');
            case 'b' -> value.append('\b');
            case 'f' -> value.append('\f');
            case 'v' -> value.append('\u000b');
            case 'a' -> value.append('\u0007');
            case '\\', '\'', '"' -> value.append(c);
            case '\n' -> line++;
            case 'x' -> hexadecimal(value, 2);
            case 'u' -> hexadecimal(value, 4);
            case 'U' -> hexadecimal(value, 8);
            case 'N', '0', '1', '2', '3', '4', '5', '6', '7' ->
                throw failure.unsupported(line, "the escape \"\\%c\"".formatted(c));
            default -> value.append('\\').append(c);
        }
    }

    private void hexadecimal(StringBuilder value, int digits) {
        int code = 0;
        for (int i = 0; i < digits; i++) {
            int digit = at < text.length() ? Character.digit(text.charAt(at++), 16) : -1;
            code = code << 4 | digit;
            if (digit < 0 || code > Character.MAX_CODE_POINT) {
                throw failure.broken(line, "expected %d hexadecimal digits of an escape".formatted(digits));
            }
        }
        value.appendCodePoint(code);
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9' || c == '_';
    }

    private static boolean isNameStart(char c) {
        return c == '_' || Character.isUnicodeIdentifierStart(c);
    }

    private static boolean isNamePart(char c) {
        return c == '_' || Character.isUnicodeIdentifierPart(c) && !Character.isIdentifierIgnorable(c);
    }

    /// White space of Python's `str.strip`.
    static boolean isSpace(int c) {
        return c >= 0x09 && c <= 0x0d
                || c >= 0x1c && c <= 0x20
                || c == 0x85
                || c == 0xa0
                || c == 0x1680
                || c >= 0x2000 && c <= 0x200a
                || c == 0x2028
                || c == 0x2029
                || c == 0x202f
                || c == 0x205f
                || c == 0x3000;
    }
}
