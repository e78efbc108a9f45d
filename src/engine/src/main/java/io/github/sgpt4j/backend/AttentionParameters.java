package io.github.sgpt4j.backend;

/// The shape and options of one layer's attention.
///
/// Query head `h` reads key and value head `h / (heads / kvHeads)`. The score of query position `i` and key position
/// `j ≤ i` is `scale · q_i·k_j + slopes[h] · (j − i)`; keys with `i − j ≥ window` are left out if `window > 0`.
/// Positions count from the start of the whole sequence, ancestors included.
///
/// @param window number of keys seen, the token itself included; 0 for all
/// @param slopes ALiBi slope per head (Press et al. 2021, arXiv 2108.12409), `[heads]`, or empty for none; must not be
///     changed
public record AttentionParameters(int heads, int kvHeads, int headDim, float scale, int window, float[] slopes) {
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
    }

    /// Columns of the packed query-key-value tensor.
    public int qkvColumns() {
        return Math.multiplyExact(heads + 2 * kvHeads, headDim);
    }
}
