package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.cli.console.Console;
import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.cli.option.HelpOptions;
import io.github.sgpt4j.cli.option.VersionProvider;
import io.github.sgpt4j.cli.output.Output;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `sgpt completion`: prints a script that completes verbs, options and their words in a shell.
@Command(
        name = "completion",
        versionProvider = VersionProvider.class,
        description = "Print the completion script of a shell: verbs, options and their words.",
        footer = {
            "",
            "bash:  source <(sgpt completion bash)",
            "zsh:   source <(sgpt completion zsh)     after: autoload -Uz compinit && compinit",
            "fish:  sgpt completion fish | source",
            "",
            "Examples:",
            "  sgpt completion bash > ~/.local/share/bash-completion/completions/sgpt",
            "  sgpt completion fish > ~/.config/fish/completions/sgpt.fish"
        })
public final class CompletionCommand implements Callable<Integer> {
    /// Shells that a script can be printed for.
    public enum Shell {
        BASH,
        ZSH,
        FISH
    }

    private final Console console;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private HelpOptions help = new HelpOptions();

    @Parameters(paramLabel = "SHELL", description = "bash, zsh or fish.")
    private Shell shell = Shell.BASH;

    public CompletionCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        CommandSpec root = spec.root();
        String script = switch (shell) {
            case BASH, ZSH -> {
                root.subcommands().values().forEach(line -> offerWords(line.getCommandSpec()));
                yield BashCompletion.of(root);
            }
            case FISH -> FishCompletion.of(root);
        };
        try (Output out = Output.open(console, Optional.empty())) {
            out.stream().write(script.getBytes(StandardCharsets.UTF_8));
            out.finish();
        }
        return 0;
    }

    /// Completes words as this command writes them, and files. picocli would offer the names of constants, knows files
    /// by the type of an option, and keeps words by labels, which must differ.
    private static void offerWords(CommandSpec verb) {
        for (OptionSpec option : List.copyOf(verb.options())) {
            List<String> words = Converters.words(option);
            if (!words.isEmpty()) {
                verb.remove(option)
                        .addOption(OptionSpec.builder(option)
                                .paramLabel(option.longestName())
                                .completionCandidates(words)
                                .build());
            } else if (FishCompletion.isFile(option)) {
                verb.remove(option)
                        .addOption(OptionSpec.builder(option.names())
                                .arity(option.arity())
                                .type(Path.class)
                                .build());
            }
        }
        for (PositionalParamSpec parameter : List.copyOf(verb.positionalParameters())) {
            List<String> words = Converters.words(parameter);
            if (!words.isEmpty()) {
                verb.remove(parameter)
                        .addPositional(PositionalParamSpec.builder(parameter)
                                .completionCandidates(words)
                                .build());
            } else if (FishCompletion.isFile(parameter)) {
                verb.remove(parameter)
                        .addPositional(PositionalParamSpec.builder()
                                .index(parameter.index())
                                .arity(parameter.arity())
                                .type(Path.class)
                                .build());
            }
        }
    }
}
