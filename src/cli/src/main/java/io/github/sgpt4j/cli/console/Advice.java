package io.github.sgpt4j.cli.console;

import java.util.List;

/// What the libraries' messages advise at their end, in terms of the command line: they name calls,
/// people here have verbs.
public final class Advice {
    /// @param call the end of a library's message
    /// @param verb the end of the message here
    private record Rule(String call, String verb) {}

    private static final List<Rule> RULES = List.of(
            new Rule("Model.scan finds broken weights", "sgpt inspect --scan finds broken weights"),
            new Rule("which Converter.convert of sgpt4j-weights-tools converts", "which sgpt convert converts"),
            new Rule("which Models.open of sgpt4j-weights-tools converts", "which sgpt convert converts"),
            new Rule(
                    "a search without an index looks at every document instead",
                    "sgpt search --corpus looks at every document instead"),
            new Rule(
                    "delete the directory and make the index again",
                    "delete the directory and make the index again with sgpt index --corpus CORPUS --index DIR"));

    private Advice() {}

    /// The message, with verbs where it ends with the name of a call.
    public static String inVerbs(String message) {
        for (Rule rule : RULES) {
            if (message.endsWith(rule.call())) {
                return message.substring(0, message.length() - rule.call().length()) + rule.verb();
            }
        }
        return message;
    }
}
