package io.github.sgpt4j.cli;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.sgpt4j.cli.option.Converters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/// `sgpt completion`: scripts that shells run.
class CompletionCommandTest {
    @TempDir
    private Path folder;

    private static String script(String shell) {
        Cli.Result result = Cli.run("completion", shell);
        assertEquals(0, result.code(), result.err());
        return result.text();
    }

    /// What bash offers for the last of some words.
    private Set<String> offered(String... words) throws IOException, InterruptedException {
        assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "there is no bash");
        Path file = folder.resolve("completion.bash");
        if (!Files.exists(file)) {
            Files.writeString(file, script("bash"));
        }
        String commands = """
                source %s
                COMP_WORDS=(%s)
                COMP_CWORD=%d
                COMP_LINE="${COMP_WORDS[*]}"
                COMP_POINT=${#COMP_LINE}
                function=$(complete -p sgpt)
                function=${function##*-F }
                ${function%%%% *}
                printf '%%s\\n' "${COMPREPLY[@]}"
                """.formatted(file, "sgpt " + String.join(" ", words), words.length);
        Process bash = new ProcessBuilder("/bin/bash", "-c", commands)
                // What is called for the interactive shell only says so there.
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String out = new String(bash.getInputStream().readAllBytes());
        assertEquals(0, bash.waitFor(), out);
        return new TreeSet<>(out.lines().map(String::strip).toList());
    }

    @Test
    void bashCompletesVerbsOptionsAndWords() throws IOException, InterruptedException {
        assertEquals(Set.of("embed"), offered("emb"));
        assertEquals(Set.of("--mode", "--model"), offered("search", "--mo"));
        assertEquals(Set.of("dense", "bm25", "hybrid"), offered("search", "--mode", "''"));
        assertEquals(Set.of("bash", "zsh", "fish"), offered("completion", "''"));
        Path file = Files.createFile(folder.resolve("queries.txt"));
        assertEquals(Set.of(file.toString()), offered("search", "--input", folder + "/que"));
    }

    /// Bash divides words at "=", unless its settings say otherwise.
    @Test
    void bashCompletesBehindAnEqualsSign() throws IOException, InterruptedException {
        Set<String> modes = Set.of("dense", "bm25", "hybrid");
        assertEquals(modes, offered("search", "--mode", "="));
        assertEquals(Set.of("dense"), offered("search", "--mode", "=", "d"));
        assertEquals(Set.of("text", "query", "document"), offered("embed", "--format", "=", "npy", "--as", "="));
        assertEquals(Set.of("--mode", "--model"), offered("search", "--where", "=", "a", "--mo"));
        assertEquals(Set.of("--mode=dense", "--mode=bm25", "--mode=hybrid"), offered("search", "--mode="));
        assertEquals(Set.of("--mode=hybrid"), offered("search", "--mode=hy"));
        Path file = Files.createFile(folder.resolve("queries.txt"));
        assertEquals(Set.of(file.toString()), offered("search", "--input", "=", folder + "/que"));
        assertEquals(Set.of("--input=" + file), offered("search", "--input=" + folder + "/que"));
    }

    @Test
    void everyOptionWithWordsIsCompletedBehindAnEqualsSign() throws IOException, InterruptedException {
        int options = 0;
        for (CommandLine verb : Main.commandLine().getSubcommands().values()) {
            for (OptionSpec option : verb.getCommandSpec().options()) {
                Set<String> words = Set.copyOf(Converters.words(option));
                if (!words.isEmpty() && option.longestName().startsWith("--")) {
                    assertEquals(
                            words,
                            offered(verb.getCommandName(), option.longestName(), "="),
                            () -> verb.getCommandName() + " " + option.longestName());
                    options++;
                }
            }
        }
        assertTrue(options > 10, "found only " + options);
    }

    @Test
    void wordsAreThoseThatOptionsAccept() throws Exception {
        for (CommandLine verb : Main.commandLine().getSubcommands().values()) {
            for (OptionSpec option : verb.getCommandSpec().options()) {
                for (String word : Converters.words(option)) {
                    for (CommandLine.ITypeConverter<?> converter : option.converters()) {
                        assertDoesNotThrow(() -> converter.convert(word), option.longestName());
                    }
                }
            }
        }
        assertEquals(Set.of("bitfit", "bitfit+wte", "full", "lora"), offered("train", "--method", "''"));
    }

    @Test
    void fishKnowsVerbsOptionsAndWords() {
        List<String> lines = script("fish").lines().toList();
        assertTrue(lines.stream()
                .allMatch(line -> line.startsWith("complete -c sgpt -f")
                        || line.startsWith("complete -c sgpt -n ")
                        || line.startsWith("#")));
        assertTrue(lines.stream().anyMatch(line -> line.contains("__fish_use_subcommand -a embed -d 'Embed")));
        assertTrue(lines.stream()
                .anyMatch(line ->
                        line.contains("'__fish_seen_subcommand_from search' -l mode -x -a 'dense bm25 hybrid'")));
        assertTrue(
                lines.stream().anyMatch(line -> line.contains("'__fish_seen_subcommand_from index' -l index -r -F")));
    }

    @Test
    void refusesAnotherShell() {
        String failure = Cli.run("completion", "tcsh").failure(2);
        assertTrue(failure.contains("expected bash, zsh or fish, got \"tcsh\""), failure);
    }
}
