package io.github.sgpt4j.weightstools.store;

import io.github.sgpt4j.weightstools.ModelsListener;
import io.github.sgpt4j.weightstools.hub.Hub;
import io.github.sgpt4j.weightstools.hub.HubDataset;
import io.github.sgpt4j.weightstools.hub.HubException;
import io.github.sgpt4j.weightstools.hub.HubOptions;
import io.github.sgpt4j.weightstools.hub.HubRepository;
import io.github.sgpt4j.weightstools.hub.HubSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// Finds collections for evaluations by their names on a hub.
///
/// @param environment environment variables, which configure hub and cache
/// @param options how to download
/// @param listener reports downloads
public record DatasetStore(Map<String, String> environment, HubOptions options, ModelsListener listener) {
    private static final String QRELS = "-qrels";

    public DatasetStore {
        environment = Map.copyOf(environment);
    }

    /// A collection in the cache.
    ///
    /// @param directory has corpus and queries
    /// @param qrels has the judgements, a file for each split
    /// @param source the repositories with their commits, for reports
    public record Collection(Path directory, Path qrels, String source) {}

    /// The snapshot of a dataset, which is downloaded unless it is in the cache. If it has no folder
    /// `qrels`, judgements are those of the repository `NAME-qrels` of the same owner, as with BEIR's own
    /// datasets.
    ///
    /// @throws IOException if the hub refuses or cannot be reached, or the cache cannot be read or
    ///     written
    /// @throws io.github.sgpt4j.error.FormatException if it is not a collection
    public Collection find(HubDataset dataset) throws IOException {
        Path directory = get(dataset);
        String source = source(dataset, directory);
        Path qrels = directory.resolve("qrels");
        if (Files.isDirectory(qrels)) {
            return new Collection(directory, qrels, source);
        }
        HubDataset judgements = new HubDataset(dataset.owner(), dataset.name() + QRELS, HubRepository.DEFAULT_REVISION);
        try {
            Path separate = get(judgements);
            return new Collection(directory, separate, source + ", " + source(judgements, separate));
        } catch (HubException e) {
            throw new HubException(
                    "%s has no folder qrels, and its judgements cannot be read from %s: %s"
                            .formatted(dataset, judgements, e.getMessage()),
                    e);
        }
    }

    private static String source(HubDataset dataset, Path snapshot) {
        return dataset.id() + "@" + snapshot.getFileName();
    }

    private Path get(HubDataset dataset) throws IOException {
        HubSettings settings;
        try {
            settings = HubSettings.of(environment);
        } catch (IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e);
        }
        try {
            return new Hub(settings).get(dataset, options, DownloadReports.to(listener));
        } finally {
            listener.finished();
        }
    }
}
