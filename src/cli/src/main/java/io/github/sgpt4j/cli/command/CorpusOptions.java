package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.cli.console.CliException;
import io.github.sgpt4j.cli.console.PdfLog;
import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.documents.FolderListener;
import io.github.sgpt4j.documents.FolderOptions;
import io.github.sgpt4j.documents.FolderReport;
import io.github.sgpt4j.retrieval.corpus.CorpusReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Option;

/// How a corpus is read: a file or a folder in BEIR's layout by [CorpusReader], any other folder by
/// [io.github.sgpt4j.documents.FolderReader].
public final class CorpusOptions {
    public static final String METADATA_FIELDS = "--metadata-fields";
    public static final String VERBOSE = "--verbose";

    @Option(
            names = METADATA_FIELDS,
            paramLabel = "NAME",
            split = ",",
            converter = Converters.ListedName.class,
            description = "Keys in the objects of a .jsonl corpus whose values become metadata, such as year,lang,"
                    + " besides those under \"metadata\"; in a directory, of .json files and columns of tables too.")
    private List<String> metadataFields = new ArrayList<>();

    @Option(
            names = VERBOSE,
            description =
                    "Name each file of a directory that is passed over, cannot be read, or was hard to understand.")
    private boolean verbose;

    /// The names of keys that were given.
    public Set<String> metadataFields() {
        return Set.copyOf(metadataFields);
    }

    /// Whether a corpus is a folder of any files.
    public static boolean isFolder(String corpus) {
        Path path = TextInput.path(corpus);
        return Files.isDirectory(path) && !CorpusReader.isBeirFolder(path);
    }

    /// Opens a corpus that is no folder of any files. The caller closes it.
    ///
    /// @throws picocli.CommandLine.ParameterException if keys are named twice, or the corpus can have none
    public CorpusReader open(ModelCommand command, String corpus) throws IOException {
        requireOnce(command);
        command.refuse("with a corpus that is no directory of files", VERBOSE);
        try {
            return CorpusReader.open(TextInput.path(corpus), metadataFields);
        } catch (IllegalArgumentException e) {
            throw command.usage("%s: %s".formatted(METADATA_FIELDS, e.getMessage()));
        }
    }

    /// How a folder of any files is read.
    ///
    /// @throws picocli.CommandLine.ParameterException if keys are named twice
    public FolderOptions folder(ModelCommand command) {
        requireOnce(command);
        // Text needs no window system, nor what PDFBox would look for in the user's home.
        System.setProperty("java.awt.headless", "true");
        PdfLog.silence();
        return FolderOptions.DEFAULT.withMetadataFields(metadataFields).withSystemFonts(false);
    }

    /// Prints each file that is not read, with `--verbose`; with `--strict`, the first that fails is an error.
    public FolderListener listener(ModelCommand command) {
        return new FolderListener() {
            @Override
            public void passedOver(String name, String reason) {
                say(name, "passed over: " + reason);
            }

            @Override
            public void failed(String name, String reason) {
                if (command.common().strict()) {
                    throw new CliException("%s: %s (an error with --strict)".formatted(name, reason));
                }
                say(name, "failed: " + reason);
            }

            @Override
            public void told(String name, String sentence) {
                say(name, sentence);
            }

            private void say(String name, String sentence) {
                if (verbose) {
                    command.notice("%s: %s".formatted(name, sentence));
                }
            }
        };
    }

    /// Prints what became of the files of a folder.
    public void report(ModelCommand command, String folder, FolderReport report) {
        if (!verbose) {
            report.notices().forEach(command::notice);
        }
        command.notice("%s: %s".formatted(folder, report.sentence()));
    }

    private void requireOnce(ModelCommand command) {
        Set<String> names = new HashSet<>();
        for (String name : metadataFields) {
            if (!names.add(name)) {
                throw command.usage("%s: expected each name once, got \"%s\" again".formatted(METADATA_FIELDS, name));
            }
        }
    }
}
