package io.github.sgpt4j.tokenizer.step;

import io.github.sgpt4j.tokenizer.collection.Growth;
import io.github.sgpt4j.tokenizer.pattern.Splitter;
import java.util.List;

/// Splits a text into the words that the model encodes, like the steps of `tokenizers::pre_tokenizers`.
/// Immutable; the result of [#into] belongs to one thread.
public sealed interface PreTokenizer {
    /// Receives words in order: ranges of a text, none of them empty.
    @FunctionalInterface
    interface Words {
        /// The word `text[start, end)`.
        ///
        /// @param first whether the word starts at the start of the whole input
        void word(String text, int start, int end, boolean first);
    }

    /// A receiver that splits each received word by this step and passes the parts on to `out`.
    Words into(Words out);

    /// Receives words in order, with their places.
    @FunctionalInterface
    interface PlacedWords {
        /// The word `text[start, end)`; see [Words#word].
        void word(PlacedText text, int start, int end, boolean first);
    }

    /// As [#into], keeping places.
    PlacedWords intoPlaced(PlacedWords out);

    /// Passes the text on unchanged.
    record None() implements PreTokenizer {
        @Override
        public Words into(Words out) {
            return out;
        }

        @Override
        public PlacedWords intoPlaced(PlacedWords out) {
            return out;
        }
    }

    /// Several steps in order, each on the words of the previous one.
    record Sequence(List<PreTokenizer> steps) implements PreTokenizer {
        public Sequence {
            steps = List.copyOf(steps);
        }

        @Override
        public Words into(Words out) {
            Words words = out;
            for (PreTokenizer step : steps.reversed()) {
                words = step.into(words);
            }
            return words;
        }

        @Override
        public PlacedWords intoPlaced(PlacedWords out) {
            PlacedWords words = out;
            for (PreTokenizer step : steps.reversed()) {
                words = step.intoPlaced(words);
            }
            return words;
        }
    }

    /// Puts a space before each text that does not start with one.
    record PrefixSpace() implements PreTokenizer {
        @Override
        public Words into(Words out) {
            return (text, start, end, first) -> {
                if (text.charAt(start) == ' ') {
                    out.word(text, start, end, first);
                } else {
                    whole(" " + text.substring(start, end), first, out);
                }
            };
        }

        @Override
        public PlacedWords intoPlaced(PlacedWords out) {
            return (text, start, end, first) -> {
                if (text.text().charAt(start) == ' ') {
                    out.word(text, start, end, first);
                } else {
                    whole(text.slice(start, end).prepended(" "), first, out);
                }
            };
        }
    }

    /// Replaces each byte by its character of the byte-level alphabet.
    record Bytes() implements PreTokenizer {
        @Override
        public Words into(Words out) {
            return (text, start, end, first) -> whole(ByteLevelAlphabet.encode(text.substring(start, end)), first, out);
        }

        @Override
        public PlacedWords intoPlaced(PlacedWords out) {
            return (text, start, end, first) -> whole(text.slice(start, end).bytes(), first, out);
        }
    }

    /// When a [Metaspace] prepends its sign to a text.
    enum Prefix {
        ALWAYS,
        FIRST,
        NEVER
    }

    /// Replaces spaces by a sign and splits before each sign.
    record Metaspace(String sign, Prefix prefix, boolean split) implements PreTokenizer {
        @Override
        public Words into(Words out) {
            Words words = split ? new Split(Splitter.literal(sign), Behavior.MERGED_WITH_NEXT, false).into(out) : out;
            return (text, start, end, first) -> {
                String replaced = text.substring(start, end).replace(" ", sign);
                boolean prepend = prefix == Prefix.ALWAYS || prefix == Prefix.FIRST && first;
                if (prepend && !replaced.startsWith(sign)) {
                    replaced = sign + replaced;
                }
                whole(replaced, first, words);
            };
        }

        @Override
        public PlacedWords intoPlaced(PlacedWords out) {
            PlacedWords words =
                    split ? new Split(Splitter.literal(sign), Behavior.MERGED_WITH_NEXT, false).intoPlaced(out) : out;
            Growth growth = new Growth(sign);
            return (text, start, end, first) -> {
                PlacedText replaced = text.slice(start, end).replaced(Splitter.literal(" "), sign, growth);
                boolean prepend = prefix == Prefix.ALWAYS || prefix == Prefix.FIRST && first;
                whole(prepend && !replaced.text().startsWith(sign) ? replaced.prepended(sign) : replaced, first, words);
            };
        }
    }

    /// How the matches that a text is split at are treated.
    enum Behavior {
        REMOVED,
        ISOLATED,
        MERGED_WITH_PREVIOUS,
        MERGED_WITH_NEXT,
        CONTIGUOUS
    }

    /// Splits at the matches of a pattern, or with `invert` at the text between them.
    record Split(Splitter pattern, Behavior behavior, boolean invert) implements PreTokenizer {
        @Override
        public Words into(Words out) {
            return new Splitting(pattern.scan(), behavior, invert, out);
        }

        @Override
        public PlacedWords intoPlaced(PlacedWords out) {
            return new PlacedSplitting(this, out);
        }
    }

    private static void whole(PlacedText word, boolean first, PlacedWords out) {
        if (!word.text().isEmpty()) {
            out.word(word, 0, word.text().length(), first);
        }
    }

    private static void whole(String word, boolean first, Words out) {
        if (!word.isEmpty()) {
            out.word(word, 0, word.length(), first);
        }
    }
}
