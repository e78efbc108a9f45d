package io.github.sgpt4j.tokenizer.step;

import io.github.sgpt4j.tokenizer.collection.Growth;
import io.github.sgpt4j.tokenizer.collection.IntList;
import io.github.sgpt4j.tokenizer.pattern.CharacterClasses;
import io.github.sgpt4j.tokenizer.pattern.Splitter;
import java.text.Normalizer.Form;
import java.util.List;

/// Changes a text before it is split, like the steps of `tokenizers::normalizers`.
public sealed interface Normalizer {
    String normalize(String text);

    /// As [#normalize(String)], keeping places.
    PlacedText normalize(PlacedText text);

    /// Leaves the text unchanged.
    record None() implements Normalizer {
        @Override
        public String normalize(String text) {
            return text;
        }

        @Override
        public PlacedText normalize(PlacedText text) {
            return text;
        }
    }

    /// Several steps in order.
    record Sequence(List<Normalizer> steps, Growth growth) implements Normalizer {
        public Sequence {
            steps = List.copyOf(steps);
        }

        @Override
        public String normalize(String text) {
            String result = text;
            for (Normalizer step : steps) {
                result = step.normalize(result);
                growth.check(text.length(), result.length());
            }
            return result;
        }

        @Override
        public PlacedText normalize(PlacedText text) {
            PlacedText result = text;
            for (Normalizer step : steps) {
                result = step.normalize(result);
                growth.check(text.text().length(), result.text().length());
            }
            return result;
        }
    }

    /// Unicode normalization form NFC, NFD, NFKC or NFKD, in the Unicode version of the reference.
    record Unicode(Form form) implements Normalizer {
        @Override
        public String normalize(String text) {
            return UnicodeForms.normalize(text, form);
        }

        @Override
        public PlacedText normalize(PlacedText text) {
            return PlacedForms.normalize(text, form);
        }
    }

    /// Lower case of each code point on its own, regardless of its neighbours.
    record Lowercase() implements Normalizer {
        @Override
        public String normalize(String text) {
            StringBuilder result = new StringBuilder(text.length());
            for (int i = 0; i < text.length(); ) {
                int c = text.codePointAt(i);
                UnicodeForms.appendLowerCase(c, result);
                i += Character.charCount(c);
            }
            return result.toString();
        }

        @Override
        public PlacedText normalize(PlacedText text) {
            IntList codePoints = new IntList(text.text().length());
            IntList absorbed = new IntList(text.text().length());
            StringBuilder lower = new StringBuilder();
            text.text().codePoints().forEach(c -> {
                lower.setLength(0);
                UnicodeForms.appendLowerCase(c, lower);
                for (int i = 0; i < lower.length(); i += Character.charCount(lower.codePointAt(i))) {
                    codePoints.add(lower.codePointAt(i));
                    absorbed.add(i == 0 ? 1 : 0);
                }
            });
            return text.changed(codePoints, absorbed);
        }
    }

    /// Puts a prefix before a non-empty text.
    record Prepend(String prefix) implements Normalizer {
        @Override
        public String normalize(String text) {
            return text.isEmpty() ? text : prefix + text;
        }

        @Override
        public PlacedText normalize(PlacedText text) {
            return text.prepended(prefix);
        }
    }

    /// Replaces every match by the same content.
    record Replace(Splitter pattern, String content, Growth growth) implements Normalizer {
        @Override
        public String normalize(String text) {
            return pattern.replace(text, content, growth);
        }

        @Override
        public PlacedText normalize(PlacedText text) {
            return text.replaced(pattern, content, growth);
        }
    }

    /// Removes white space at the ends.
    record Strip(boolean left, boolean right) implements Normalizer {
        @Override
        public String normalize(String text) {
            int start = start(text);
            return text.substring(start, end(text, start));
        }

        @Override
        public PlacedText normalize(PlacedText text) {
            int start = start(text.text());
            return text.stripped(start, end(text.text(), start));
        }

        private int start(String text) {
            int start = 0;
            while (left && start < text.length() && CharacterClasses.isWhitespace(text.charAt(start))) {
                start++;
            }
            return start;
        }

        private int end(String text, int start) {
            int end = text.length();
            while (right && end > start && CharacterClasses.isWhitespace(text.charAt(end - 1))) {
                end--;
            }
            return end;
        }
    }
}
