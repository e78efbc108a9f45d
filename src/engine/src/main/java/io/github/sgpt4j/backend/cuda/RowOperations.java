package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.Activation;
import io.github.sgpt4j.backend.PoolMode;
import io.github.sgpt4j.backend.cuda.device.DeviceTypes;
import io.github.sgpt4j.backend.cuda.ffi.Streams;
import io.github.sgpt4j.backend.cuda.launch.Geometry;
import io.github.sgpt4j.backend.cuda.launch.Launcher;
import io.github.sgpt4j.backend.cuda.memory.DeviceBuffer;
import io.github.sgpt4j.backend.cuda.memory.PinnedBuffer;
import io.github.sgpt4j.batch.SequenceRows;
import io.github.sgpt4j.tensor.ElementType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/// Operations that treat every row, or every segment, by itself. Shapes have been checked; runs under the engine's
/// lock.
final class RowOperations {
    /// Modes that one launch of the pooling kernel takes.
    static final int MAX_MODES = 16;

    private static final int BITS_PER_MODE = 4;

    private final CudaEngine engine;

    RowOperations(CudaEngine engine) {
        this.engine = engine;
    }

    /// `out[t] = scale · table[ids[t] + offset]`, or added to it.
    ///
    /// @param ids address of `[tokens]`
    void embed(CudaTable table, long ids, int offset, float scale, boolean add, CudaTensor out) {
        long rows = table.address();
        engine.launcher()
                .kernel(DeviceTypes.kernel("sgpt_embed", table.type(), out.type()))
                .pointer(rows)
                .pointer(ids)
                .pointer(out.address())
                .int32(out.rows())
                .int32(out.columns())
                .int32(table.columns())
                .int32(out.columns())
                .int32(offset)
                .int32(add ? 1 : 0)
                .float32(scale)
                .run(engine.geometry().rows(out.rows(), out.columns(), table.type(), out.type()));
    }

    /// `out = norm(x)`.
    void norm(CudaTensor x, CudaNorm norm, CudaTensor out) {
        norm(x, 0, norm, out);
    }

    /// `out[i] = norm(x[rows[i]])`.
    void normRows(CudaTensor x, int[] rows, CudaNorm norm, CudaTensor out) {
        try (IndexArrays indices = IndexArrays.upload(engine, rows)) {
            norm(x, indices.address(0), norm, out);
        }
    }

    private void norm(CudaTensor x, long rows, CudaNorm norm, CudaTensor out) {
        if (x.type() == ElementType.F32 && Quantised.isWorthwhile(engine, out)) {
            normAndQuantise(x, rows, norm, norm.gain(), norm.bias(), out);
        } else {
            norm(x, rows, norm, false, out);
        }
    }

    /// `out += norm(x)`.
    void normAdd(CudaTensor x, CudaNorm norm, CudaTensor out) {
        norm(x, 0, norm, true, out);
    }

    private void norm(CudaTensor x, long rows, CudaNorm norm, boolean add, CudaTensor out) {
        long gain = norm.gain();
        long bias = norm.bias();
        normKernel(x.type(), out.type())
                .pointer(x.address())
                .pointer(rows)
                .pointer(gain)
                .pointer(bias)
                .pointer(out.address())
                .int32(out.rows())
                .int32(out.columns())
                .int32(1)
                .int32(x.columns())
                .int32(out.columns())
                .int32(norm.kind())
                .float32(norm.epsilon())
                .int32(add ? 1 : 0)
                .run(engine.geometry().norm(out.rows(), out.columns()));
    }

    private void normAndQuantise(CudaTensor x, long rows, CudaNorm norm, long gain, long bias, CudaTensor out) {
        Quantised next = Quantised.beside(engine, out);
        engine.launcher()
                .kernel("sgpt_norm_quantise_f32_bf16")
                .pointer(x.address())
                .pointer(rows)
                .pointer(gain)
                .pointer(bias)
                .pointer(out.address())
                .pointer(next.values().address())
                .pointer(next.scales().address())
                .int32(out.rows())
                .int32(out.columns())
                .int32(x.columns())
                .int32(out.columns())
                .int32(norm.kind())
                .float32(norm.epsilon())
                .run(engine.geometry().norm(out.rows(), out.columns()));
    }

