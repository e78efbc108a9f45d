package io.github.sgpt4j.cli.eval;

import io.github.sgpt4j.cli.input.TextInput;
import java.util.List;
import java.util.Optional;

/// How tables show files of runs.
final class RunNames {
    private RunNames() {}

    /// The files' own names if they differ, otherwise the paths as given.
    static List<String> of(List<String> files) {
        List<String> names = files.stream()
                .map(file -> Optional.ofNullable(TextInput.path(file).getFileName())
                        .map(Object::toString)
                        .orElse(file))
                .toList();
        return names.stream().distinct().count() == names.size() ? names : List.copyOf(files);
    }
}
