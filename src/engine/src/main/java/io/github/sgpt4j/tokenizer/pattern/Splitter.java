package io.github.sgpt4j.tokenizer.pattern;

import io.github.sgpt4j.tokenizer.collection.Growth;
import java.util.function.IntPredicate;

/// Finds matches in a text from left to right, without overlap. Immutable; each [Scan] belongs to one thread.
///
/// Texts are well-formed, and ranges of them begin and end between code points.
public interface Splitter {
    /// Creates a search, which can be restarted any number of times.
    Scan scan();

    /// Starts a search of a whole text.
    default Scan scan(String text) {
        Scan scan = scan();
        scan.begin(text, 0, text.length());
        return scan;
    }

    /// A search. An empty match directly after another match is skipped.
    interface Scan {
        /// Starts searching `text[from, to)`, as if there were no text around it.
        void begin(String text, int from, int to);

        /// Moves to the next match; false if there is none.
        boolean next();

        int start();

        int end();
    }

    /// Replaces every match by the same content; an empty text stays empty.
    default String replace(String text, String content, Growth growth) {
        if (text.isEmpty()) {
            return text;
        }
        Scan scan = scan(text);
        StringBuilder result = null;
        int done = 0;
        while (scan.next()) {
            if (result == null) {
                result = new StringBuilder(text.length());
            }
            result.append(text, done, scan.start()).append(content);
            done = scan.end();
            growth.check(text.length(), result.length());
        }
        return result == null ? text : result.append(text, done, text.length()).toString();
    }

    /// A splitter that is defined by the end of the match at a position.
    @FunctionalInterface
    interface Stepper extends Splitter {
        /// The end of the match that starts exactly at `from` and ends at `limit` at the latest;
        /// greater than `from`, or -1 if no match starts there. `limit` counts as the end of the text.
        int end(String text, int from, int limit);

        @Override
        default Scan scan() {
            return new Steps(this);
        }
    }

    /// The search of a [Stepper].
    final class Steps implements Scan {
        private final Stepper stepper;
        private String text = "";
        private int limit;
        private int start;
        private int end;

        private Steps(Stepper stepper) {
            this.stepper = stepper;
        }

        @Override
        public void begin(String text, int from, int to) {
            this.text = text;
            limit = to;
            end = from;
        }

        @Override
        public boolean next() {
            for (int i = end; i < limit; i += Character.charCount(text.codePointAt(i))) {
                int found = stepper.end(text, i, limit);
                if (found > i) {
                    start = i;
                    end = found;
                    return true;
                }
            }
            end = limit;
            return false;
        }

        @Override
        public int start() {
            return start;
        }

        @Override
        public int end() {
            return end;
        }
    }

    /// Matches a fixed string; an empty one never matches.
    static Splitter literal(String literal) {
        return (Stepper) (text, from, limit) -> {
            int end = from + literal.length();
            return !literal.isEmpty() && end <= limit && text.startsWith(literal, from) ? end : -1;
        };
    }

    /// Matches each code point of a class by itself.
    static Splitter codePoint(IntPredicate predicate) {
        return (Stepper) (text, from, limit) -> {
            int c = text.codePointAt(from);
            return predicate.test(c) ? from + Character.charCount(c) : -1;
        };
    }
}
