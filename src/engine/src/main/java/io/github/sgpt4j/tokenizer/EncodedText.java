package io.github.sgpt4j.tokenizer;

/// A text as token ids, possibly cut.
///
/// @param ids `[tokens]`, including everything added around the text
/// @param uncut number of ids before cutting
public record EncodedText(int[] ids, int uncut) {
    /// Whether the text was cut.
    public boolean truncated() {
        return uncut > ids.length;
    }
}
