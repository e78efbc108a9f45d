package io.github.sgpt4j.retrieval;

/// What an update has done so far.
///
/// @param read documents looked at
/// @param added documents that are new in the index
/// @param replaced documents whose title or text changed
/// @param unchanged documents that the index already contained
/// @param removed documents taken out
/// @param embedded texts that the model embedded; fewer than added and replaced if texts are equal
public record UpdateReport(long read, long added, long replaced, long unchanged, long removed, long embedded) {
    /// Nothing done yet.
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
