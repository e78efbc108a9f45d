package io.github.sgpt4j.training.data;

/// Reads the rows of a file.
@FunctionalInterface
interface RowFormat {
    /// @param where file and line
    /// @throws io.github.sgpt4j.error.FormatException if the line is no row
    Row parse(String where, String line);
}
