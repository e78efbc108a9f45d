package io.github.sgpt4j.cli.eval;

import io.github.sgpt4j.cli.input.TextInput;
import io.github.sgpt4j.cli.model.ModelProgress;
import io.github.sgpt4j.retrieval.evaluation.BeirAverage;
import io.github.sgpt4j.retrieval.evaluation.BeirDataset;
import io.github.sgpt4j.weightstools.hub.HubDataset;
import io.github.sgpt4j.weightstools.hub.HubException;
import io.github.sgpt4j.weightstools.hub.HubOptions;
import io.github.sgpt4j.weightstools.store.DatasetStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Finds the collections of `--data`: folders, or datasets of a hub.
final class EvalSources {
    /// CQADupStack's forums, each a dataset `cqadupstack-FORUM` on the hub.
    private static final List<String> FORUMS = List.of(
            "android",
            "english",
            "gaming",
            "gis",
            "mathematica",
            "physics",
            "programmers",
            "stats",
            "tex",
            "unix",
            "webmasters",
            "wordpress");

    private static final String CQADUPSTACK = "cqadupstack";

    private final EvalCommand command;
    private final EvalOptions options;

    EvalSources(EvalCommand command, EvalOptions options) {
        this.command = command;
        this.options = options;
    }

    /// A collection with its parts, read but not searched.
    ///
    /// @param name as tables show it
    /// @param split whose judgements are used
    /// @param source where it came from, if not from a folder
    /// @param parts itself, or its forums
    record Collection(String name, String split, Optional<String> source, List<BeirDataset> parts) {
        boolean isDivided() {
            return parts.size() > 1;
        }
    }

    /// Opens a collection.
    ///
    /// @param given a folder, or `OWNER/NAME` of a dataset
    /// @throws IOException if nothing has that name, the hub refuses or cannot be reached, or a file
    ///     cannot be read
    Collection open(String given) throws IOException {
        Path path = TextInput.path(given);
        Optional<HubDataset> dataset = HubDataset.parse(given);
        if (dataset.isPresent() && !Files.exists(path)) {
            return ofHub(given, dataset.get());
        }
        if (dataset.isPresent() && given.matches("(?i)(beir|mteb)/.*")) {
            command.notice("%s: using the folder of that name, not the hub's dataset".formatted(given));
        }
        String name = String.valueOf(path.toAbsolutePath().normalize().getFileName());
        String split = options.split(name);
        return new Collection(name, split, Optional.empty(), BeirDataset.openAll(path, split));
    }

    private Collection ofHub(String given, HubDataset dataset) throws IOException {
        String split = options.split(dataset.name());
        List<BeirDataset> parts = new ArrayList<>();
        List<String> sources = new ArrayList<>();
        boolean forums = dataset.name().toLowerCase(Locale.ROOT).equals(CQADUPSTACK);
        try {
            for (String part : forums ? FORUMS : List.of("")) {
                HubDataset one = forums
                        ? new HubDataset(dataset.owner(), CQADUPSTACK + "-" + part, dataset.revision())
                        : dataset;
                DatasetStore.Collection found = store().find(one);
                sources.add(found.source());
                parts.add(BeirDataset.open(forums ? part : dataset.name(), found.directory(), found.qrels(), split));
            }
        } catch (HubException e) {
            throw new HubException("%s; nor is there a folder %s".formatted(e.getMessage(), given), e);
        }
        String source = String.join(", ", sources);
        command.notice("%s: %s".formatted(dataset.name(), source));
        return new Collection(dataset.name(), split, Optional.of(source), parts);
    }

    private DatasetStore store() {
        return new DatasetStore(
                command.console().environment(),
                HubOptions.DEFAULT.withStrict(command.common().strict()),
                new ModelProgress(command.console(), command.common().quiet()));
    }

    /// Whether a collection is one of BEIR's, evaluated and divided as BEIR does.
    static boolean isAsInBeir(Collection collection) {
        boolean whole = !collection.name().equalsIgnoreCase(CQADUPSTACK)
                || collection.parts().size() == FORUMS.size();
        return whole
                && BeirAverage.isBeir(collection.name())
                && collection.split().equals(BeirAverage.split(collection.name()));
    }
}
