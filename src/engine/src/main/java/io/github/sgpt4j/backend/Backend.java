package io.github.sgpt4j.backend;

import io.github.sgpt4j.batch.PackedBatch;
import io.github.sgpt4j.batch.SequenceRows;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// The fused operations that a decoder is made of, over opaque tensors.
///
/// Handles ([Tensor], [Linear], [Norm], [Table], [Batch]) belong to the backend that made them;
/// passing them to another one throws `ClassCastException`. Weights and their handles live until
/// the backend is closed; they borrow the mapped memory of the [WeightTensor]s, which must stay
/// open as long. Activations and batches are closed by the caller who allocated them.
///
/// Using a closed backend, tensor or batch throws `IllegalStateException`; closing twice does
/// nothing. A tensor has at least one row.
///
/// Operations run in the order of their calls, possibly after the call has returned; [#download]
/// and [#synchronize] wait for them. A backend is safe to share between threads. A tensor is not,
/// unless all threads only read it. All arithmetic accumulates in 32-bit floats or better, whatever
/// type the weights are kept in. Shapes are written `[rows, columns]`; a mismatch throws
/// `IllegalArgumentException`.
public interface Backend extends AutoCloseable {
    /// Enough rows for the products of a CPU.
    int USUAL_BATCH_TOKENS = 4096;

    /// Short name for messages: `cpu`, `cuda:0`.
    String name();

    /// Notices for the user so far, one sentence each; what they report changes no result. May be
    /// called after closing.
    default List<String> notices() {
        return List.of();
    }

    /// Prepares a weight matrix. The parts are stacked: their rows, in order, are the output features.
    ///
    /// @param weight stacked parts of `[out, in]`
    /// @param bias stacked parts of `[out]`, or empty for none
    Linear linear(List<MatrixRows> weight, List<MatrixRows> bias);

    Norm norm(NormParameters parameters);

    /// Prepares a table of row vectors `[rows, columns]` for lookup by [#embed].
    Table table(WeightTensor weight);

    /// Makes a batch's ids, positions and segment boundaries available to operations.
    Batch upload(PackedBatch batch);

    /// Runs a pass over a batch; the caller closes what it returns. The ids have been checked as for [#embed].
    ///
    /// A backend may record the operations of a pass, and repeat them instead of running the pass for
    /// another batch that differs in its ids only. So equal kinds must mean passes that ask for the same
    /// operations with the same arguments, the given batch aside.
    ///
    /// @param kind what the pass does, compared by `equals`; empty if there is no second one like it
    /// @param pass its last operation is [#startDownload]; closes all else that it makes, but not the batch
    default Download run(PackedBatch packed, Optional<?> kind, Function<Batch, Download> pass) {
        try (Batch batch = upload(packed)) {
            return pass.apply(batch);
        }
    }

    /// Copies row-major values `[rows, columns]` into a new tensor.
    Tensor upload(float[] values, int rows, int columns);

    /// New activation memory `[rows, columns]` in 32-bit floats: the residual stream, and results; its contents are
    /// undefined.
    Tensor allocate(int rows, int columns);

    /// New activation memory `[rows, columns]` for values between products, perhaps in the narrower
    /// type of the weights; its contents are undefined.
    default Tensor allocateInner(int rows, int columns) {
        return allocate(rows, columns);
    }

    /// Bytes of a value in what [#allocateInner] gives.
    default int innerBytes() {
        return Float.BYTES;
    }

    /// As [#embed(Table, Batch, float, Tensor)], not scaled.
    default void embed(Table table, Batch batch, Tensor out) {
        embed(table, batch, 1f, out);
    }

    /// `out[t] = scale · table[ids[t]]`, `[tokens, hidden]`. The caller has checked the ids against
    /// [Table#rows].
    void embed(Table table, Batch batch, float scale, Tensor out);

    /// `out[t] += table[positions[t] + offset]`, `[tokens, hidden]`.
    void addPositions(Table table, int offset, Batch batch, Tensor out);

    /// Normalises every row: `out = norm(x)`; `x` and `out` may be the same.
    void norm(Tensor x, Norm norm, Tensor out);

