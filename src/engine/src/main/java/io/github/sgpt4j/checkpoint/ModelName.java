package io.github.sgpt4j.checkpoint;

import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.text.Quoted;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What can be learned from a checkpoint's name.
public final class ModelName {
    private static final Pattern SPECB = Pattern.compile("specb");

    private ModelName() {}

    /// Whether the model is an asymmetric SGPT model: "specb" occurs in the name of its directory, of its
    /// repository in a Hugging Face cache (`models--owner--name/snapshots/revision`), or in
    /// `_name_or_path` of its config.json.
    ///
    /// @param json reads config.json
    public static SpecialBrackets specb(Path directory, JsonFiles json) {
        return source(directory, json, SPECB)
                .map(source -> new SpecialBrackets(true, source))
                .orElse(new SpecialBrackets(
                        false, "\"specb\" is neither in the model's name nor in \"_name_or_path\" of config.json"));
    }

    /// Where a checkpoint's name contains text that a pattern describes, in a few words: the name of its
    /// directory, of its repository in a Hugging Face cache, or in `_name_or_path` of its config.json.
    ///
    /// @param json reads config.json
    /// @param pattern matches lower-case text
    public static Optional<String> source(Path directory, JsonFiles json, Pattern pattern) {
        Path absolute = directory.toAbsolutePath().normalize();
        Optional<String> inName = found(pattern, absolute.getFileName());
        if (inName.isPresent()) {
            return inName.map("\"%s\" is in the directory's name"::formatted);
        }
        Path snapshots = absolute.getParent();
        if (snapshots != null && snapshots.endsWith("snapshots") && snapshots.getParent() != null) {
            Optional<String> inRepository = found(pattern, snapshots.getParent().getFileName());
            if (inRepository.isPresent()) {
                return inRepository.map("\"%s\" is in the repository's name"::formatted);
            }
        }
        String stated = json.objectIfPresent(directory.resolve("config.json"))
                .map(config -> config.text("_name_or_path", ""))
                .orElse("");
        return found(pattern, stated)
                .map(found -> "\"%s\" is in \"_name_or_path\" of config.json, %s".formatted(found, Quoted.of(stated)));
    }

    private static Optional<String> found(Pattern pattern, @Nullable Path name) {
        return name == null ? Optional.empty() : found(pattern, name.toString());
    }

    private static Optional<String> found(Pattern pattern, String name) {
        Matcher matcher = pattern.matcher(name.toLowerCase(Locale.ROOT));
        return matcher.find() ? Optional.of(matcher.group()) : Optional.empty();
    }
}
