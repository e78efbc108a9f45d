package io.github.sgpt4j.tokenizer;

import java.util.ArrayList;
import java.util.List;

/// Splits a text into the words that the model sees, as the steps of `tokenizers::pre_tokenizers` do.
sealed interface PreTokenizer {
    /// Passes on the words of a text in order; none of them is empty.
    ///
    /// @param first whether the text begins where the whole input begins
    void split(String text, boolean first, Words out);

    /// Receives words.
    @FunctionalInterface
    interface Words {
        void word(String word, boolean first);
    }

    /// Passes the text on whole.
    record None() implements PreTokenizer {
        @Override
        public void split(String text, boolean first, Words out) {
            emit(text, first, out);
        }
    }

    /// Several steps in order, each on the words of the one before.
    record Sequence(List<PreTokenizer> steps) implements PreTokenizer {
        public Sequence {
            steps = List.copyOf(steps);
        }

        @Override
        public void split(String text, boolean first, Words out) {
            splitFrom(0, text, first, out);
        }

        private void splitFrom(int step, String text, boolean first, Words out) {
            if (step == steps.size()) {
                emit(text, first, out);
            } else {
                steps.get(step).split(text, first, (word, isFirst) -> splitFrom(step + 1, word, isFirst, out));
            }
        }
    }

    /// Puts a space before each text that does not begin with one.
    record PrefixSpace() implements PreTokenizer {
        @Override
        public void split(String text, boolean first, Words out) {
            emit(text.startsWith(" ") ? text : " " + text, first, out);
        }
    }

    /// Replaces each byte by its character of the byte-level alphabet.
    record Bytes() implements PreTokenizer {
        @Override
        public void split(String text, boolean first, Words out) {
            emit(ByteLevelAlphabet.encode(text), first, out);
        }
    }

    /// When a [Metaspace] puts its sign before a text.
    enum Prefix {
        ALWAYS,
        FIRST,
        NEVER
    }

    /// Replaces spaces by a sign and splits before each sign.
    record Metaspace(String sign, Prefix prefix, boolean split) implements PreTokenizer {
        @Override
        public void split(String text, boolean first, Words out) {
            String replaced = text.replace(" ", sign);
            boolean prepend = prefix == Prefix.ALWAYS || prefix == Prefix.FIRST && first;
            if (prepend && !replaced.startsWith(sign)) {
                replaced = sign + replaced;
            }
            if (split) {
                new Split(Splitter.literal(sign), Behavior.MERGED_WITH_NEXT, false).split(replaced, first, out);
            } else {
                emit(replaced, first, out);
            }
        }
    }

    /// What becomes of the matches that a text is split at.
    enum Behavior {
        REMOVED,
        ISOLATED,
        MERGED_WITH_PREVIOUS,
        MERGED_WITH_NEXT,
        CONTIGUOUS
    }

    /// Splits at the matches of a pattern, or with `invert` at what lies between them.
    record Split(Splitter pattern, Behavior behavior, boolean invert) implements PreTokenizer {
        @Override
        public void split(String text, boolean first, Words out) {
            if (behavior == Behavior.ISOLATED || behavior == Behavior.REMOVED) {
                splitDirectly(text, first, out);
                return;
            }
            Parts parts = new Parts();
            Splitter.Scan scan = pattern.scan(text);
            int done = 0;
            while (scan.next()) {
                if (scan.start() > done) {
                    parts.add(done, scan.start(), invert);
                }
                parts.add(scan.start(), scan.end(), !invert);
                done = scan.end();
            }
            if (done < text.length()) {
                parts.add(done, text.length(), invert);
            }
            for (int[] range : parts.merge(behavior)) {
                emit(text.substring(range[0], range[1]), first && range[0] == 0, out);
            }
        }

        private void splitDirectly(String text, boolean first, Words out) {
            boolean keepMatches = behavior == Behavior.ISOLATED || invert;
            boolean keepRest = behavior == Behavior.ISOLATED || !invert;
            Splitter.Scan scan = pattern.scan(text);
            int done = 0;
            while (scan.next()) {
                if (keepRest) {
                    emit(text.substring(done, scan.start()), first && done == 0, out);
                }
                if (keepMatches) {
                    emit(text.substring(scan.start(), scan.end()), first && scan.start() == 0, out);
                }
                done = scan.end();
            }
            if (keepRest) {
                emit(text.substring(done), first && done == 0, out);
            }
        }
    }

    /// Neighbouring parts of a text that together cover it, each a match or not.
    final class Parts {
        private final IntList bounds = new IntList(64);

        void add(int start, int end, boolean match) {
            bounds.add(start);
            bounds.add(end);
            bounds.add(match ? 1 : 0);
        }

        List<int[]> merge(Behavior behavior) {
            int count = bounds.size() / 3;
            List<int[]> merged = new ArrayList<>(count);
            boolean backwards = behavior == Behavior.MERGED_WITH_NEXT;
            boolean previousMatch = false;
            for (int n = 0; n < count; n++) {
                int i = 3 * (backwards ? count - 1 - n : n);
                boolean match = bounds.get(i + 2) == 1;
                boolean join = behavior == Behavior.CONTIGUOUS ? match == previousMatch : match && !previousMatch;
                previousMatch = match;
                if (join && !merged.isEmpty()) {
                    merged.getLast()[backwards ? 0 : 1] = bounds.get(backwards ? i : i + 1);
                } else {
                    merged.add(new int[] {bounds.get(i), bounds.get(i + 1)});
                }
            }
            return backwards ? merged.reversed() : merged;
        }
    }

    private static void emit(String word, boolean first, Words out) {
        if (!word.isEmpty()) {
            out.word(word, first);
        }
    }
}
