package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.weightstools.VerifyReport.Finding;
import io.github.sgpt4j.weightstools.VerifyReport.Severity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// Collects the findings of a check.
final class Findings {
    private final List<Finding> all = new ArrayList<>();

    void error(String message) {
        all.add(new Finding(Severity.ERROR, message));
    }

    void warn(String message) {
        all.add(new Finding(Severity.WARNING, message));
    }

    /// The engine's message about a file that it cannot read.
    void error(SgptException failure) {
        error(String.valueOf(failure.getMessage()));
    }

    /// Errors first, otherwise in the order in which they were found.
    List<Finding> sorted() {
        return all.stream().sorted(Comparator.comparing(Finding::severity)).toList();
    }
}
