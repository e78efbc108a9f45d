package io.github.sgpt4j.text;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/// Finds existing names similar to one that does not exist.
public final class NearNames {
    private static final int MAX_NAMES = 3;
    private static final int MAX_NAMES_COMPARED = 20_000;
    private static final int MAX_LENGTH_COMPARED = 200;

    private NearNames() {}

    /// Up to three names, quoted, nearest first: those that differ by a prefix, then by edit distance
    /// up to a third of the length; if there are none, the first few names.
    public static List<String> of(String wanted, Collection<String> names) {
        List<String> near = names.stream()
                .limit(MAX_NAMES_COMPARED)
                .map(name -> new Candidate(name, distance(wanted, name)))
                .filter(candidate -> candidate.distance * 3 <= wanted.length())
                .sorted(Comparator.comparingInt(Candidate::distance).thenComparing(Candidate::name))
                .limit(MAX_NAMES)
                .map(candidate -> Quoted.of(candidate.name))
                .toList();
        return near.isEmpty() ? names.stream().limit(MAX_NAMES).map(Quoted::of).toList() : near;
    }

    private record Candidate(String name, int distance) {}

    private static int distance(String a, String b) {
        if (a.endsWith("." + b) || b.endsWith("." + a)) {
            return 0;
        }
        if (Math.max(a.length(), b.length()) > MAX_LENGTH_COMPARED
                || Math.abs(a.length() - b.length()) * 3 > a.length()) {
            return MAX_LENGTH_COMPARED * 2;
        }
        int[] above = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            above[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] row = new int[b.length() + 1];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = above[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(replaced, 1 + Math.min(above[j], row[j - 1]));
            }
            above = row;
        }
        return above[b.length()];
    }
}
