package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.cli.console.Console;
import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/// README.md and the pages of `src/docs`: Java examples compile, commands are accepted, the list of options is
/// complete, and links have targets. The test is in this module because it sees all others that the pages describe.
class DocumentationTest {
    private static final Path ROOT = Path.of("..", "..");
    private static final Pattern JAVA = Pattern.compile("```java\\n(.*?)```", Pattern.DOTALL);
    private static final Pattern COMMAND = Pattern.compile("(?m)^\\$ (.*)$|`([^`\\n]*\\./(?:sgpt|mvnw) [^`]*)`");
    private static final Pattern SYNOPSIS = Pattern.compile("```\\n(sgpt .*?)\\n```", Pattern.DOTALL);
    private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|(\\S+)");
    private static final Pattern OPTION = Pattern.compile("(?<![\\w-])(?:--[a-z0-9-]+|-[a-z])\\b");

    private static final Path README = ROOT.resolve("README.md");
    private static final Path DOCS = ROOT.resolve("src/docs");

    /// Pages whose examples are compiled by `PageTest` of other modules, which have the libraries for them.
    private static final Set<String> COMPILED_ELSEWHERE = Set.of("langchain4j.md", "spring-ai.md");

    private static final Pattern LINK = Pattern.compile("\\]\\(([^)]+)\\)");
    private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.*)$");
    private static final int MAX_FRONT_PAGE_LINES = 150;

    /// The text of each page, README.md first.
    private static final Map<Path, String> PAGES = new LinkedHashMap<>();

    @TempDir
    private Path output;

    @BeforeAll
    static void read() throws IOException {
        PAGES.put(README, Files.readString(README));
        try (Stream<Path> files = Files.list(DOCS)) {
            for (Path file :
                    files.filter(f -> f.toString().endsWith(".md")).sorted().toList()) {
                PAGES.put(file, Files.readString(file));
            }
        }
    }

    private static String all() {
        return String.join("\n", PAGES.values());
    }

    /// Those of the page about Spring AI are compiled by `SpringAiPageTest`, in modules of both lines of Spring.
    @Test
    void javaExamplesCompile() {
        List<String> examples = PAGES.entrySet().stream()
                .filter(page ->
                        !COMPILED_ELSEWHERE.contains(page.getKey().getFileName().toString()))
                .flatMap(page -> JAVA.matcher(page.getValue()).results())
                .map(match -> match.group(1))
                .toList();
        assertTrue(examples.size() >= 6, () -> "only " + examples.size() + " Java examples");
        for (int i = 0; i < examples.size(); i++) {
            compile(examples.get(i), i);
        }
    }

    /// Compiles an example, which consists of imports and statements.
    private void compile(String code, int number) {
        String imports = code.lines().filter(line -> line.startsWith("import ")).collect(Collectors.joining("\n"));
        String body = code.lines().filter(line -> !line.startsWith("import ")).collect(Collectors.joining("\n"));
        String source =
                "%s%nclass Example%d { void run() throws Exception {%n%s%n} }%n".formatted(imports, number, body);
        JavaFileObject file =
                new SimpleJavaFileObject(
                        URI.create("string:///Example" + number + ".java"), JavaFileObject.Kind.SOURCE) {
                    @Override
                    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                        return source;
                    }
                };
        StringWriter messages = new StringWriter();
        List<String> options = List.of("-d", output.toString(), "-proc:none");
        boolean compiled = ToolProvider.getSystemJavaCompiler()
                .getTask(messages, null, null, options, null, List.of(file))
                .call();
        assertTrue(compiled, () -> messages + "\n" + source);
    }

    @Test
    void commandsAreAccepted() {
        List<List<String>> commands = commands(all(), "./sgpt");
        assertTrue(commands.size() >= 10, () -> "only " + commands);
        assertAll(commands.stream()
                .map(command -> () -> assertDoesNotThrow(
                        () -> commandLine().parseArgs(command.toArray(String[]::new)), command::toString)));
    }

    @Test
    void mavenCommandsNameWhatExists() {
        List<List<String>> commands = commands(all(), "./mvnw");
        assertTrue(commands.size() >= 3, () -> "only " + commands);
        for (List<String> command : commands) {
            Path module = ROOT.resolve(command.contains("-pl") ? command.get(command.indexOf("-pl") + 1) : ".");
            assertTrue(Files.exists(module.resolve("pom.xml")), command::toString);
            command.stream()
                    .filter(word -> word.startsWith("-Dtest="))
                    .map(word -> word.substring("-Dtest=".length()))
                    .forEach(test -> assertTrue(hasTest(module, test), () -> command + " names no test"));
        }
    }

    private static boolean hasTest(Path module, String name) {
        try (var files = Files.walk(module.resolve("src/test/java"))) {
            return files.anyMatch(file -> file.endsWith(name + ".java"));
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void theFirstCommandsAreTheOnesPromised() {
        String readme = page(README);
        assertEquals(
                List.of("search", "fear of spiders"), commands(readme, "./sgpt").getFirst());
        assertEquals(List.of("verify"), commands(readme, "./mvnw").getFirst());
        assertFalse(all().contains("TODO"), "a page is not finished");
    }

    private static String page(Path file) {
        return Objects.requireNonNull(PAGES.get(file), file::toString);
    }

    @Test
    void theFrontPageIsShortAndNamesEveryPage() {
        String readme = page(README);
        assertTrue(readme.lines().count() <= MAX_FRONT_PAGE_LINES);
        for (Path file : PAGES.keySet()) {
            if (!file.equals(README)) {
                assertTrue(readme.contains("(src/docs/" + file.getFileName() + ")"), () -> file + " is not linked");
            }
        }
    }

    @Test
    void linksLeadSomewhere() {
        Set<String> broken = new TreeSet<>();
        PAGES.forEach((file, text) -> LINK.matcher(text)
                .results()
                .map(link -> link.group(1))
                .filter(link -> !link.startsWith("https://") && !leadsSomewhere(file, link))
                .forEach(link -> broken.add(file + ": " + link)));
        assertEquals(Set.of(), broken);
    }

    /// Whether the target of a link, a file or a heading of a page, exists.
    private static boolean leadsSomewhere(Path from, String link) {
        int hash = link.indexOf('#');
        String file = hash < 0 ? link : link.substring(0, hash);
        Path target = file.isEmpty() ? from : from.resolveSibling(file).normalize();
        if (hash < 0 || !PAGES.containsKey(target)) {
            return Files.exists(target) && hash < 0;
        }
        return HEADING.matcher(page(target))
                .results()
                .map(heading -> anchor(heading.group(1)))
                .anyMatch(link.substring(hash + 1)::equals);
    }

    /// The anchor that GitHub derives from a heading.
    private static String anchor(String heading) {
        return heading.toLowerCase(Locale.ROOT).replaceAll("[^\\w\\- ]", "").replace(' ', '-');
    }

    @Test
    void theListOfOptionsIsWhole() {
        Map<String, Set<String>> listed = synopsis();
        Map<String, CommandLine> verbs = commandLine().getSubcommands();
        Set<String> common = listed.remove("common:");
        assertEquals(verbs.keySet(), listed.keySet());
        Set<String> unused = new TreeSet<>(common);
        verbs.forEach((verb, command) -> {
            Set<String> unknown = new TreeSet<>(listed.get(verb));
            for (List<String> names : options(command)) {
                assertTrue(
                        names.stream().anyMatch(name -> common.contains(name) || unknown.contains(name)),
                        () -> verb + " " + names + " is not listed");
                names.forEach(unknown::remove);
                names.forEach(unused::remove);
            }
            assertEquals(Set.of(), unknown, verb + " does not have these");
        });
        assertEquals(Set.of(), unused, "no verb has these");
    }

    /// The names of each option.
    private static List<List<String>> options(CommandLine command) {
        List<List<String>> options = new ArrayList<>();
        for (OptionSpec option : command.getCommandSpec().options()) {
            if (!option.hidden()) {
                options.add(List.of(option.names()));
            }
            if (!option.hidden() && option.negatable()) {
                options.add(List.of(option.longestName().replaceFirst("^--", "--no-")));
            }
        }
        return options;
    }

    /// The options of each verb, and the shared ones under `common:`.
    private static Map<String, Set<String>> synopsis() {
        MatchResult block = SYNOPSIS.matcher(page(DOCS.resolve("cli.md")))
                .results()
                .findFirst()
                .orElseThrow();
        Map<String, Set<String>> options = new TreeMap<>();
        String verb = "";
        for (String line : block.group(1).lines().toList()) {
            String[] words = line.strip().split("\\s+");
            if (!line.startsWith(" ")) {
                verb = words[0].equals("sgpt") ? words[1] : words[0];
            }
            Set<String> ofVerb = options.computeIfAbsent(verb, _ -> new TreeSet<>());
            OPTION.matcher(line).results().map(MatchResult::group).forEach(ofVerb::add);
        }
        return options;
    }

    /// The arguments of all commands that start with a program's name, except those that end in a placeholder.
    private static List<List<String>> commands(String pages, String program) {
        List<List<String>> commands = new ArrayList<>();
        COMMAND.matcher(pages).results().forEach(match -> {
            String text = match.group(1) != null ? match.group(1) : match.group(2);
            List<String> words = WORD.matcher(text)
                    .results()
                    .map(word -> word.group(1) != null ? word.group(1) : word.group(2))
                    .toList();
            int start = words.indexOf(program);
            if (start >= 0 && !text.endsWith(" MODE")) {
                commands.add(words.subList(start + 1, words.size()));
            }
        });
        return commands;
    }

    private static CommandLine commandLine() {
        return Main.commandLine(Console.ofProcess());
    }
}
