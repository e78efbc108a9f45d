package io.github.sgpt4j.template;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.error.SgptException;
import io.github.sgpt4j.error.UnsupportedModelException;

/// Makes the errors of one template, which name it and a line.
///
/// @param source names the template
record TemplateFailure(String source) {
    /// What is wrong with the template or its values.
    SgptException broken(int line, String what) {
        return new FormatException("%s, line %d: %s".formatted(source, line, what));
    }

    /// A construct that is not implemented.
    SgptException unsupported(int line, String what) {
        return new UnsupportedModelException(
                "%s, line %d: %s is not supported in chat templates".formatted(source, line, what));
    }
}
