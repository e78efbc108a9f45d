package io.github.sgpt4j.cli.eval;

import io.github.sgpt4j.cli.option.VersionProvider;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;

/// What is needed to repeat a command.
///
/// @param command as a shell would take it
/// @param time when it was started
record Reproduction(String command, Instant time) {
    static Reproduction of(CommandSpec spec) {
        // They start with the verb.
        List<String> arguments = spec.commandLine().getParseResult().originalArgs();
        String words = arguments.stream().map(Reproduction::quoted).collect(Collectors.joining(" "));
        return new Reproduction(
                "%s %s".formatted(spec.root().name(), words), Instant.now().truncatedTo(ChronoUnit.SECONDS));
    }

    private static String quoted(String argument) {
        return argument.matches("[\\w@%+=:,./-]+") ? argument : "'" + argument.replace("'", "'\\''") + "'";
    }

    /// Names and values for reports.
    Map<String, String> facts() {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("command", command);
        facts.put("time", time.toString());
        facts.put("sgpt", VersionProvider.version());
        facts.put("java", Runtime.version().toString());
        facts.put("system", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        return facts;
    }
}
