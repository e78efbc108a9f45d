package io.github.sgpt4j.tokenizer.step;

import io.github.sgpt4j.tokenizer.step.PreTokenizer.PlacedWords;
import io.github.sgpt4j.tokenizer.step.PreTokenizer.Split;
import io.github.sgpt4j.tokenizer.step.PreTokenizer.Words;

/// The placed form of [PreTokenizer.Split]: splits ranges, which leaves places as they are. For one
/// thread at a time.
final class PlacedSplitting implements PlacedWords {
    private final Words splitting;
    /// The text that is being split.
    private PlacedText current = PlacedText.original("", 0);

    PlacedSplitting(Split split, PlacedWords out) {
        splitting = split.into((text, start, end, first) -> out.word(current, start, end, first));
    }

    @Override
    public void word(PlacedText text, int start, int end, boolean first) {
        current = text;
        splitting.word(text.text(), start, end, first);
    }
}
