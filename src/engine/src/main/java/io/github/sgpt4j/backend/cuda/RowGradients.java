package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.backend.cuda.device.DeviceTypes;
import io.github.sgpt4j.backend.cuda.ffi.Streams;
import io.github.sgpt4j.backend.cuda.memory.DeviceBuffer;
import io.github.sgpt4j.batch.SequenceRows;
import io.github.sgpt4j.tensor.ElementType;
import java.util.Arrays;
import java.util.List;

/// Gradients of operations that treat every row, or every sequence, by itself. Kernels take the types that training
/// has; others are widened to 32-bit floats, which changes no value. Shapes have been checked; runs under the engine's
/// lock.
final class RowGradients {
    private final CudaEngine engine;

    RowGradients(CudaEngine engine) {
        this.engine = engine;
    }

    /// `d *= activation′(x)`.
    void activation(CudaTensor x, Activation activation, CudaTensor d) {
        if (x.type() != d.type()) {
            try (CudaTensor full = full(x)) {
                Conversions.intoFull(engine, d, true, to -> activation(full, activation, to));
            }
            return;
        }
        engine.launcher()
                .kernel(DeviceTypes.kernel("sgpt_gradient_activation", d.type()))
                .pointer(x.address())
                .pointer(d.address())
                .int32(d.rows())
                .int32(d.columns())
                .int32(x.columns())
                .int32(d.columns())
                .int32(activation.ordinal())
                .run(engine.geometry().rows(d.rows(), d.columns(), x.type(), d.type()));
    }

    /// The gradient through [RowOperations#gated].
    void gated(CudaTensor x, Activation activation, CudaTensor dOut, CudaTensor dX) {
        if (x.type() != dX.type() || dOut.type() != dX.type()) {
            try (CudaTensor fullX = full(x);
                    CudaTensor fullOut = full(dOut)) {
                Conversions.intoFull(engine, dX, false, to -> gated(fullX, activation, fullOut, to));
            }
            return;
        }
        engine.launcher()
                .kernel(DeviceTypes.kernel("sgpt_gradient_gated", dX.type()))
                .pointer(x.address())
                .pointer(dOut.address())
                .pointer(dX.address())
                .int32(dOut.rows())
                .int32(dOut.columns())
                .int32(x.columns())
                .int32(dOut.columns())
                .int32(dX.columns())
                .int32(activation.ordinal())
                .run(engine.geometry().rows(dOut.rows(), dOut.columns(), x.type(), dX.type()));
    }

    /// The gradient through [RowOperations#norm].
    void norm(CudaTensor x, CudaNorm norm, CudaTensor dOut, boolean add, CudaTensor dX) {
        if (x.type() == dX.type() && takes(x, dOut)) {
            norm(x, norm, dOut, add, dX, new Heads(0, 1));
            return;
        }
        try (CudaTensor full = full(x)) {
            Conversions.intoFull(engine, dX, add, to -> norm(full, norm, dOut, add, to, new Heads(0, 1)));
        }
    }

    /// In place, the gradient through [RowOperations#headNorm].
    void headNorm(CudaTensor qkv, int firstColumn, int heads, CudaNorm norm, CudaTensor d) {
        if (heads == 0) {
            return;
        }
        Heads which = new Heads(firstColumn, heads);
        if (qkv.type() == d.type()) {
            norm(qkv, norm, d, false, d, which);
            return;
        }
        try (CudaTensor full = full(qkv)) {
            Conversions.intoFull(engine, d, true, to -> norm(full, norm, to, false, to, which));
        }
    }

    /// Vectors of a row that are normalised separately.
    private record Heads(int firstColumn, int count) {}

    /// Whether there are kernels for a norm's input and the gradient of its output.
    static boolean takes(CudaTensor x, CudaTensor dOut) {
        return x.type() == ElementType.F32 || x.type() == dOut.type();
    }

