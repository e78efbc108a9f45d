package io.github.sgpt4j;

import io.github.sgpt4j.checkpoint.TokenizerFolder;
import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.tokenizer.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The tokenizer of a checkpoint by itself, to count tokens or to cut texts before a model is there: only the
/// tokenizer's files are read and need to exist, no weights are opened and no device is used. What it says is what
/// [Model#tokenize] says. Immutable and safe to share between threads; nothing needs closing.
public final class ModelTokenizer {
    private final Path directory;
    private final Tokenizer tokenizer;

    private ModelTokenizer(Path directory, Tokenizer tokenizer) {
        this.directory = directory;
        this.tokenizer = tokenizer;
    }

    /// Reads `tokenizer.json`, or `vocab.json` with `merges.txt`, from a directory, and where they are there:
    /// `tokenizer_config.json`, `special_tokens_map.json`, `added_tokens.json`, `config.json` for the type of
    /// model, and `modules.json` and `sentence_bert_config.json`.
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
    /// @param text not null; a surrogate without its partner counts as U+FFFD
    /// @param specialTokens whether to add the special tokens that the tokenizer asks for
    public int[] tokenize(String text, boolean specialTokens) {
        return tokenizer.encode(text, specialTokens);
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

    /// What people should know about how the tokenizer's files are understood, one sentence each, with the
    /// file; empty for most.
    public List<String> notices() {
        return tokenizer.notices();
    }

    /// Where the tokenizer was opened.
    public Path directory() {
        return directory;
    }
}
