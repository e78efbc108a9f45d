package io.github.sgpt4j.model;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.UnsupportedModelException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.text.Quoted;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/// A regular expression in a configuration file that matches whole names of modules. A pattern that
/// takes too many steps is refused.
///
/// @param file the file that contains it
record NamePattern(JsonFile file, String key, Pattern pattern) {
    private static final int MAX_LENGTH = 4000;
    private static final int MAX_NAME_LENGTH = 400;

    /// Limit of character accesses for one name.
    private static final int MAX_ACCESSES = 1_000_000;

    /// @throws FormatException if the expression is not valid
    static NamePattern compile(JsonFile file, String key, String expression) {
        if (expression.length() > MAX_LENGTH) {
            throw new FormatException("%s: key \"%s\": expected a pattern of at most %d characters, got %d"
                    .formatted(file.path(), key, MAX_LENGTH, expression.length()));
        }
        try {
            return new NamePattern(file, key, Pattern.compile(expression));
        } catch (PatternSyntaxException e) {
            throw new FormatException(
                    "%s: key \"%s\": expected a regular expression, got %s"
                            .formatted(file.path(), key, Quoted.of(expression)),
                    e);
        }
    }

    boolean matches(String name) {
        return match(name).isPresent();
    }

    Optional<Matcher> match(String name) {
        if (name.length() > MAX_NAME_LENGTH) {
            return Optional.empty();
        }
        Matcher matcher = pattern.matcher(new Counted(this, name));
        return matcher.matches() ? Optional.of(matcher) : Optional.empty();
    }

    /// A text with a limited number of character accesses.
    private static final class Counted implements CharSequence {
        private final NamePattern owner;
        private final String text;
        private int accesses;

        Counted(NamePattern owner, String text) {
            this.owner = owner;
            this.text = text;
        }

        @Override
        public int length() {
            return text.length();
        }

        @Override
        public char charAt(int index) {
            if (++accesses > MAX_ACCESSES) {
                throw new UnsupportedModelException("%s: key \"%s\": %s takes too long to match"
                        .formatted(owner.file.path(), owner.key, Quoted.of(owner.pattern.pattern())));
            }
            return text.charAt(index);
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return text.subSequence(start, end);
        }

        @Override
        public String toString() {
            return text;
        }
    }
}
