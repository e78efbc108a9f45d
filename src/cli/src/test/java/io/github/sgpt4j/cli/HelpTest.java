package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/// What help says, and that its examples are calls that the command accepts.
class HelpTest {
    private static final Pattern WORD = Pattern.compile("'([^']*)'|(\\S+)");

    static Stream<String> verbs() {
        return Main.commandLine().getSubcommands().keySet().stream().filter(verb -> !verb.equals("help"));
    }

    private static String help(String... arguments) {
        Cli.Result result = Cli.run(arguments);
        assertEquals(0, result.code(), result.err());
        assertEquals("", result.err());
        return result.text();
    }

    @ParameterizedTest
    @MethodSource("verbs")
    void helpOfAVerbIsReachedInEveryUsualWay(String verb) {
        String text = help(verb, "--help");
        assertTrue(text.startsWith("Usage: sgpt " + verb), text);
        assertEquals(text, help(verb, "-h"));
        assertEquals(text, help("help", verb));
    }

    @Test
    void helpOfTheCommandListsTheVerbs() {
        String text = help("--help");
        assertEquals(text, help("-h"));
        assertEquals(text, help("help"));
        verbs().forEach(verb -> assertTrue(text.contains("\n  " + verb), verb));
        assertEquals(help("--version"), help("-V"));
    }

    @Test
    void helpOfAnUnknownVerbIsAnError() {
        assertTrue(Cli.run("help", "nonsense").failure(2).startsWith("unknown verb \"nonsense\" (see "));
        assertTrue(Cli.run("help", "serch").failure(2).startsWith("unknown verb \"serch\"; did you mean search?"));
    }

    @ParameterizedTest
    @MethodSource("verbs")
    void examplesAreAccepted(String verb) {
        List<String> lines = help(verb, "--help").lines().toList();
        int heading = lines.indexOf("Examples:");
        assertTrue(heading > 0, "no examples of " + verb);
        List<String> examples = joined(lines.subList(heading + 1, lines.size())).stream()
                .filter(line -> line.startsWith("  sgpt " + verb))
                .toList();
        assertTrue(examples.size() >= 2, "fewer than two examples of " + verb);
        for (String example : examples) {
            List<String> words = words(example.split(" [|>] ", 2)[0]);
            CommandLine.ParseResult result =
                    Main.commandLine().parseArgs(words.subList(1, words.size()).toArray(String[]::new));
            assertEquals(verb, result.subcommand().commandSpec().name());
        }
    }

    /// Lines that the help had to break are one again.
    private static List<String> joined(List<String> lines) {
        List<String> whole = new ArrayList<>();
        for (String line : lines) {
            if (line.startsWith("  sgpt ") || whole.isEmpty() || line.isBlank()) {
                whole.add(line);
            } else {
                whole.set(whole.size() - 1, whole.getLast() + " " + line.strip());
            }
        }
        return whole;
    }

    private static List<String> words(String line) {
        List<String> words = new ArrayList<>();
        Matcher word = WORD.matcher(line);
        while (word.find()) {
            words.add(word.group(1) == null ? word.group(2) : word.group(1));
        }
        return words;
    }

    @ParameterizedTest
    @CsvSource({
        "similarity, ''",
        "inspection, inspect",
        "x, ''",
        "embd, embed",
        "Search, search",
        "tokenise, tokenize",
        "tok, tokenize",
        "idnex, index",
        "verfy, verify",
        "quit, ''"
    })
    void onlyWordsThatAreNearAreSuggested(String given, String expected) {
        assertEquals(
                expected,
                Spelling.nearest(given, Set.of("embed", "search", "tokenize", "index", "verify", "score", "inspect"))
                        .orElse(""));
    }
}
