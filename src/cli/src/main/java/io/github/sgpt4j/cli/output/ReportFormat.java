package io.github.sgpt4j.cli.output;

/// How a report is written.
public enum ReportFormat {
    /// For people.
    TEXT,
    /// One JSON object on one line.
    JSON
}
