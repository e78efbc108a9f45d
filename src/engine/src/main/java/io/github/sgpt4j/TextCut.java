package io.github.sgpt4j;

import io.github.sgpt4j.error.FormatException;
import io.github.sgpt4j.tokenizer.CutSide;
import io.github.sgpt4j.tokenizer.EncodedText;

/// What happens to a text that is longer than the encoder's maximum. Special tokens and brackets stay in
/// any case. A prompt counts as the beginning of the text.
public enum TextCut {
    /// It is cut on the side that the tokenizer's files state; on the right if they state none.
    USUAL(CutSide.STATED),
    /// Its beginning is cut off.
    LEFT(CutSide.LEFT),
    /// Its end is cut off.
    RIGHT(CutSide.RIGHT),
    /// It is refused with a [FormatException] that tells its tokens and the maximum, but nothing of the
    /// text.
    REFUSE(CutSide.STATED);

    private final CutSide side;

    TextCut(CutSide side) {
        this.side = side;
    }

    CutSide side() {
        return side;
    }

    /// Returns a text, or refuses it because it was cut.
    EncodedText check(EncodedText text, int maxLength) {
        if (this == REFUSE && text.truncated()) {
            throw new FormatException("text: expected at most %d tokens, got %d".formatted(maxLength, text.uncut()));
        }
        return text;
    }
}
