package io.github.sgpt4j.cli.option;

import picocli.CommandLine.Option;

/// Options shared by `sgpt` itself and every verb.
public final class HelpOptions {
    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Print the version and exit.")
    private boolean version;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Print this help and exit.")
    private boolean help;
}
