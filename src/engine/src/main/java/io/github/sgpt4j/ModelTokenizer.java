package io.github.sgpt4j;

import io.github.sgpt4j.checkpoint.TokenizerFolder;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.tokenizer.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The tokenizer of a checkpoint alone, to count tokens or to cut texts without a model: only the
/// tokenizer's files are read and need to exist; no weights are opened and no device is used. Results
/// equal those of [Model#tokenize]. Immutable and safe to share between threads; nothing needs closing.
public final class ModelTokenizer {
    private final Path directory;
    private final Tokenizer tokenizer;

    private ModelTokenizer(Path directory, Tokenizer tokenizer) {
        this.directory = directory;
        this.tokenizer = tokenizer;
    }

    /// Reads `tokenizer.json`, or `vocab.json` with `merges.txt`, from a directory, and if present:
    /// `tokenizer_config.json`, `special_tokens_map.json`, `added_tokens.json`, `config.json` for the
    /// type of model, and `modules.json` and `sentence_bert_config.json`.
    ///
    /// @throws io.github.sgpt4j.error.SgptException if a file is missing, broken or asks for something
    ///     unsupported
    public static ModelTokenizer open(Path directory) {
        if (!Files.isDirectory(directory)) {
            throw new FormatException("%s: expected a directory with a tokenizer, %s"
                    .formatted(directory, Files.exists(directory) ? "got a file" : "found nothing"));
        }
        return new ModelTokenizer(directory, TokenizerFolder.read(directory).load());
    }

    /// Token ids of a text, uncut.
    ///
    /// @param text not null; an unpaired surrogate counts as U+FFFD
    /// @param specialTokens whether to add the tokenizer's special tokens
    public int[] tokenize(String text, boolean specialTokens) {
        return tokenizer.encode(text, specialTokens);
    }

    /// The tokens of a text, uncut, with their places in it. The ids are those of [#tokenize]; that is
    /// several times faster where places do not matter.
    ///
    /// @param text not null; an unpaired surrogate counts as U+FFFD
    /// @param specialTokens whether to add the tokenizer's special tokens, which have no place
    public List<Token> tokens(String text, boolean specialTokens) {
        return Token.of(tokenizer, text, specialTokens);
    }

    /// The text of token ids, special tokens included.
    ///
    /// @throws IllegalArgumentException if an id is negative
    public String detokenize(int[] ids) {
        return tokenizer.decode(ids, false);
    }

    /// The highest token id + 1.
    public int vocabularySize() {
        return tokenizer.vocabularySize();
    }

    /// What users should know about how the tokenizer's files are interpreted: one sentence each, with
    /// the file; empty for most checkpoints.
    public List<String> notices() {
        return tokenizer.notices();
    }

    /// The tokenizer's directory.
    public Path directory() {
        return directory;
    }
}
