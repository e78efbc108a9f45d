package io.github.sgpt4j.weightstools.hub;

import java.util.Optional;

/// A dataset on a hub by name: `OWNER/NAME`, or `OWNER/NAME@REVISION`. The rules for names are those of
/// the Python client.
///
/// @param owner user or organisation
/// @param name name of the repository
/// @param revision a branch, a tag, or the hash of a commit
public record HubDataset(String owner, String name, String revision) implements HubRepository {
    /// @throws IllegalArgumentException if a part is not what hubs allow
    public HubDataset {
        RepositoryName.require("dataset", owner, name, revision);
    }

    /// Reads `OWNER/NAME` or `OWNER/NAME@REVISION`.
    ///
    /// @return empty if the text has another form
    public static Optional<HubDataset> parse(String text) {
        return RepositoryName.parse(text)
                .map(parsed -> new HubDataset(parsed.owner(), parsed.name(), parsed.revision()));
    }

    @Override
    public HubDataset withRevision(String value) {
        return new HubDataset(owner, name, value);
    }

    /// As a user would write it.
    @Override
    public String toString() {
        return RepositoryName.shown(this);
    }
}
