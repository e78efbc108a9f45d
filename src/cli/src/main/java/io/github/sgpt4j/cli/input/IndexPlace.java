package io.github.sgpt4j.cli.input;

import io.github.sgpt4j.documents.FolderIndex;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/// Where an index lies.
public final class IndexPlace {
    private IndexPlace() {}

    /// The index of a folder of documents, if `--index` names none.
    public static String of(String folder) {
        return Path.of(folder).resolve(FolderIndex.DEFAULT_NAME).toString();
    }

    /// The index within a folder of documents that is named in its place; empty if the folder is itself an
    /// index, or has none.
    public static Optional<String> within(String named) throws IOException {
        Path folder = TextInput.path(named);
        String inner = of(named);
        if (!Files.isDirectory(folder) || !Files.isDirectory(Path.of(inner))) {
            return Optional.empty();
        }
        try (Stream<Path> entries = Files.list(folder)) {
            boolean isIndex = entries.map(entry -> String.valueOf(entry.getFileName()))
                    .anyMatch(name -> name.startsWith("segments_") || name.startsWith("part-"));
            return isIndex ? Optional.empty() : Optional.of(inner);
        }
    }
}
