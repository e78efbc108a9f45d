package io.github.sgpt4j.weightstools.hub;

/// A repository on a hub by name.
public sealed interface HubRepository permits HubModel, HubDataset {
    /// The branch used if none is named.
    String DEFAULT_REVISION = "main";

    /// User or organisation.
    String owner();

    /// Name of the repository.
    String name();

    /// A branch, a tag, or the hash of a commit.
    String revision();

    /// The same repository at another branch, tag or commit.
    ///
    /// @throws IllegalArgumentException if the revision is invalid
    HubRepository withRevision(String value);

    /// `OWNER/NAME`.
    default String id() {
        return owner() + "/" + name();
    }
}
