package io.github.sgpt4j.documents;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/// What became of the files of a folder.
///
/// @param read files that were read, by how their names end: `.md`, `.txt.gz`; empty for names without
/// @param unchanged files that were not read, since the index has them as they are
/// @param passedOver files and hidden folders that are not read, by reason
/// @param failures number of files and folders that cannot be read
/// @param failed the first of them with the reasons
/// @param understood number of files that were told of
/// @param told the first of them with how they were understood
public record FolderReport(
        Map<String, Long> read,
        long unchanged,
        Map<String, Long> passedOver,
        long failures,
        Map<String, String> failed,
        long understood,
        Map<String, String> told) {
    /// How many files are named with their reasons.
    static final int MAX_NAMED = 3;

    private static final int MAX_KINDS = 5;

    /// Cannot be changed.
    public FolderReport {
        read = Map.copyOf(read);
        passedOver = Map.copyOf(passedOver);
        failed = Collections.unmodifiableMap(new LinkedHashMap<>(failed));
        told = Collections.unmodifiableMap(new LinkedHashMap<>(told));
    }

    /// Number of files that were read.
    public long filesRead() {
        return sum(read);
    }

    /// One line: `read 2,104 files (1,310 .md, 525 .txt, …); passed over 577 (412 images, …); failed 1: …`.
    public String sentence() {
        StringBuilder line = new StringBuilder("read ").append(number(filesRead()));
        line.append(filesRead() == 1 ? " file" : " files").append(kinds(read, MAX_KINDS));
        if (unchanged > 0) {
            line.append(", ").append(number(unchanged)).append(" unchanged since they were read before");
        }
        if (!passedOver.isEmpty()) {
            line.append("; passed over ").append(number(sum(passedOver))).append(kinds(passedOver, Integer.MAX_VALUE));
        }
        if (failures > 0) {
            line.append("; failed ").append(number(failures)).append(": ").append(named(failed));
            line.append(failures > failed.size() ? ", …" : "");
        }
        return line.toString();
    }

    /// How files were understood, in a line for each of the first and one for the number of others.
    public List<String> notices() {
        List<String> lines = new ArrayList<>();
        told.forEach((name, sentence) -> lines.add(name + ": " + sentence));
        if (understood > told.size()) {
            lines.add("%s other files are told of with --verbose".formatted(number(understood - told.size())));
        }
        return lines;
    }

    private static String named(Map<String, String> reasons) {
        return reasons.entrySet().stream()
                .map(entry -> "%s (%s)".formatted(entry.getKey(), entry.getValue()))
                .collect(Collectors.joining(", "));
    }

    private static String kinds(Map<String, Long> counts, int most) {
        if (counts.isEmpty()) {
            return "";
        }
        List<Map.Entry<String, Long>> order = counts.entrySet().stream()
                .sorted(Comparator.<Map.Entry<String, Long>>comparingLong(Map.Entry::getValue)
                        .reversed()
                        .thenComparing(Map.Entry::getKey))
                .toList();
        String listed = order.stream()
                .limit(most)
                .map(entry ->
                        number(entry.getValue()) + " " + (entry.getKey().isEmpty() ? "without suffix" : entry.getKey()))
                .collect(Collectors.joining(", "));
        return " (%s%s)".formatted(listed, order.size() > most ? ", …" : "");
    }

    private static long sum(Map<String, Long> counts) {
        return counts.values().stream().mapToLong(Long::longValue).sum();
    }

    private static String number(long count) {
        return String.format(Locale.ROOT, "%,d", count);
    }
}
