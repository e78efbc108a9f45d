package io.github.sgpt4j.weightstools.hub;

import java.util.Optional;

/// A model on a hub by name: `OWNER/NAME`, or `OWNER/NAME@REVISION`. The rules for names are those of
/// the Python client.
///
/// @param owner user or organisation
/// @param name name of the repository
/// @param revision a branch, a tag, or the hash of a commit
public record HubModel(String owner, String name, String revision) implements HubRepository {
    /// @throws IllegalArgumentException if a part is not what hubs allow
    public HubModel {
        RepositoryName.require("model", owner, name, revision);
    }

    /// Reads `OWNER/NAME` or `OWNER/NAME@REVISION`.
    ///
    /// @return empty if the text has another form
    public static Optional<HubModel> parse(String text) {
        return RepositoryName.parse(text).map(parsed -> new HubModel(parsed.owner(), parsed.name(), parsed.revision()));
    }

    /// The same model at another branch, tag or commit.
    ///
    /// @throws IllegalArgumentException if the revision is invalid
    @Override
    public HubModel withRevision(String value) {
        return new HubModel(owner, name, value);
    }

    /// As a user would write it.
    @Override
    public String toString() {
        return RepositoryName.shown(this);
    }
}
