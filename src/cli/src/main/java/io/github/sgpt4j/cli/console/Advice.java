package io.github.sgpt4j.cli.console;

import java.util.List;

/// Translates the advice at the end of the libraries' messages: the libraries name calls, the command line names its
/// verbs.
public final class Advice {
    /// @param call the end of a library's message
    /// @param verb the end of the message here
    private record Rule(String call, String verb) {}

    private static final List<Rule> RULES = List.of(
            new Rule("Model.scan finds broken weights", "sgpt inspect --scan finds broken weights"),
            new Rule("so it does not embed: use CrossEncoder", "so it does not embed: use sgpt score"),
            new Rule("which Converter.convert of sgpt4j-weights-tools converts", "which sgpt convert converts"),
            new Rule("which Models.open of sgpt4j-weights-tools converts", "which sgpt convert converts"),
            new Rule(
                    "a search without an index compares every document instead",
                    "sgpt search --corpus compares every document instead"),
            new Rule("merge with another type (BF16 or F32)", "merge with another type (--dtype bf16 or fp32)"),
            new Rule("or continue with TrainingRun.resume", "or continue with --resume"),
            new Rule("expected its folder, got none", "name it with --base-model"),
            new Rule("or merge them with ShardMerge", "or merge them with sgpt index --merge"),
            new Rule("trains, use full", "trains, use --method full"),
            new Rule("a lower learning rate, or clean data, may help", "a lower --lr, or clean data, may help"),
            new Rule(
                    "delete the directory and make the index again",
                    "delete the directory and make the index again with sgpt index --corpus CORPUS --index DIR"));

    private Advice() {}

    /// The message, with a verb in place of a call at its end.
    public static String inVerbs(String message) {
        for (Rule rule : RULES) {
            if (message.endsWith(rule.call())) {
                return message.substring(0, message.length() - rule.call().length()) + rule.verb();
            }
        }
        return message;
    }
}
