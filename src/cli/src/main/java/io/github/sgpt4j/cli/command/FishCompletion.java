package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.cli.option.Converters;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/// The completion script for fish, in the form of fish's `complete` command. picocli itself writes scripts for bash and
/// zsh only.
final class FishCompletion {
    private static final Pattern FILES = Pattern.compile("\\b(FILE|DIR|MODEL|SRC|DST)\\b");

    private final String name;

    private FishCompletion(String name) {
        this.name = name;
    }

    /// The script for a command with its verbs.
    static String of(CommandSpec root) {
        return new FishCompletion(root.name()).script(root);
    }

    private String script(CommandSpec root) {
        StringBuilder script = new StringBuilder("# Completion of %s for fish.%n".formatted(name));
        // Texts and model names are no files; options whose value is a file say so below.
        script.append("complete -c %s -f%n".formatted(name));
        root.options().forEach(option -> append(script, "__fish_use_subcommand", option));
        root.subcommands().forEach((verb, line) -> append(script, verb, line));
        return script.toString();
    }

    private void append(StringBuilder script, String verb, CommandLine line) {
        CommandSpec spec = line.getCommandSpec();
        script.append("complete -c %s -n __fish_use_subcommand -a %s -d %s%n"
                .formatted(name, verb, quoted(firstLine(spec.usageMessage().description()))));
        String seen = "__fish_seen_subcommand_from " + verb;
        if (spec.positionalParameters().stream().anyMatch(FishCompletion::isFile)) {
            script.append("complete -c %s -n %s -F%n".formatted(name, quoted(seen)));
        }
        spec.positionalParameters().stream()
                .flatMap(parameter -> Converters.words(parameter).stream())
                .forEach(word ->
                        script.append("complete -c %s -n %s -a %s%n".formatted(name, quoted(seen), quoted(word))));
        spec.options().forEach(option -> append(script, seen, option));
    }

    private void append(StringBuilder script, String condition, OptionSpec option) {
        if (option.hidden()) {
            return;
        }
        script.append("complete -c %s -n %s%s".formatted(name, quoted(condition), names(option)));
        if (option.arity().max() > 0) {
            List<String> words = Converters.words(option);
            script.append(isFile(option) ? " -r -F" : " -x");
            if (!words.isEmpty()) {
                script.append(" -a ").append(quoted(String.join(" ", words)));
            }
        }
        script.append(" -d %s%n".formatted(quoted(firstLine(option.description()))));
    }

    /// Whether a value may be a file or a folder. Many are read as text first, so their labels say it.
    static boolean isFile(ArgSpec argument) {
        return argument.auxiliaryTypes()[0] == Path.class
                || FILES.matcher(argument.paramLabel()).find();
    }

    private static String names(OptionSpec option) {
        return Stream.of(option.names())
                .map(given -> given.startsWith("--") ? " -l " + given.substring(2) : " -s " + given.substring(1))
                .collect(Collectors.joining());
    }

    private static String firstLine(String[] description) {
        return description.length == 0 ? "" : description[0].replace("%n", " ").replace("%%", "%");
    }

    private static String quoted(String text) {
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'";
    }
}
