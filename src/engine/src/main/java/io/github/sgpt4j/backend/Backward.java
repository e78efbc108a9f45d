package io.github.sgpt4j.backend;

import io.github.sgpt4j.batch.SequenceRows;
import java.util.List;

/// The operations of training that [Backend] lacks: the gradients of its operations, and weights that change.
///
/// In what follows, `dX` is the gradient of the loss with respect to `x`, of the same shape. Tensors follow the rules
/// of [Backend]: gradients of the residual stream and of results are made by [Backend#allocate], all others by
/// [Backend#allocateInner]. Outputs are overwritten, unless `add` says otherwise; they must not overlap inputs, unless
/// an operation says that it works in place. A mismatch of shapes throws `IllegalArgumentException`.
///
/// Batches have neither cached tokens nor shared prefixes: each segment is a sequence of its own; another batch throws
/// `IllegalArgumentException`.
///
/// Same inputs give the same bits, for any number of threads.
public interface Backward {
    /// The gradient of `x` through [Backend#linear] without activation, or [Backend#linearAdd]: `dX = dOut · W`.
    ///
    /// @param dOut `[rows, out]`
    /// @param add whether to add to `dX` instead
    /// @param dX `[rows, in]`
    void linear(Tensor dOut, Linear linear, boolean add, Tensor dX);

    /// `out = activation(x)`: the activation of a projection that was computed without it.
    void activate(Tensor x, Activation activation, Tensor out);

    /// In place: `d *= activation′(x)`, element by element. The derivative of RELU is 0 at 0.
    void activation(Tensor x, Activation activation, Tensor d);

    /// The gradient through [Backend#gatedActivation].
    ///
    /// @param x its input `[rows, 2f]`
    /// @param dOut `[rows, f]`
    /// @param dX `[rows, 2f]`
    void gatedActivation(Tensor x, Activation activation, Tensor dOut, Tensor dX);

    /// The gradient through [Backend#norm]; mean and deviation are computed again from `x`. `dX` may be
    /// `dOut` if it is not added to.
    ///
    /// @param x input of the norm
    /// @param add whether to add to `dX` instead
    void norm(Tensor x, Norm norm, Tensor dOut, boolean add, Tensor dX);

    /// In place, the gradient through [Backend#headNorm]: the given columns of `d` become gradients of its input.
    ///
    /// @param qkv its input, before the norm
    void headNorm(Tensor qkv, int firstColumn, int heads, Norm norm, Tensor d);

    /// The gradient through [Backend#attention]; the probabilities are computed again.
    ///
    /// @param qkv its input `[tokens, (heads + 2 · kvHeads) · headDim]`
    /// @param out its result `[tokens, heads · headDim]`
    /// @param dOut `[tokens, heads · headDim]`
    /// @param dQkv as `qkv`
    /// @throws IllegalArgumentException if attention is bidirectional or its scores have a bound:
    ///     these models are
    /// not
    ///     trained
    void attention(Tensor qkv, Batch batch, AttentionParameters parameters, Tensor out, Tensor dOut, Tensor dQkv);

    /// The gradient of the normalised rows inside [Backend#pool]; [#norm] leads from there to its input.
    ///
    /// @param x input of [Backend#pool] `[tokens, hidden]`; maxima are found again, the first of equal ones
    /// @param sequences distinct rows of `x`
    /// @param dOut `[sequences, modes · hidden]`
    /// @param dNormed `[tokens, hidden]`; rows of no sequence become zeros
    void pool(
            Tensor x, Norm norm, SequenceRows sequences, int[] skip, List<PoolMode> modes, Tensor dOut, Tensor dNormed);

    /// Bytes that the activations of all passes should take together, at most; positive.
    ///
    /// @param held bytes of the heap that the training holds for other things
    long room(long held);

    /// New sums, zero.
    Sums sums(int rows, int columns);

    /// The gradient of a bias: `out[0] += Σ_rows d`.
    ///
    /// @param out `[1, columns]`
    void columnSums(Tensor d, Sums out);

    /// The gradient of a norm's gain: `out[0] += Σ_rows dOut ∘ x̂`, where `x̂` is the normalised `x` before gain and
    /// bias.
    ///
    /// @param norm not IDENTITY, which has no gain
    /// @param out `[1, columns]`
    void gainSums(Tensor x, Norm norm, Tensor dOut, Sums out);

    /// The gradient of the gain of [Backend#headNorm]: as [#gainSums], over all rows and heads.
    ///
    /// @param qkv its input, before the norm
    /// @param dOut of the shape of `qkv`
    /// @param out `[1, norm.columns()]`
    void headGainSums(Tensor qkv, int firstColumn, int heads, Norm norm, Tensor dOut, Sums out);

    /// The gradient of a weight matrix: `out += dOutᵀ · x`.
    ///
    /// @param x input of the projection `[rows, in]`
    /// @param dOut `[rows, out]`
    /// @param out `[out, in]`
    void weightSums(Tensor x, Tensor dOut, Sums out);

    /// The gradient of the table of [Backend#embed]: `out[ids[t]] += d[t]`.
    ///
    /// @param out `[table rows, hidden]`
    void embeddingSums(Batch batch, Tensor d, Sums out);

    /// The gradient of the table of [Backend#addPositions]: `out[positions[t] + offset] += d[t]`.
    ///
    /// @param out `[table rows, hidden]`
    void positionSums(int offset, Batch batch, Tensor d, Sums out);

    /// Reads the bias again from its stored tensors, whose memory the caller has changed. No operation that uses it
    /// may be running; those called before are waited for.
    void reloadBias(Linear linear);

    /// As [#reloadBias], for a weight matrix and its bias.
    void reload(Linear linear);

    /// As [#reloadBias], for gain and bias.
    void reload(Norm norm);

    /// As [#reloadBias], for a table.
    void reload(Table table);
}
