package io.github.sgpt4j.backend;

/// The shape and options of one layer's attention.
///
/// Query head `h` reads key and value head `h / (heads / kvHeads)`. The score of query position `i` and key position
/// `j` is `cap(scale · q_i·k_j) + slopes[h] · (j − i)`, with `cap(s) = softcap · tanh(s / softcap)` if
/// `softcap > 0`,
/// else `s`. A query sees the keys `j ≤ i`, or all keys of its sequence if attention is bidirectional;
/// of those, only
/// keys with `|i − j| < window` if `window > 0`. Positions count from the start of the whole sequence,
/// ancestors
/// included.
///
/// @param window distance from which on keys are not seen; 0 for all
/// @param slopes ALiBi slope per head (Press et al. 2021, arXiv 2108.12409), `[heads]`, or empty for none; must not be
///     changed
/// @param bidirectional whether queries see later keys; only for batches of independent sequences
/// @param softcap bound of scores (Gemma 2, arXiv 2408.00118), 0 for none
public record AttentionParameters(
        int heads,
        int kvHeads,
        int headDim,
        float scale,
        int window,
        float[] slopes,
        boolean bidirectional,
        float softcap) {
    public AttentionParameters {
        if (heads < 1 || kvHeads < 1 || heads % kvHeads != 0 || headDim < 1 || window < 0) {
            throw new IllegalArgumentException(
                    ("attention: expected positive sizes and heads divisible by key heads, got %d heads,"
                                    + " %d key heads, head size %d, window %d")
                            .formatted(heads, kvHeads, headDim, window));
        }
        if (slopes.length != 0 && slopes.length != heads) {
            throw new IllegalArgumentException(
                    "attention: expected %d slopes, one per head, got %d".formatted(heads, slopes.length));
        }
        if (!(softcap >= 0) || Float.isInfinite(softcap)) {
            throw new IllegalArgumentException(
                    "attention: expected a finite bound of scores, at least 0, got " + softcap);
        }
    }

    /// Causal attention whose scores have no bound.
    public AttentionParameters(int heads, int kvHeads, int headDim, float scale, int window, float[] slopes) {
        this(heads, kvHeads, headDim, scale, window, slopes, false, 0f);
    }

    /// Columns of the packed query-key-value tensor.
    public int qkvColumns() {
        return Math.multiplyExact(heads + 2 * kvHeads, headDim);
    }

    /// Last position that a query at `position` sees, of a sequence of `length` tokens.
    public int lastSeen(int position, int length) {
        if (!bidirectional) {
            return position;
        }
        return window == 0 ? length - 1 : (int) Math.min(length - 1L, position + (long) window - 1);
    }

    /// First position that a query at `position` sees.
    public int firstSeen(int position) {
        return window == 0 ? 0 : (int) Math.max(0, position - (long) window + 1);
    }
}