    private void norm(CudaTensor x, CudaNorm norm, CudaTensor dOut, boolean add, CudaTensor dX, Heads heads) {
        long gain = norm.gain();
        engine.launcher()
                .kernel(DeviceTypes.kernel("sgpt_gradient_norm", x.type(), dOut.type()))
                .pointer(x.address() + x.type().bytes(1, heads.firstColumn))
                .pointer(gain)
                .pointer(dOut.address() + dOut.type().bytes(1, heads.firstColumn))
                .pointer(dX.address() + dX.type().bytes(1, heads.firstColumn))
                .int32(x.rows())
                .int32(norm.columns())
                .int32(heads.count)
                .int32(x.columns())
                .int32(dOut.columns())
                .int32(dX.columns())
                .int32(norm.kind())
                .float32(norm.epsilon())
                .int32(add ? 1 : 0)
                .run(engine.geometry().norm((long) x.rows() * heads.count, norm.columns()));
    }

    /// Mean and factor of each vector of `norm.columns()` from `firstColumn` on, two floats each; the caller closes
    /// them.
    DeviceBuffer statistics(CudaTensor x, int firstColumn, int heads, CudaNorm norm) {
        long vectors = (long) x.rows() * heads;
        DeviceBuffer statistics = engine.pass().take(ElementType.F32.bytes(vectors, 2));
        try {
            engine.launcher()
                    .kernel(DeviceTypes.kernel("sgpt_gradient_statistics", x.type()))
                    .pointer(x.address() + x.type().bytes(1, firstColumn))
                    .pointer(statistics.address())
                    .int32(x.rows())
                    .int32(norm.columns())
                    .int32(heads)
                    .int32(x.columns())
                    .int32(norm.kind())
                    .float32(norm.epsilon())
                    .run(engine.geometry().statistics(vectors));
            return statistics;
        } catch (RuntimeException | Error e) {
            statistics.close();
            throw e;
        }
    }

    /// The gradient of the normalised rows inside [RowOperations#pool].
    void pool(
            CudaTensor x,
            CudaNorm norm,
            SequenceRows sequences,
            int[] skip,
            List<PoolMode> modes,
            CudaTensor dOut,
            CudaTensor dNormed) {
        int[] within = new int[sequences.count()];
        Arrays.setAll(within, i -> Math.min(skip[i], sequences.length(i)));
        try (IndexArrays index = IndexArrays.upload(engine, sequences.rows(), sequences.starts(), within);
                CudaTensor fullX = full(x);
                CudaTensor fullOut = full(dOut);
                DeviceBuffer statistics = statistics(fullX, 0, 1, norm)) {
            Conversions.intoFull(engine, dNormed, false, to -> {
                if (sequences.rows().length < to.rows()) {
                    Streams.fill(to.address(), 0, (long) to.rows() * to.columns(), engine.pass().stream());
                }
                for (int from = 0; from < modes.size(); from += RowOperations.MAX_MODES) {
                    List<PoolMode> some = modes.subList(from, Math.min(modes.size(), from + RowOperations.MAX_MODES));
                    poolSome(fullX, norm, index, statistics, some, from, fullOut, to);
                }
            });
        }
    }

    /// @param firstMode adds to what is there unless it is 0
    private void poolSome(
            CudaTensor x,
            CudaNorm norm,
            IndexArrays index,
            DeviceBuffer statistics,
            List<PoolMode> modes,
            int firstMode,
            CudaTensor dOut,
            CudaTensor dNormed) {
        long gain = norm.gain();
        long bias = norm.bias();
        engine.launcher()
                .kernel("sgpt_gradient_pool")
                .pointer(x.address())
                .pointer(statistics.address())
                .pointer(index.address(0))
                .pointer(index.address(1))
                .pointer(index.address(2))
                .pointer(gain)
                .pointer(bias)
                .pointer(dOut.address() + ElementType.F32.bytes(firstMode, norm.columns()))
                .pointer(dNormed.address())
                .int32(dOut.rows())
                .int32(norm.columns())
                .int32(x.columns())
                .int32(dOut.columns())
                .int32(dNormed.columns())
                .int32(norm.kind())
                .int64(RowOperations.packed(modes))
                .int32(modes.size())
                .int32(firstMode == 0 ? 0 : 1)
                .run(engine.geometry().poolGradient(dOut.rows(), norm.columns()));
    }

    private CudaTensor full(CudaTensor x) {
        return Conversions.as(engine, x, ElementType.F32);
    }
}
