package io.github.sgpt4j.retrieval;

import io.github.sgpt4j.Similarity;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What a check of an index found.
///
/// @param path of the index, or of the folder of shards
/// @param model the model it says it was made with; this and the next two are empty if what it says
///     about itself cannot be read
/// @param similarity how it compares embeddings
/// @param options what it was made with
/// @param checks one of each kind, in the order of [Kind]; [Kind#SHARDS] only of a folder of shards, of
///     which the others are about every shard
public record IndexReport(
        Path path,
        Optional<ModelIdentity> model,
        Optional<Similarity> similarity,
        Optional<IndexOptions> options,
        List<Check> checks) {
    private static final String SHARDS_REMEDY = "put a sound copy of the shard there, or write the folder again";

    /// Keeps a copy of the list.
    public IndexReport {
        checks = List.copyOf(checks);
    }

    /// What is checked.
    public enum Kind {
        /// The file that lists the parts of the index.
        COMMIT,
        /// What the index says about itself.
        METADATA,
        /// That each file contains what was written.
        CHECKSUMS,
        /// That the files can be decoded, and agree with each other.
        STRUCTURE,
        /// That each id leads to its document, and to one only.
        IDS,
        /// That title and text are those that were embedded.
        TEXTS,
        /// That metadata of documents are those that were written, and filters find documents by them.
        DOCUMENT_METADATA,
        /// That vectors are finite, of the right dimension and length, and one for each document.
        VECTORS,
        /// That the index was made with a given model.
        MODEL,
        /// That shards are as many as were written, were made in one way, and each id is in one of them.
        SHARDS
    }

    /// How a check ended.
    public enum Outcome {
        /// Nothing is wrong.
        OK,
        /// Something is wrong.
        WRONG,
        /// It was not run.
        SKIPPED
    }

    /// One check.
    ///
    /// @param kind what was checked
    /// @param outcome how it ended
    /// @param message what was found, the first thing that is wrong, or why the check was not run
    public record Check(Kind kind, Outcome outcome, String message) {}

    /// What to do if something is wrong; nothing if the index is only another model's.
    ///
    /// @return the end of a sentence
    public Optional<String> remedy() {
        boolean damaged =
                checks.stream().anyMatch(check -> check.outcome() == Outcome.WRONG && check.kind() != Kind.MODEL);
        boolean ofShards = checks.stream().anyMatch(check -> check.kind() == Kind.SHARDS);
        return damaged ? Optional.of(ofShards ? SHARDS_REMEDY : IndexDamage.remedy()) : Optional.empty();
    }

    /// Whether nothing is wrong.
    public boolean isSound() {
        return checks.stream().noneMatch(check -> check.outcome() == Outcome.WRONG);
    }
}