    private Launcher normKernel(ElementType in, ElementType out) {
        return engine.launcher().kernel(DeviceTypes.kernel("sgpt_norm", in, out));
    }

    /// Normalises `heads` vectors of each row in place, from `firstColumn` on.
    void headNorm(CudaTensor qkv, int firstColumn, int heads, CudaNorm norm) {
        if (heads == 0) {
            return;
        }
        long address = qkv.address() + qkv.type().bytes(1, firstColumn);
        long gain = norm.gain();
        long bias = norm.bias();
        normKernel(qkv.type(), qkv.type())
                .pointer(address)
                .pointer(0)
                .pointer(gain)
                .pointer(bias)
                .pointer(address)
                .int32(qkv.rows())
                .int32(norm.columns())
                .int32(heads)
                .int32(qkv.columns())
                .int32(qkv.columns())
                .int32(norm.kind())
                .float32(norm.epsilon())
                .int32(0)
                .run(engine.geometry().norm((long) qkv.rows() * heads, norm.columns()));
    }

    /// Replaces every `columns` neighbouring values by their softmax.
    void softmax(CudaTensor x, int columns) {
        int groups = x.columns() / columns;
        engine.launcher()
                .kernel(DeviceTypes.kernel("sgpt_softmax", x.type()))
                .pointer(x.address())
                .int32(x.rows())
                .int32(columns)
                .int32(groups)
                .int32(x.columns())
                .run(engine.geometry().norm((long) x.rows() * groups, columns));
    }

    /// `x = activation(x + bias)`.
    ///
    /// @param bias address of `[columns]` in 32-bit floats, or 0
    void activate(CudaTensor x, long bias, Activation activation) {
        activate(x, bias, activation, x);
    }

    /// `out = activation(x + bias)`.
    ///
    /// @param bias as above
    void activate(CudaTensor x, long bias, Activation activation, CudaTensor out) {
        activation(x, bias, activation, false, out);
    }

    /// `out += x`.
    void add(CudaTensor x, CudaTensor out) {
        activation(x, 0, Activation.NONE, true, out);
    }

    private void activation(CudaTensor x, long bias, Activation activation, boolean add, CudaTensor out) {
        engine.launcher()
                .kernel(DeviceTypes.kernel("sgpt_activation", x.type(), out.type()))
                .pointer(x.address())
                .pointer(bias)
                .pointer(out.address())
                .int32(x.rows())
                .int32(x.columns())
                .int32(x.columns())
                .int32(out.columns())
                .int32(activation.ordinal())
                .int32(add ? 1 : 0)
                .run(engine.geometry().rows(x.rows(), x.columns(), x.type(), out.type()));
    }

    /// `out = activation(x[:, :f]) · x[:, f:]`.
    void gated(CudaTensor x, Activation activation, CudaTensor out) {
        if (x.type() == ElementType.BF16 && Quantised.isWorthwhile(engine, out)) {
            gateAndQuantise(x, activation, out);
            return;
        }
        engine.launcher()
                .kernel(DeviceTypes.kernel("sgpt_gated", x.type(), out.type()))
                .pointer(x.address())
                .pointer(out.address())
                .int32(out.rows())
                .int32(out.columns())
                .int32(x.columns())
                .int32(out.columns())
                .int32(activation.ordinal())
                .run(engine.geometry().rows(out.rows(), out.columns(), x.type(), out.type()));
    }

    private void gateAndQuantise(CudaTensor x, Activation activation, CudaTensor out) {
        Quantised next = Quantised.beside(engine, out);
        engine.launcher()
                .kernel("sgpt_quantise_gated")
                .pointer(x.address())
                .pointer(out.address())
                .pointer(next.values().address())
                .pointer(next.scales().address())
                .int32(out.rows())
                .int32(out.columns())
                .int32(x.columns())
                .int32(out.columns())
                .int32(activation.ordinal())
                .run(engine.geometry().norm(out.rows(), out.columns()));
    }

