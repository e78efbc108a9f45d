package io.github.sgpt4j.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.json.JsonFile;
import io.github.sgpt4j.json.JsonFiles;
import io.github.sgpt4j.tokenizer.Tokenizer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/// Where a checkpoint's tokenizer is, for code that needs only the tokenizer. Of the files of
/// sentence-transformers, only those that concern the tokenizer are read; none is required.
///
/// @param folder folder of the tokenizer's files
/// @param lowerCase whether texts are lower-cased first
public record TokenizerFolder(Path folder, boolean lowerCase) {
    /// Looks for `modules.json`, whose first module is the transformer, and `sentence_bert_config.json`.
    ///
    /// @throws FormatException if one is broken
    public static TokenizerFolder read(Path directory) {
        Path folder = transformer(directory);
        boolean lowerCase = JsonFile.readObjectIfPresent(folder.resolve("sentence_bert_config.json"))
                .map(bert -> bert.bool("do_lower_case", false))
                .orElse(false);
        return new TokenizerFolder(folder, lowerCase);
    }

    /// The folder of the first module, or the checkpoint itself; no other file is read.
    ///
    /// @throws FormatException if `modules.json` is broken
    public static Path transformer(Path directory) {
        Path file = directory.resolve("modules.json");
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            return directory;
        }
        JsonNode path = JsonFile.readTree(file).path(0).path("path");
        if (!path.isTextual()) {
            throw new FormatException("%s: expected a list of modules, each with a path".formatted(file));
        }
        return SentenceModules.folder(directory, file, path.textValue());
    }

    /// Loads the tokenizer.
    ///
    /// @throws io.github.sgpt4j.error.SgptException if one of its files is missing, broken or
    ///     unsupported
    public Tokenizer load() {
        return load(new JsonFiles());
    }

    /// As [#load()].
    ///
    /// @param json reads its small files
    Tokenizer load(JsonFiles json) {
        Tokenizer tokenizer = Tokenizer.load(folder, json);
        return lowerCase ? tokenizer.lowerCasing() : tokenizer;
    }
}
