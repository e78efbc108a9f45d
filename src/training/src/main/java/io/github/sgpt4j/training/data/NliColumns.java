package io.github.sgpt4j.training.data;

import io.github.sgpt4j.error.FormatException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/// Where AllNLI's columns are.
///
/// @param count number of all columns
record NliColumns(int split, int first, int second, int label, int count) {
    /// A line's relevant fields.
    record Pair(String split, String first, String second, String label) {}

    /// The columns that a file's first line names; empty if one is missing or named twice.
    static Optional<NliColumns> of(String header) {
        List<String> names = Arrays.asList(header.split("\t", -1));
        List<String> needed = List.of("split", "sentence1", "sentence2", "label");
        for (String name : needed) {
            if (!names.contains(name) || names.indexOf(name) != names.lastIndexOf(name)) {
                return Optional.empty();
            }
        }
        return Optional.of(new NliColumns(
                names.indexOf("split"),
                names.indexOf("sentence1"),
                names.indexOf("sentence2"),
                names.indexOf("label"),
                names.size()));
    }

    Pair read(Supplier<String> where, String line) {
        String[] fields = line.split("\t", -1);
        if (fields.length != count) {
            throw new FormatException(
                    "%s: expected %d fields separated by tabs, got %d".formatted(where.get(), count, fields.length));
        }
        return new Pair(fields[split], fields[first], fields[second], fields[label]);
    }
}
