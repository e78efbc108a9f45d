package io.github.sgpt4j.tokenizer;

import io.github.sgpt4j.error.UnsupportedModelException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Finds matches of a regular expression. The work it may do on a text is bounded, since the expression comes from a
/// file and some take exponential time.
final class RegexSplitter implements Splitter {
    private static final long BASE_BUDGET = 1L << 22;
    private static final long BUDGET_PER_CHARACTER = 1L << 9;

    private final String source;
    private final Pattern pattern;
    private final String file;

    /// @param source the expression as the file has it, for messages
    RegexSplitter(String source, Pattern pattern, String file) {
        this.source = source;
        this.pattern = pattern;
        this.file = file;
    }

    @Override
    public Scan scan(String text) {
        Matcher matcher = pattern.matcher(new Metered(text));
        return new Scan() {
            private int lastEnd = -1;

            @Override
            public boolean next() {
                while (find()) {
                    if (matcher.end() > matcher.start() || countsWhenEmpty(matcher.start())) {
                        lastEnd = matcher.end();
                        return true;
                    }
                }
                return false;
            }

            /// Not directly after a match, nor within a surrogate pair, where only Java looks.
            private boolean countsWhenEmpty(int at) {
                boolean withinPair =
                        at > 0 && at < text.length() && Character.isSurrogatePair(text.charAt(at - 1), text.charAt(at));
                return at != lastEnd && !withinPair;
            }

            private boolean find() {
                try {
                    return matcher.find();
                } catch (StackOverflowError e) {
                    throw new UnsupportedModelException("%s: pattern %s nests too deeply on a text of %d characters"
                            .formatted(file, source, text.length()));
                }
            }

            @Override
            public int start() {
                return matcher.start();
            }

            @Override
            public int end() {
                return matcher.end();
            }
        };
    }

    /// Counts how often characters are read.
    private final class Metered implements CharSequence {
        private final String text;
        private long left;

        Metered(String text) {
            this.text = text;
            left = BASE_BUDGET + BUDGET_PER_CHARACTER * text.length();
        }

        @Override
        public char charAt(int index) {
            if (--left < 0) {
                throw new UnsupportedModelException("%s: pattern %s takes too many steps on a text of %d characters"
                        .formatted(file, source, text.length()));
            }
            return text.charAt(index);
        }

        @Override
        public int length() {
            return text.length();
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return text.substring(start, end);
        }

        @Override
        public String toString() {
            return text;
        }
    }
}
