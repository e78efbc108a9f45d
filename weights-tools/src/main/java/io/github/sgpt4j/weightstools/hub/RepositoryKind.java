package io.github.sgpt4j.weightstools.hub;

import java.io.IOException;
import java.util.Set;

/// What models and datasets have in common on a hub, and where they differ.
enum RepositoryKind {
    MODEL("model", "models", ""),
    DATASET("dataset", "datasets", "/datasets");

    private final String noun;
    private final String plural;
    private final String prefix;

    RepositoryKind(String noun, String plural, String prefix) {
        this.noun = noun;
        this.plural = plural;
        this.prefix = prefix;
    }

    static RepositoryKind of(HubRepository repository) {
        return switch (repository) {
            case HubModel model -> MODEL;
            case HubDataset dataset -> DATASET;
        };
    }

    /// For messages.
    String noun() {
        return noun;
    }

    /// The path of the hub's interface to a repository.
    String api(HubRepository repository) {
        return "/api/%s/%s".formatted(plural, repository.id());
    }

    /// The path of a repository's pages and files.
    String page(HubRepository repository) {
        return prefix + "/" + repository.id();
    }

    /// A repository's folder in a cache.
    String folder(HubRepository repository) {
        return "%s--%s--%s".formatted(plural, repository.owner(), repository.name());
    }

    /// The files that are read.
    ///
    /// @throws IOException as [NeededFiles#in] and [DatasetFiles#in]
    Set<String> files(HubRepository repository, NeededFiles.Repository contents) throws IOException {
        return switch (this) {
            case MODEL -> NeededFiles.in(repository.id(), contents);
            case DATASET -> DatasetFiles.in(repository.id(), contents);
        };
    }
}
