package io.github.sgpt4j.cli.command;

import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.cli.option.Converters;
import io.github.sgpt4j.retrieval.corpus.CorpusReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Option;

/// Which parts of a corpus are metadata.
public final class CorpusOptions {
    public static final String METADATA_FIELDS = "--metadata-fields";

    @Option(
            names = METADATA_FIELDS,
            paramLabel = "NAME",
            split = ",",
            converter = Converters.ListedName.class,
            description = "Keys in the objects of a .jsonl corpus whose values become metadata, such as year,lang,"
                    + " besides those under \"metadata\".")
    private List<String> metadataFields = new ArrayList<>();

    /// The names of keys that were given.
    public Set<String> metadataFields() {
        return Set.copyOf(metadataFields);
    }

    /// Opens a corpus. The caller closes it.
    ///
    /// @throws picocli.CommandLine.ParameterException if keys are named twice, or the corpus can have none
    public CorpusReader open(ModelCommand command, String corpus) throws IOException {
        Set<String> names = new HashSet<>();
        for (String name : metadataFields) {
            if (!names.add(name)) {
                throw command.usage("%s: expected each name once, got \"%s\" again".formatted(METADATA_FIELDS, name));
            }
        }
        try {
            return CorpusReader.open(TextInput.path(corpus), metadataFields);
        } catch (IllegalArgumentException e) {
            throw command.usage("%s: %s".formatted(METADATA_FIELDS, e.getMessage()));
        }
    }
}
