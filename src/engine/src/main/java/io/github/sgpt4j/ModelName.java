package io.github.sgpt4j;

import io.github.sgpt4j.model.JsonFile;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// What a checkpoint's name tells.
final class ModelName {
    private ModelName() {}

    /// Whether the model is an asymmetric SGPT model ("special brackets"): "specb" occurs in the name of its
    /// directory, of its repository in a Hugging Face cache (`models--owner--name/snapshots/revision`), or in
    /// `_name_or_path` of its config.json.
    static boolean isSpecb(Path directory) {
        Path absolute = directory.toAbsolutePath().normalize();
        if (names(absolute.getFileName())) {
            return true;
        }
        Path snapshots = absolute.getParent();
        if (snapshots != null
                && snapshots.endsWith("snapshots")
                && snapshots.getParent() != null
                && names(snapshots.getParent().getFileName())) {
            return true;
        }
        return JsonFile.readObjectIfPresent(directory.resolve("config.json"))
                .map(config -> config.text("_name_or_path", ""))
                .filter(name -> name.toLowerCase(Locale.ROOT).contains("specb"))
                .isPresent();
    }

    private static boolean names(@Nullable Path name) {
        return name != null && name.toString().toLowerCase(Locale.ROOT).contains("specb");
    }
}
