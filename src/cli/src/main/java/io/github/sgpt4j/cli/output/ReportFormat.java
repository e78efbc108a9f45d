package io.github.sgpt4j.cli.output;

/// The format of a report.
public enum ReportFormat {
    /// Readable text.
    TEXT,
    /// One JSON object on one line.
    JSON
}
