package io.github.sgpt4j.retrieval;

/// What an update did so far.
///
/// @param read documents looked at
/// @param added documents that are new in the index
/// @param replaced documents whose title or text changed
/// @param unchanged documents that the index had already
/// @param removed documents taken out
/// @param embedded texts that the model computed; fewer than added and replaced where texts are equal
public record UpdateReport(long read, long added, long replaced, long unchanged, long removed, long embedded) {
    /// Nothing yet.
    static final UpdateReport NONE = new UpdateReport(0, 0, 0, 0, 0, 0);

    UpdateReport plus(UpdateReport other) {
        return new UpdateReport(
                read + other.read,
                added + other.added,
                replaced + other.replaced,
                unchanged + other.unchanged,
                removed + other.removed,
                embedded + other.embedded);
    }
}
