package io.github.sgpt4j.training;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A number of steps, or a share of all steps of a training.
public sealed interface StepCount {
    /// A number of steps.
    ///
    /// @param steps at least 0
    record Steps(long steps) implements StepCount {
        /// Checks the number.
        public Steps {
            if (steps < 0) {
                throw new IllegalArgumentException("steps: expected at least 0, got " + steps);
            }
        }

        @Override
        public long of(long total) {
            return steps;
        }

        @Override
        public String toString() {
            return Long.toString(steps);
        }
    }

    /// A share of all steps.
    ///
    /// @param percent from 0 to 100
    record Percent(double percent) implements StepCount {
        /// Checks the share.
        public Percent {
            if (!(percent >= 0 && percent <= 100)) {
                throw new IllegalArgumentException("share of steps: expected 0% to 100%, got " + percent + "%");
            }
        }

        @Override
        public long of(long total) {
            return (long) Math.ceil(total * percent / 100);
        }

        @Override
        public String toString() {
            return percent == Math.rint(percent) ? String.format(Locale.ROOT, "%.0f%%", percent) : percent + "%";
        }
    }

    /// The number of steps, of a training with `total`; a share is rounded up.
    long of(long total);

    /// Reads `100` as a number of steps and `10%` as a share.
    ///
    /// @throws IllegalArgumentException if it is neither
    static StepCount parse(String text) {
        Matcher matcher = Pattern.compile("(\\d{1,18})(\\.\\d{1,9})?(%)?").matcher(text);
        if (!matcher.matches() || matcher.group(2) != null && matcher.group(3) == null) {
            throw new IllegalArgumentException("expected a number of steps or a share such as 10%, got " + text);
        }
        return matcher.group(3) == null
                ? new Steps(Long.parseLong(matcher.group(1)))
                : new Percent(Double.parseDouble(text.substring(0, text.length() - 1)));
    }
}
