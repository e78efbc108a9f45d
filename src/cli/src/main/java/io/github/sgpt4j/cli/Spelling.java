package io.github.sgpt4j.cli;

import java.util.Collection;
import java.util.Locale;
import java.util.Optional;

/// Words that somebody may have meant.
final class Spelling {
    /// Of how many letters one may be wrong.
    private static final int LETTERS_PER_MISTAKE = 3;

    private Spelling() {}

    /// The word that is most like a given one, if it is like it: at most one letter in three, and one in any case, is
    /// missing, added, another one or swapped with the next; or the given one is a beginning of it.
    static Optional<String> nearest(String given, Collection<String> words) {
        String lower = given.toLowerCase(Locale.ROOT);
        Optional<String> nearest = Optional.empty();
        int least = Math.max(1, lower.length() / LETTERS_PER_MISTAKE) + 1;
        for (String word : words) {
            int mistakes = lower.length() > 1 && word.startsWith(lower) ? 0 : distance(lower, word);
            if (mistakes < least) {
                least = mistakes;
                nearest = Optional.of(word);
            }
        }
        return nearest;
    }

    /// The optimal string alignment distance: letters that are missing, added, other ones or swapped with the next.
    static int distance(String a, String b) {
        int[][] rows = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    rows[i][j] = i + j;
                    continue;
                }
                boolean same = a.charAt(i - 1) == b.charAt(j - 1);
                int least = Math.min(rows[i - 1][j - 1] + (same ? 0 : 1), Math.min(rows[i - 1][j], rows[i][j - 1]) + 1);
                boolean swapped =
                        i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1);
                rows[i][j] = swapped ? Math.min(least, rows[i - 2][j - 2] + 1) : least;
            }
        }
        return rows[a.length()][b.length()];
    }
}
