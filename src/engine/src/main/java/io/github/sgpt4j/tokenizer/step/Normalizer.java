package io.github.sgpt4j.tokenizer.step;

import io.github.sgpt4j.tokenizer.collection.Growth;
import io.github.sgpt4j.tokenizer.pattern.CharacterClasses;
import io.github.sgpt4j.tokenizer.pattern.Splitter;
import java.text.Normalizer.Form;
import java.util.List;

/// Changes a text before it is split, like the steps of `tokenizers::normalizers`.
public sealed interface Normalizer {
    String normalize(String text);

    /// Leaves the text unchanged.
    record None() implements Normalizer {
        @Override
        public String normalize(String text) {
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
    }

    /// Unicode normalization form NFC, NFD, NFKC or NFKD, in the Unicode version of the reference.
    record Unicode(Form form) implements Normalizer {
        @Override
        public String normalize(String text) {
            return UnicodeForms.normalize(text, form);
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
    }

    /// Puts a prefix before a non-empty text.
    record Prepend(String prefix) implements Normalizer {
        @Override
        public String normalize(String text) {
            return text.isEmpty() ? text : prefix + text;
        }
    }

    /// Replaces every match by the same content.
    record Replace(Splitter pattern, String content, Growth growth) implements Normalizer {
        @Override
        public String normalize(String text) {
            return pattern.replace(text, content, growth);
        }
    }

    /// Removes white space at the ends.
    record Strip(boolean left, boolean right) implements Normalizer {
        @Override
        public String normalize(String text) {
            int start = 0;
            int end = text.length();
            while (left && start < end && CharacterClasses.isWhitespace(text.charAt(start))) {
                start++;
            }
            while (right && end > start && CharacterClasses.isWhitespace(text.charAt(end - 1))) {
                end--;
            }
            return text.substring(start, end);
        }
    }
}
