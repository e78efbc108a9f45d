package io.github.sgpt4j.tokenizer.pattern;

import io.github.sgpt4j.error.UnsupportedModelException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Finds matches of a regular expression. The work on a text is bounded, since the expression comes
/// from a file and may take exponential time.
final class RegexSplitter implements Splitter {
    private static final long BASE_BUDGET = 1L << 22;
    private static final long BUDGET_PER_CHARACTER = 1L << 9;

    private final String source;
    private final Pattern pattern;
    private final String file;

    /// @param source the expression in the file, for messages
    RegexSplitter(String source, Pattern pattern, String file) {
        this.source = source;
        this.pattern = pattern;
        this.file = file;
    }

    @Override
    public Scan scan() {
        return new Search();
    }

    private final class Search implements Scan {
        private final Metered text = new Metered();
        private final Matcher matcher = pattern.matcher(text);
        private int lastEnd;

        @Override
        public void begin(String text, int from, int to) {
            this.text.begin(text, from, to);
            matcher.reset(this.text);
            lastEnd = -1;
        }

        @Override
        public boolean next() {
            boolean found = find(-1);
            while (found) {
                if (text.isWithinPair(matcher.start())) {
                    // After an empty match before a surrogate pair, Java alone also searches between
                    // the two.
                    found = find(matcher.start() + 1);
                } else if (matcher.end() > matcher.start() || matcher.start() != lastEnd) {
                    lastEnd = matcher.end();
                    return true;
                } else {
                    found = find(-1);
                }
            }
            return false;
        }

        /// Finds the next match; if `from` is not negative, the next one at `from` or later.
        private boolean find(int from) {
            try {
                return from < 0 ? matcher.find() : matcher.find(from);
            } catch (StackOverflowError e) {
                throw new UnsupportedModelException("%s: pattern %s nests too deeply on a text of %d characters"
                        .formatted(file, source, text.length()));
            }
        }

        @Override
        public int start() {
            return text.from + matcher.start();
        }

        @Override
        public int end() {
            return text.from + matcher.end();
        }
    }

    /// A range of a text that counts character accesses.
    private final class Metered implements CharSequence {
        private String text = "";
        private int from;
        private int length;
        private long left;

        void begin(String text, int from, int to) {
            this.text = text;
            this.from = from;
            length = to - from;
            left = BASE_BUDGET + BUDGET_PER_CHARACTER * length;
        }

        boolean isWithinPair(int index) {
            return index > 0
                    && index < length
                    && Character.isSurrogatePair(text.charAt(from + index - 1), text.charAt(from + index));
        }

        @Override
        public char charAt(int index) {
            if (--left < 0) {
                throw new UnsupportedModelException("%s: pattern %s takes too many steps on a text of %d characters"
                        .formatted(file, source, length));
            }
            return text.charAt(from + index);
        }

        @Override
        public int length() {
            return length;
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return text.substring(from + start, from + end);
        }
    }
}
