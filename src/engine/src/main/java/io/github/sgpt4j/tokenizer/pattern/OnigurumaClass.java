package io.github.sgpt4j.tokenizer.pattern;

/// Translates a bracketed character class. Nested classes are unions in both syntaxes, but Java applies
/// an outer `^` to them differently, so they are flattened into their parent.
final class OnigurumaClass {
    private static final int MAX_DEPTH = 16;

    private final OnigurumaPattern reader;
    private final String pattern;

    OnigurumaClass(OnigurumaPattern reader) {
        this.reader = reader;
        this.pattern = reader.pattern();
    }

    /// Reads the class at the reader's position, brackets included, and writes its translation.
    void translate() {
        reader.advance(1);
        boolean negated = peek() == '^';
        if (negated) {
            reader.advance(1);
        }
        reader.out().append(negated ? "[^" : "[");
        items(negated, 0);
        reader.out().append(']');
    }

    private void items(boolean negated, int depth) {
        if (depth > MAX_DEPTH) {
            throw reader.unsupported("classes nested more than " + MAX_DEPTH + " deep");
        }
        if (peek() == ']') {
            throw reader.unsupported("] at the start of a class");
        }
        while (peek() != ']') {
            int c = peek();
            if (pattern.startsWith("&&", reader.position())) {
                throw reader.unsupported("&& in a class");
            } else if (c == '[') {
                nested(negated, depth);
            } else if (c != '\\' || !classEscape(negated)) {
                range();
            }
        }
        reader.advance(1);
    }

    private void nested(boolean negated, int depth) {
        reader.advance(1);
        int c = peek();
        if (c == ':') {
            throw reader.unsupported("[: in a class");
        }
        if (c != '^') {
            items(negated, depth + 1);
            return;
        }
        if (negated) {
            throw reader.unsupported("a negated class within a negated one");
        }
        reader.advance(1);
        reader.out().append("[^");
        items(true, depth + 1);
        reader.out().append(']');
    }

    private boolean classEscape(boolean negated) {
        requireMore(1);
        String type = reader.classEscape();
        if (type == null) {
            return false;
        }
        if (type.startsWith("[^") && negated) {
            throw reader.unsupported("\\W within a negated class");
        }
        boolean flatten = type.startsWith("[") && !type.startsWith("[^");
        reader.out().append(flatten ? type.substring(1, type.length() - 1) : type);
        if (peek() == '-'
                && pattern.charAt(reader.position() + 1 < pattern.length() ? reader.position() + 1 : 0) != ']') {
            throw reader.unsupported("- after a class within a class");
        }
        return true;
    }

    private void range() {
        int from = character();
        reader.appendCodePoint(from);
        if (peek() != '-') {
            return;
        }
        requireMore(1);
        if (pattern.charAt(reader.position() + 1) == ']') {
            return;
        }
        reader.advance(1);
        int next = peek();
        requireMore(1);
        if (next == '[' || next == '\\' && "sSdDwWpP".indexOf(pattern.charAt(reader.position() + 1)) >= 0) {
            throw reader.unsupported("a range that ends in a class");
        }
        if (from == '-') {
            throw reader.unsupported("a range that starts with -");
        }
        int to = character();
        if (to < from) {
            throw reader.malformed("empty range");
        }
        reader.out().append('-');
        reader.appendCodePoint(to);
        if (reader.ignoresCase() && (from != to) && !(from >= '0' && to <= '9')) {
            throw reader.unsupported("a range where case is ignored");
        }
    }

    /// One code point, escaped or not.
    private int character() {
        int c = peek();
        if (c == '\\') {
            requireMore(1);
            c = reader.literalEscape();
        } else {
            reader.advance(Character.charCount(c));
        }
        if (reader.ignoresCase() && c >= 0x80) {
            throw reader.unsupported("a class with non-ASCII characters while case is ignored");
        }
        return c;
    }

    private int peek() {
        requireMore(0);
        return pattern.codePointAt(reader.position());
    }

    private void requireMore(int characters) {
        if (reader.position() + characters >= pattern.length()) {
            throw reader.malformed("missing ]");
        }
    }
}
