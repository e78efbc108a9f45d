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
    public Scan scan() {
        return new Search();
    }

    private final class Search implements Scan {
        private final Metered text = new Metered();
        private final Matcher matcher = pattern.matcher(text);
        private int lastEnd;

        @Override
        public void begin(String text, int from, int to) {
            this.text.begin(text, to - from);
            matcher.reset(this.text).region(from, to);
            lastEnd = -1;
        }

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
            boolean withinPair = at > matcher.regionStart()
                    && at < matcher.regionEnd()
                    && Character.isSurrogatePair(text.text.charAt(at - 1), text.text.charAt(at));
            return at != lastEnd && !withinPair;
        }

        private boolean find() {
            try {
                return matcher.find();
            } catch (StackOverflowError e) {
                throw new UnsupportedModelException("%s: pattern %s nests too deeply on a text of %d characters"
                        .formatted(file, source, text.searched));
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
    }

    /// Counts how often characters are read.
    private final class Metered implements CharSequence {
        private String text = "";
        private int searched;
        private long left;

        /// @param searched how many of the text's characters are searched
        void begin(String text, int searched) {
            this.text = text;
            this.searched = searched;
            left = BASE_BUDGET + BUDGET_PER_CHARACTER * searched;
        }

        @Override
        public char charAt(int index) {
            if (--left < 0) {
                throw new UnsupportedModelException("%s: pattern %s takes too many steps on a text of %d characters"
                        .formatted(file, source, searched));
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
