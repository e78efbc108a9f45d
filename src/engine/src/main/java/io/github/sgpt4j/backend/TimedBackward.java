package io.github.sgpt4j.backend;

import io.github.sgpt4j.batch.SequenceRows;
import java.util.List;

/// The operations of training of a [TimedBackend], which measures them together with its own.
final class TimedBackward implements Backward {
    private final TimedBackend times;
    private final Backward backward;

    TimedBackward(TimedBackend times, Backward backward) {
        this.times = times;
        this.backward = backward;
    }

    private static double values(Tensor x) {
        return TimedBackend.values(x);
    }

    @Override
    public long room(long held) {
        return backward.room(held);
    }

    @Override
    public void linear(Tensor dOut, Linear linear, boolean add, Tensor dX) {
        times.product(TimedBackend.flops(dOut.rows(), linear), () -> backward.linear(dOut, linear, add, dX));
    }

    @Override
    public void activate(Tensor x, Activation activation, Tensor out) {
        times.other(2 * values(x), () -> backward.activate(x, activation, out));
    }

    @Override
    public void activation(Tensor x, Activation activation, Tensor d) {
        times.other(3 * values(x), () -> backward.activation(x, activation, d));
    }

    @Override
    public void gatedActivation(Tensor x, Activation activation, Tensor dOut, Tensor dX) {
        times.other(5 * values(dOut), () -> backward.gatedActivation(x, activation, dOut, dX));
    }

    @Override
    public void norm(Tensor x, Norm norm, Tensor dOut, boolean add, Tensor dX) {
        times.other((add ? 4 : 3) * values(x), () -> backward.norm(x, norm, dOut, add, dX));
    }

    @Override
    public void headNorm(Tensor qkv, int firstColumn, int heads, Norm norm, Tensor d) {
        double values = 3.0 * qkv.rows() * heads * norm.columns();
        times.other(values, () -> backward.headNorm(qkv, firstColumn, heads, norm, d));
    }

    /// Five products where the forward pass has two: scores, and the gradients of weights, queries, keys and values.
    @Override
    public void attention(
            Tensor qkv, Batch batch, AttentionParameters parameters, Tensor out, Tensor dOut, Tensor dQkv) {
        times.attention(5, batch, parameters, () -> backward.attention(qkv, batch, parameters, out, dOut, dQkv));
    }

    @Override
    public void pool(
            Tensor x,
            Norm norm,
            SequenceRows sequences,
            int[] skip,
            List<PoolMode> modes,
            Tensor dOut,
            Tensor dNormed) {
        times.other(2 * values(x) + values(dOut), () -> backward.pool(x, norm, sequences, skip, modes, dOut, dNormed));
    }

    @Override
    public Sums sums(int rows, int columns) {
        return backward.sums(rows, columns);
    }

    @Override
    public void columnSums(Tensor d, Sums out) {
        times.other(values(d), () -> backward.columnSums(d, out));
    }

    @Override
    public void gainSums(Tensor x, Norm norm, Tensor dOut, Sums out) {
        times.other(2 * values(x), () -> backward.gainSums(x, norm, dOut, out));
    }

    @Override
    public void headGainSums(Tensor qkv, int firstColumn, int heads, Norm norm, Tensor dOut, Sums out) {
        double values = 2.0 * qkv.rows() * heads * norm.columns();
        times.other(values, () -> backward.headGainSums(qkv, firstColumn, heads, norm, dOut, out));
    }

    @Override
    public void weightSums(Tensor x, Tensor dOut, Sums out) {
        times.product(2 * values(x) * dOut.columns(), () -> backward.weightSums(x, dOut, out));
    }

    @Override
    public void embeddingSums(Batch batch, Tensor d, Sums out) {
        times.other(3 * values(d), () -> backward.embeddingSums(batch, d, out));
    }

    @Override
    public void positionSums(int offset, Batch batch, Tensor d, Sums out) {
        times.other(3 * values(d), () -> backward.positionSums(offset, batch, d, out));
    }

    @Override
    public void reloadBias(Linear linear) {
        backward.reloadBias(linear);
    }

    @Override
    public void reload(Linear linear) {
        backward.reload(linear);
    }

    @Override
    public void reload(Norm norm) {
        backward.reload(norm);
    }

    @Override
    public void reload(Table table) {
        backward.reload(table);
    }
}
