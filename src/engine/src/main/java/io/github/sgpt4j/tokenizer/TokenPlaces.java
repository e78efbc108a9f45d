package io.github.sgpt4j.tokenizer;

/// The ids of a text and where each comes from, in code points of the text. Special tokens that the
/// post-processor adds have no place: [#NONE].
///
/// @param ids `[tokens]`
/// @param starts `[tokens]`, the first code point, or [#NONE]
/// @param ends `[tokens]`, the code point after the last, or [#NONE]
public record TokenPlaces(int[] ids, int[] starts, int[] ends) {
    /// Stands for no place.
    public static final int NONE = -1;
}
