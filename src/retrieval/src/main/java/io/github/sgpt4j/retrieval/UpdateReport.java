package io.github.sgpt4j.retrieval;

/// What an update has done so far.
///
/// @param read documents looked at
/// @param added documents that are new in the index
/// @param replaced documents whose title or text changed
/// @param unchanged documents that the index already contained
/// @param removed documents taken out
/// @param embedded texts that the model embedded: passages, or whole documents where these are not split;
///     fewer than `passages` if texts are equal
/// @param passages of the documents added and replaced; as many as these if all are short
/// @param cut texts among those embedded that the model did not read to their end, and documents whose title
///     is too long to be in front of each passage
public record UpdateReport(
        long read, long added, long replaced, long unchanged, long removed, long embedded, long passages, long cut) {
    /// Nothing done yet.
    static final UpdateReport NONE = new UpdateReport(0, 0, 0, 0, 0, 0, 0, 0);

    /// Of documents that are one passage each, none of which was cut.
    public UpdateReport(long read, long added, long replaced, long unchanged, long removed, long embedded) {
        this(read, added, replaced, unchanged, removed, embedded, added + replaced, 0);
    }

    /// With this many more documents removed.
    public UpdateReport plusRemoved(long more) {
        return new UpdateReport(read, added, replaced, unchanged, removed + more, embedded, passages, cut);
    }

    UpdateReport plus(UpdateReport other) {
        return new UpdateReport(
                read + other.read,
                added + other.added,
                replaced + other.replaced,
                unchanged + other.unchanged,
                removed + other.removed,
                embedded + other.embedded,
                passages + other.passages,
                cut + other.cut);
    }
}