    /// Normalises every row and adds it to the residual stream: `out += norm(x)`; `x` and `out` must
    /// not overlap.
    void normAdd(Tensor x, Norm norm, Tensor out);

    /// Normalises heads in place: columns `[firstColumn, firstColumn + heads * norm.columns())` of
    /// every row are `heads` vectors, each normalised separately (Qwen3's query and key norm; one
    /// vector of all
    /// heads
    /// in OLMo 2).
    void headNorm(Tensor qkv, int firstColumn, int heads, Norm norm);

    /// `out = activation(x · Wᵀ + b)`: `[rows, in] → [rows, out]`.
    void linear(Tensor x, Linear linear, Activation activation, Tensor out);

    /// `out += x · Wᵀ + b`: a projection that ends in the residual stream.
    void linearAdd(Tensor x, Linear linear, Tensor out);

    /// Rotates query and key heads in place by their positions. `qkv` holds the batch's computed rows only,
    /// `[tokens, (heads + 2 · kvHeads) · headDim]`.
    void rotary(Tensor qkv, Batch batch, RotaryParameters parameters);

    /// Attention over packed segments: causal, or within each segment in both directions.
    ///
    /// @param qkv `[batch.rows, (heads + 2 · kvHeads) · headDim]`: all query heads, all key heads, all value heads;
    ///     of cached rows only keys and values are read
    /// @param out `[tokens, heads · headDim]`, the computed rows only
    /// @throws IllegalArgumentException if it is bidirectional and segments have parents
    void attention(Tensor qkv, Batch batch, AttentionParameters parameters, Tensor out);

    /// Replaces every `columns` neighbouring values of a row by their softmax, in place; the row is a
    /// multiple of
    /// `columns` long (latent attention of NV-Embed: the keys are weights, so scores are a matrix
    /// product).
    void softmax(Tensor x, int columns);

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

    /// As [#logProbabilities(Tensor, Linear, int, float, int[], Tensor)], without a bound of logits and over all
    /// rows of the head.
    default void logProbabilities(Tensor x, Linear head, int[] targets, Tensor out) {
        logProbabilities(x, head, 0f, targets, out);
    }

    /// As [#logProbabilities(Tensor, Linear, int, float, int[], Tensor)], over all rows of the head.
    default void logProbabilities(Tensor x, Linear head, float softcap, int[] targets, Tensor out) {
        logProbabilities(x, head, head.out(), softcap, targets, out);
    }

    /// `out[i] = log softmax(cap(x[i] · Wᵀ + b))[targets[i]]`: `[n, hidden] → [n, 1]`, natural
    /// logarithm. Logits are computed in vocabulary blocks with a running log-sum-exp; `[n,
    /// vocabulary]` is never stored.
    ///
    /// @param vocabulary first rows of the head, from 1 to `head.out()`, that the softmax runs over; the rest, such
    ///     as rows without a token, counts as absent
    /// @param softcap bound of logits, `cap(z) = softcap · tanh(z / softcap)` (Gemma 2), or 0 for none
    /// @param targets below `vocabulary`
    void logProbabilities(Tensor x, Linear head, int vocabulary, float softcap, int[] targets, Tensor out);

    /// Copies a tensor to a new array, row-major, after all operations on it are complete.
    float[] download(Tensor x);

    /// Starts a copy of a tensor, row-major, after all operations on it; the caller closes the
    /// result. Until [Download#get] returns, the tensor may be closed but not written.
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

    /// How many batches should be in flight at a time to keep the backend busy: 1 if operations are
    /// complete when they return.
    default int batchesInFlight() {
        return 1;
    }

    /// How many batches should be computed side by side, on one thread each, if they have at most
    /// `tokens` tokens in total: 1 unless that is faster than computing them one after another,
    /// each on the whole backend.
    default int batchesSideBySide(int tokens) {
        return 1;
    }

    /// The fewest tokens that a shared prefix must save to be computed as a segment of its own; at
    /// least 1.
    default int worthSharing() {
        return 1;
    }

    /// The operations of training, or empty where this backend cannot train.
    default Optional<Backward> backward() {
        return Optional.empty();
    }

    /// Waits for all operations called so far.
    void synchronize();

    @Override
    void close();
}
