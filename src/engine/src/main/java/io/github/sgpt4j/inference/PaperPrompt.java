package io.github.sgpt4j.inference;

import io.github.sgpt4j.text.Quoted;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The prompts of SGPT's cross-encoder that were compared for its paper (Muennighoff 2022, arXiv 2202.08904), by
/// their letters there; texts from the reference implementation's notebook.
public enum PaperPrompt {
    A("{} "),
    B("{}\n"),
    C("Document:\n{}\n\nQuery:\n"),
    D("Body:{}\n\nTitle:\n"),
    E("selected document:\n{}\n\nrelevant query:\n"),
    F("The selected text is:\n{}\n\nThe relevant query is:\n"),
    G(PromptTemplate.DEFAULT.text()),
    H(
            "Documents are searched to find matches with the same content.\nDocument: \"{}\"\n\nThe above document is a good match for the query: \""),
    I("# Get matching document and query with the same content\nget_document()\n{}\nget_query_matching_document()\n\""),
    J(
            "Document:\n{}\nQuery:\n",
            "Documents are searched to find matches with the same content.\nDocument:\n{}\nQuery:\n{}\n"),
    K("Document:\n{}\nQuery:\n", "Document:\n{}\nQuery:\n{}\n"),
    L("\nDocument: {}\nQuery: {}\nBot:", PaperPrompt.BOT + "\n###\nDocument: {}\nQuery: {}\nBot:", " Yes", " No"),
    M("\nDocument: {}\nQuery: {}\nBot: ", PaperPrompt.BOT + "\n###\nDocument: {}\nQuery: {}\nBot: ", "Yes", "No");

    private static final String BOT =
            "An intelligent, helpful bot is given. The bot responds \"Yes\" if the document is a fit to the query and \"No\" otherwise.";

    private final String template;
    private final Optional<String> start;
    private final List<String> choices;

    PaperPrompt(String template) {
        this.template = template;
        start = Optional.empty();
        choices = List.of();
    }

    PaperPrompt(String template, String start, String... choices) {
        this.template = template;
        this.start = Optional.of(start);
        this.choices = List.of(choices);
    }

    /// The template, with `{}` for the document, and if there are [#choices] another one for the query.
    String template() {
        return template;
    }

    /// The template of the example, with `{}` for its document and its query; empty if there is no example.
    Optional<String> start() {
        return start;
    }

    /// The tokens that the softmax runs over; empty for the query's likelihood.
    List<String> choices() {
        return choices;
    }

    /// The prompt with a letter, if it is one.
    static Optional<PaperPrompt> find(String letter) {
        return Stream.of(values()).filter(each -> each.name().equals(letter)).findFirst();
    }

    /// The letter of a template without an example, if it is one of the paper's.
    static Optional<String> letter(String template) {
        return Stream.of(values())
                .filter(each -> each.start.isEmpty() && each.template.equals(template))
                .map(PaperPrompt::name)
                .findFirst();
    }

    /// The letters of all prompts.
    public static List<String> letters() {
        return Arrays.stream(values()).map(PaperPrompt::name).toList();
    }

    /// The prompt with a letter.
    ///
    /// @throws IllegalArgumentException if there is none, or it needs an example
    public static PairPrompt named(String letter) {
        PaperPrompt found = find(letter)
                .orElseThrow(() -> new IllegalArgumentException(
                        "prompt: expected a letter from A to M, got %s".formatted(Quoted.of(letter))));
        if (found.start.isPresent()) {
            throw new IllegalArgumentException(
                    "prompt %s needs an example: expected a JSON file with \"prompt\": \"%s\" and \"example\""
                            .formatted(letter, letter));
        }
        return PairPrompt.of(found.template);
    }
}
