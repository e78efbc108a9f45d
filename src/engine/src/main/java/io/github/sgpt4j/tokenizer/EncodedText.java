package io.github.sgpt4j.tokenizer;

/// A text as token ids, perhaps cut.
///
/// @param ids `[tokens]`, with everything that is put around the text
/// @param uncut how many ids there would be if nothing had been cut
public record EncodedText(int[] ids, int uncut) {
    /// Whether tokens of the text are missing.
    public boolean truncated() {
        return uncut > ids.length;
    }
}
