package io.github.sgpt4j.cli;

/// How a report is written.
enum ReportFormat {
    /// For people.
    TEXT,
    /// One JSON object on one line.
    JSON
}
