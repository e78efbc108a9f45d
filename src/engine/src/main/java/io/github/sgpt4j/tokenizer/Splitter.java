package io.github.sgpt4j.tokenizer;

import java.util.function.IntPredicate;

/// Finds matches in a text from left to right, without overlap. Immutable; each [Scan] belongs to one thread.
interface Splitter {
    /// Starts a search.
    Scan scan(String text);

    /// A search under way. An empty match directly after another match is passed over.
    interface Scan {
        /// Goes to the next match; false if there is none.
        boolean next();

        int start();

        int end();
    }

    /// Replaces every match by the same content.
    default String replace(String text, String content) {
        Scan scan = scan(text);
        StringBuilder result = null;
        int done = 0;
        while (scan.next()) {
            if (result == null) {
                result = new StringBuilder(text.length());
            }
            result.append(text, done, scan.start()).append(content);
            done = scan.end();
        }
        return result == null ? text : result.append(text, done, text.length()).toString();
    }

    /// A search that goes by the end of the match at a position.
    @FunctionalInterface
    interface Stepper extends Splitter {
        /// The end of the match that starts exactly at `from`, greater than `from`; -1 if none starts there.
        int end(String text, int from);

        @Override
        default Scan scan(String text) {
            return new Scan() {
                private int start;
                private int end;

                @Override
                public boolean next() {
                    for (int i = end; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
                        int found = Stepper.this.end(text, i);
                        if (found > i) {
                            start = i;
                            end = found;
                            return true;
                        }
                    }
                    end = text.length();
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
            };
        }
    }

    /// Matches the string itself; an empty one nowhere.
    static Splitter literal(String literal) {
        return (Stepper)
                (text, from) -> !literal.isEmpty() && text.startsWith(literal, from) ? from + literal.length() : -1;
    }

    /// Matches each code point of a class by itself.
    static Splitter codePoint(IntPredicate predicate) {
        return (Stepper) (text, from) -> {
            int c = text.codePointAt(from);
            return predicate.test(c) ? from + Character.charCount(c) : -1;
        };
    }
}
