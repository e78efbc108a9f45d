package io.github.sgpt4j.checkpoint;

import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.text.Quoted;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What can be learned from a checkpoint's name.
public final class ModelName {
    private ModelName() {}

    /// Whether the model is an asymmetric SGPT model: "specb" occurs in the name of its directory, of its
    /// repository in a Hugging Face cache (`models--owner--name/snapshots/revision`), or in
    /// `_name_or_path` of its config.json.
    ///
    /// @param json reads config.json
    public static SpecialBrackets specb(Path directory, JsonFiles json) {
        return source(directory, json)
                .map(source -> new SpecialBrackets(true, source))
                .orElse(new SpecialBrackets(
                        false, "\"specb\" is neither in the model's name nor in \"_name_or_path\" of config.json"));
    }

    private static Optional<String> source(Path directory, JsonFiles json) {
        Path absolute = directory.toAbsolutePath().normalize();
        Path name = absolute.getFileName();
        if (names(name)) {
            return Optional.of("\"specb\" is in the directory's name");
        }
        Path snapshots = absolute.getParent();
        if (snapshots != null
                && snapshots.endsWith("snapshots")
                && snapshots.getParent() != null
                && names(snapshots.getParent().getFileName())) {
            return Optional.of("\"specb\" is in the repository's name");
        }
        return json.objectIfPresent(directory.resolve("config.json"))
                .map(config -> config.text("_name_or_path", ""))
                .filter(text -> text.toLowerCase(Locale.ROOT).contains("specb"))
                .map(text -> "\"specb\" is in \"_name_or_path\" of config.json, " + Quoted.of(text));
    }

    private static boolean names(@Nullable Path name) {
        return name != null && name.toString().toLowerCase(Locale.ROOT).contains("specb");
    }
}
