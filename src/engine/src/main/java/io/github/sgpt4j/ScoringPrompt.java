package io.github.sgpt4j;

import io.github.sgpt4j.inference.PairPrompt;
import io.github.sgpt4j.inference.PaperPrompt;
import io.github.sgpt4j.inference.PromptFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// A prompt of SGPT's cross-encoder, and what the softmax after it runs over: a template, one of the prompts
/// that were compared for SGPT's paper, or one from a file. Immutable.
///
/// Usually the score is the likelihood of the query after the prompt with the document. With [#choices], both
/// texts are in the prompt, and the score is log p of the first choice after it, by a softmax over the choices.
public final class ScoringPrompt {
    /// What a likelihood's softmax runs over.
    public enum Vocabulary {
        /// All rows of the model's output head. GPT-J's head has 50,400, of which its tokenizer's vocabulary
        /// uses 50,257.
        MODEL,
        /// The rows of the tokenizer's vocabulary, without added tokens. A query with a token beyond it is
        /// refused.
        TOKENIZER;

        /// The lower-case name.
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final PairPrompt prompt;

    private ScoringPrompt(PairPrompt prompt) {
        this.prompt = prompt;
    }

    /// A template for the likelihood of the query over the model's whole vocabulary.
    ///
    /// @throws IllegalArgumentException unless it contains `{}` exactly once, where the document goes
    public static ScoringPrompt of(String template) {
        return new ScoringPrompt(PairPrompt.of(template));
    }

    /// A prompt of the paper by its letter, from A to I. J to M need an example, so they are read from a file.
    ///
    /// @throws IllegalArgumentException if there is none, or it needs an example
    public static ScoringPrompt named(String letter) {
        return new ScoringPrompt(PaperPrompt.named(letter));
    }

    /// The letters of the paper's prompts, with those that need an example.
    public static List<String> names() {
        return PaperPrompt.letters();
    }

    /// Reads a prompt from a JSON file; src/docs/rerankers.md describes its keys.
    ///
    /// @throws io.github.sgpt4j.error.FormatException if the file is missing or broken, or has other keys
    public static ScoringPrompt read(Path file) {
        return new ScoringPrompt(PromptFile.read(file));
    }

    /// Its letter in the paper, its file's name, or the template itself.
    public String name() {
        return prompt.name();
    }

    /// The template, with `{}` once where the document goes, and with [#choices] another time for the query. An
    /// example that precedes it is not part of it.
    public String text() {
        return prompt.template().text();
    }

    /// The text of the example in front of prompts, with the answer that follows it; empty if there is none.
    public Optional<String> example() {
        return Optional.of(prompt.template().example()).filter(text -> !text.isEmpty());
    }

    /// The tokens that the softmax runs over, the one that counts first; empty for the query's likelihood.
    public List<String> choices() {
        return prompt.choices();
    }

    /// What a likelihood's softmax runs over; without effect if there are [#choices].
    public Vocabulary vocabulary() {
        return prompt.baseVocabulary() ? Vocabulary.TOKENIZER : Vocabulary.MODEL;
    }

    PairPrompt prompt() {
        return prompt;
    }

    /// What scores depend on, in addition to the text; nothing for a template alone.
    List<String> identity() {
        if (isPlain()) {
            return List.of();
        }
        List<String> parts = new ArrayList<>(
                List.of(prompt.template().example(), vocabulary().toString()));
        parts.addAll(prompt.choices());
        return parts;
    }

    /// Whether it is nothing but a template for the likelihood.
    private boolean isPlain() {
        return prompt.template().example().isEmpty() && prompt.choices().isEmpty() && !prompt.baseVocabulary();
    }

    /// Whether scores are the same as with another prompt, whatever its name.
    boolean scoresAs(ScoringPrompt other) {
        return text().equals(other.text()) && identity().equals(other.identity());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ScoringPrompt each && prompt.equals(each.prompt);
    }

    @Override
    public int hashCode() {
        return prompt.hashCode();
    }

    @Override
    public String toString() {
        return name();
    }
}
