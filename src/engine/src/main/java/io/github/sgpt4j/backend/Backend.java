package io.github.sgpt4j.backend;

import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceRows;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.List;

/// The fused operations that a decoder is made of, over opaque tensors.
///
/// Handles ([Tensor], [Linear], [Norm], [Table], [Batch]) belong to the backend that made them; giving them to another
/// one is a `ClassCastException`. Weights and their handles live until the backend is closed; they borrow the
/// mapped memory of the [WeightTensor]s, which must stay open as long. Activations and batches are closed by whoever
/// allocated them.
///
/// Using a closed backend, tensor or batch is an `IllegalStateException`; closing twice does nothing. There are no
/// tensors without rows.
///
/// Operations are ordered as called, and may run later than they return; [#download] and [#synchronize] wait. A
/// backend is safe to share between threads as long as no tensor is, but for those that all of them only read. All
/// arithmetic accumulates in 32-bit floats or better, whatever the type that weights are kept in. Shapes are written
/// `[rows, columns]`; a mismatch is an `IllegalArgumentException`.
public interface Backend extends AutoCloseable {
    /// Enough rows for the products of a CPU.
    int USUAL_BATCH_TOKENS = 4096;

    /// Short name for messages: `cpu`, `cuda:0`.
    String name();

    /// What came up so far that people should know and that changes no result, one sentence each. Can be asked after
    /// closing as well.
    default List<String> notices() {
        return List.of();
    }

    /// Prepares a weight matrix. The parts are stacked: their rows, in order, are the output features.
    ///
    /// @param weight stacked parts of `[out, in]`
    /// @param bias stacked parts of `[out]`, or empty for none
    Linear linear(List<MatrixRows> weight, List<MatrixRows> bias);

    Norm norm(NormParameters parameters);

    /// Prepares a table of row vectors `[rows, columns]` to be looked up by [#embed].
    Table table(WeightTensor weight);

    /// Makes a batch's ids, positions and segment boundaries available to operations.
    Batch upload(PackedBatch batch);

    /// Copies row-major values `[rows, columns]` in.
    Tensor upload(float[] values, int rows, int columns);

    /// New activation memory `[rows, columns]` in 32-bit floats: the residual stream, and results; its contents are
    /// undefined.
    Tensor allocate(int rows, int columns);

    /// New activation memory `[rows, columns]` for what goes from one product to another, perhaps in the narrower type
    /// that weights are kept in; its contents are undefined.
    default Tensor allocateInner(int rows, int columns) {
        return allocate(rows, columns);
    }

    /// `out[t] = table[ids[t]]`, `[tokens, hidden]`. The caller has checked the ids against [Table#rows].
    void embed(Table table, Batch batch, Tensor out);

    /// `out[t] += table[positions[t] + offset]`, `[tokens, hidden]`.
    void addPositions(Table table, int offset, Batch batch, Tensor out);

    /// Normalises every row: `out = norm(x)`; `x` and `out` may be the same.
    void norm(Tensor x, Norm norm, Tensor out);

    /// Normalises heads in place: columns `[firstColumn, firstColumn + heads * norm.columns())` of every row are
    /// `heads` vectors, each normalised by itself (Qwen3's query and key norm).
    void headNorm(Tensor qkv, int firstColumn, int heads, Norm norm);

    /// `out = activation(x · Wᵀ + b)`: `[rows, in] → [rows, out]`.
    void linear(Tensor x, Linear linear, Activation activation, Tensor out);

    /// `out += x · Wᵀ + b`: a projection that ends in the residual stream.
    void linearAdd(Tensor x, Linear linear, Tensor out);

    /// Rotates query and key heads in place by their positions. `qkv` holds the batch's computed rows only,
    /// `[tokens, (heads + 2 · kvHeads) · headDim]`.
    void rotary(Tensor qkv, Batch batch, RotaryParameters parameters);

    /// Causal attention over packed segments.
    ///
    /// @param qkv `[batch.rows, (heads + 2 · kvHeads) · headDim]`: all query heads, all key heads, all value heads;
    ///     of cached rows only keys and values are read
    /// @param out `[tokens, heads · headDim]`, the computed rows only
    void attention(Tensor qkv, Batch batch, AttentionParameters parameters, Tensor out);

    /// `out = activation(x[:, :f]) · x[:, f:]`: `[rows, 2f] → [rows, f]` (gated feed-forward).
    void gatedActivation(Tensor x, Activation activation, Tensor out);

    /// `out = x` for equal shapes (also between row ranges of one tensor that do not overlap).
    void copy(Tensor x, Tensor out);

    /// Final norm and pooling in one: for each sequence, normalises its rows and reduces them over the tokens
    /// `skip[sequence], …, length - 1`.
    ///
    /// @param x `[tokens, hidden]`
    /// @param sequences rows of `x`
    /// @param skip leading tokens of each sequence to leave out, `[sequences]`; positions count them
    /// @param modes at least one; results are concatenated in the given order
    /// @param out `[sequences, modes · hidden]`; a sequence with no token left gives zeros
    void pool(Tensor x, Norm norm, SequenceRows sequences, int[] skip, List<PoolMode> modes, Tensor out);

    /// `out[i] = norm(x[rows[i]])`: `[rows.length, hidden]`.
    void normRows(Tensor x, int[] rows, Norm norm, Tensor out);

    /// `out[i] = log softmax(x[i] · Wᵀ + b)[targets[i]]`: `[n, hidden] → [n, 1]`, natural logarithm. Logits are
    /// computed in vocabulary blocks with a running log-sum-exp; `[n, vocabulary]` is never held.
    void logProbabilities(Tensor x, Linear head, int[] targets, Tensor out);

    /// Copies a tensor out, row-major, after all operations on it are done.
    float[] download(Tensor x);

    /// Starts to copy a tensor out, row-major, after all operations on it; the caller closes the result. Until
    /// [Download#get] the tensor may be closed but not written.
    default Download startDownload(Tensor x) {
        return Download.of(download(x));
    }

    /// Most tokens to compute at the same time unless the caller asks for another number.
    ///
    /// @param weights numbers in all weights of the model
    /// @param values activation values, outside of weights, that a batch holds at its peak for each of its tokens
    default int usualBatchTokens(long weights, long values) {
        return USUAL_BATCH_TOKENS;
    }

    /// A moment after all operations called so far, for timing what lies between two of them; the caller closes it.
    default TimeMark mark() {
        synchronize();
        return TimeMark.now();
    }

    /// How many batches should be under way at the same time, so that there is always one to compute: 1 if operations
    /// have finished when they return.
    default int batchesInFlight() {
        return 1;
    }

    /// How many batches should be computed side by side, by a thread each, if they have at most `tokens` tokens
    /// together: 1 unless that is faster than one after the other, each with all that the backend has.
    default int batchesSideBySide(int tokens) {
        return 1;
    }

    /// Tokens that must be saved for sequences to compute their common start as a segment of its own, at least 1.
    default int worthSharing() {
        return 1;
    }

    /// Waits for everything called so far.
    void synchronize();

    @Override
    void close();
}
