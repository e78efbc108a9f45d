package io.github.sgpt4j.cli.option;

import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Options shared by all verbs.
public final class QuietOptions {
    @Option(names = "--quiet", description = "No progress and no notices on stderr, only errors.")
    private boolean quiet;

    @Mixin
    private HelpOptions help = new HelpOptions();

    public boolean quiet() {
        return quiet;
    }
}