    /// Final norm and pooling.
    void pool(CudaTensor x, CudaNorm norm, SequenceRows sequences, int[] skip, List<PoolMode> modes, CudaTensor out) {
        int count = sequences.count();
        int longest = sequences.longest();
        int tokens = sequences.rows().length;
        int most = Math.min(modes.size(), MAX_MODES);
        long scratch = Geometry.poolScratch(tokens, count, longest, norm.columns(), most);
        int[] within = new int[count];
        Arrays.setAll(within, i -> Math.min(skip[i], sequences.length(i)));
        try (IndexArrays index = IndexArrays.upload(engine, sequences.rows(), sequences.starts(), within);
                DeviceBuffer partial = engine.pass().take(Math.max(1, scratch) * Float.BYTES)) {
            for (int from = 0; from < modes.size(); from += MAX_MODES) {
                List<PoolMode> some = modes.subList(from, Math.min(modes.size(), from + MAX_MODES));
                long target = out.address() + ElementType.F32.bytes(from, norm.columns());
                poolSome(
                        x,
                        norm,
                        new Sequences(index.address(0), index.address(1), index.address(2), longest),
                        some,
                        scratch == 0 ? 0 : partial.address(),
                        target,
                        out);
            }
        }
    }

    /// On the device: rows of all sequences, where each starts among them, and tokens to leave out of each.
    private record Sequences(long rows, long starts, long skip, int longest) {}

    private void poolSome(
            CudaTensor x,
            CudaNorm norm,
            Sequences sequences,
            List<PoolMode> modes,
            long partial,
            long target,
            CudaTensor out) {
        // These may run kernels of their own, before the arguments of this one are collected.
        long gain = norm.gain();
        long bias = norm.bias();
        long packedModes = packed(modes);
        engine.launcher()
                .kernel(DeviceTypes.kernel("sgpt_pool", x.type()))
                .pointer(x.address())
                .pointer(sequences.rows)
                .pointer(sequences.starts)
                .pointer(sequences.skip)
                .pointer(gain)
                .pointer(bias)
                .pointer(partial)
                .pointer(target)
                .int32(out.rows())
                .int32(norm.columns())
                .int32(x.columns())
                .int32(out.columns())
                .int32(norm.kind())
                .float32(norm.epsilon())
                .int32(Geometry.POOL_SLICE)
                .int64(packedModes)
                .int32(modes.size())
                .run(engine.geometry().pool(out.rows(), sequences.longest));
        if (partial != 0) {
            engine.launcher()
                    .kernel("sgpt_pool_finish")
                    .pointer(partial)
                    .pointer(sequences.starts)
                    .pointer(sequences.skip)
                    .pointer(target)
                    .int32(out.rows())
                    .int32(norm.columns())
                    .int32(out.columns())
                    .int32(Geometry.POOL_SLICE)
                    .int64(packedModes)
                    .int32(modes.size())
                    .run(engine.geometry().poolFinish(out.rows(), norm.columns()));
        }
    }

    /// As kernels take modes, [#MAX_MODES] at most.
    static long packed(List<PoolMode> modes) {
        long packed = 0;
        for (int i = 0; i < modes.size(); i++) {
            packed |= (long) modes.get(i).ordinal() << BITS_PER_MODE * i;
        }
        return packed;
    }

    /// Copies floats to the device, for operations that follow on the compute stream.
    DeviceBuffer floats(float[] values) {
        long bytes = (long) values.length * Float.BYTES;
        PinnedBuffer host = engine.pinned().take(bytes);
        MemorySegment.copy(values, 0, host.memory(), ValueLayout.JAVA_FLOAT, 0, values.length);
        try {
            DeviceBuffer device = engine.memory().take(bytes, engine.compute());
            Streams.copyIn(device.address(), host.memory(), bytes, engine.compute());
            return device;
        } finally {
            engine.pinned().give(host, engine.compute());
        }
    }
}
