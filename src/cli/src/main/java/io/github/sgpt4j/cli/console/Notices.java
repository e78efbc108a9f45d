package io.github.sgpt4j.cli.console;

/// What users are told besides results, as `--quiet` and `--strict` ask.
///
/// @param console receives them
/// @param quiet whether they are left out
/// @param strict whether those about a checkpoint, texts or metadata are errors
public record Notices(Console console, boolean quiet, boolean strict) {
    /// Prints a notice, unless `--quiet` is given.
    public void say(String line) {
        if (!quiet) {
            console.say(line);
        }
    }

    /// Prints a notice about a checkpoint, texts or metadata that may change results; an error with `--strict`.
    public void sayOfCheckpoint(String line) {
        if (strict) {
            throw new CliException("%s (an error with --strict)".formatted(line));
        }
        say(line);
    }
}
