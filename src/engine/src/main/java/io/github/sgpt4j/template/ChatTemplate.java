package io.github.sgpt4j.template;

import java.util.List;
import java.util.Map;

/// A chat template in Jinja: text with expressions, conditions and loops over messages, as the files of language
/// models have it. Only the part of Jinja that such templates use is understood; anything else is refused by
/// name and line. No code runs, and time and memory are bounded. Immutable and safe to share between threads.
public final class ChatTemplate {
    /// Maximum characters of a text, also of the result.
    private static final int MAX_LENGTH = 1 << 26;

    private final TemplateFailure failure;
    private final List<Statement> statements;

    private ChatTemplate(TemplateFailure failure, List<Statement> statements) {
        this.failure = failure;
        this.statements = statements;
    }

    /// Parses a template.
    ///
    /// @param source names it in messages
    /// @throws io.github.sgpt4j.error.SgptException if it is broken, or uses more of Jinja than is understood
    public static ChatTemplate parse(String text, String source) {
        TemplateFailure failure = new TemplateFailure(source);
        return new ChatTemplate(failure, TemplateParser.parse(text, failure));
    }

    /// The template's text with these variables.
    ///
    /// @param variables strings, [Long], [Double], [Boolean], and lists and maps of them
    /// @throws io.github.sgpt4j.error.SgptException if it refuses the variables or does not suit them, uses more
    ///     than is understood, or takes too long
    public String render(Map<String, Object> variables) {
        return new Evaluation(failure, MAX_LENGTH, characters(variables)).render(statements, variables);
    }

    private static long characters(Object value) {
        return switch (value) {
            case String text -> text.length();
            case List<?> list ->
                list.stream().mapToLong(ChatTemplate::characters).sum();
            case Map<?, ?> map ->
                map.values().stream().mapToLong(ChatTemplate::characters).sum();
            default -> 1;
        };
    }
}
