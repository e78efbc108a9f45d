package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.cuda.device.DeviceTypes;
import io.github.sgpt4j.backend.cuda.launch.Geometry;
import io.github.sgpt4j.backend.cuda.memory.DeviceBuffer;
import io.github.sgpt4j.tensor.ElementType;
import java.util.Arrays;

/// Sums of gradients over rows, added to sums on the device in an order that depends on sizes and indices alone. Shapes
/// have been checked; runs under the engine's lock.
final class GradientSums {
    private final CudaEngine engine;
    private final RowGradients gradients;

    GradientSums(CudaEngine engine, RowGradients gradients) {
        this.engine = engine;
        this.gradients = gradients;
    }

    /// `out += Σ_rows d`.
    void columns(CudaTensor d, CudaTensor out) {
        int slice = Geometry.sumSlice(d.rows());
        long slices = Math.ceilDiv(d.rows(), slice);
        try (DeviceBuffer partial = partial(slices, out)) {
            engine.launcher()
                    .kernel(DeviceTypes.kernel("sgpt_sums_columns", d.type()))
                    .pointer(d.address())
                    .pointer(partial.address())
                    .int32(d.rows())
                    .int32(d.columns())
                    .int32(d.columns())
                    .int32(slice)
                    .run(engine.geometry().sums(slices, d.columns()));
            finish(partial, slices, out);
        }
    }

    /// `out += Σ dOut ∘ x̂`, over the rows' vectors from `firstColumn` on.
    void gain(CudaTensor x, int firstColumn, int heads, CudaNorm norm, CudaTensor dOut, CudaTensor out) {
        if (heads == 0) {
            return;
        }
        if (!RowGradients.takes(x, dOut)) {
            try (CudaTensor full = Conversions.as(engine, x, ElementType.F32)) {
                gain(full, firstColumn, heads, norm, dOut, out);
            }
            return;
        }
        long vectors = (long) x.rows() * heads;
        int slice = Geometry.sumSlice(vectors);
        long slices = Math.ceilDiv(vectors, slice);
        try (DeviceBuffer statistics = gradients.statistics(x, firstColumn, heads, norm);
                DeviceBuffer partial = partial(slices, out)) {
            engine.launcher()
                    .kernel(DeviceTypes.kernel("sgpt_sums_gain", x.type(), dOut.type()))
                    .pointer(x.address() + x.type().bytes(1, firstColumn))
                    .pointer(statistics.address())
                    .pointer(dOut.address() + dOut.type().bytes(1, firstColumn))
                    .pointer(partial.address())
                    .int32(x.rows())
                    .int32(norm.columns())
                    .int32(heads)
                    .int32(x.columns())
                    .int32(dOut.columns())
                    .int32(slice)
                    .run(engine.geometry().sums(slices, norm.columns()));
            finish(partial, slices, out);
        }
    }

    private DeviceBuffer partial(long slices, CudaTensor out) {
        return engine.pass().take(ElementType.F32.bytes(slices, out.columns()));
    }

    private void finish(DeviceBuffer partial, long slices, CudaTensor out) {
        engine.launcher()
                .kernel("sgpt_sums_finish")
                .pointer(partial.address())
                .pointer(out.address())
                .int32(Math.toIntExact(slices))
                .int32(out.columns())
                .run(engine.geometry().sumsFinish(out.columns()));
    }

    /// `out[indices[t] + offset] += d[t]`: the rows that go to the same place, sorted here, are summed in order by the
    /// same threads.
    void rows(int[] indices, int offset, CudaTensor d, CudaTensor out) {
        Groups groups = Groups.of(indices, offset);
        try (IndexArrays index = IndexArrays.upload(engine, groups.order, groups.starts, groups.targets)) {
            engine.launcher()
                    .kernel(DeviceTypes.kernel("sgpt_sums_rows", d.type()))
                    .pointer(d.address())
                    .pointer(index.address(0))
                    .pointer(index.address(1))
                    .pointer(index.address(2))
                    .pointer(out.address())
                    .int32(groups.targets.length)
                    .int32(d.columns())
                    .int32(d.columns())
                    .run(engine.geometry().rows(groups.targets.length, d.columns(), d.type(), out.type()));
        }
    }

    /// Rows by where they go, in order.
    ///
    /// @param order rows, group after group
    /// @param starts where each group begins in `order`, `[groups + 1]`
    /// @param targets where each group goes, ascending
    record Groups(int[] order, int[] starts, int[] targets) {
        static Groups of(int[] indices, int offset) {
            long[] sorted = new long[indices.length];
            Arrays.setAll(sorted, t -> (long) (indices[t] + offset) << Integer.SIZE | t);
            Arrays.sort(sorted);
            int[] order = new int[sorted.length];
            int[] starts = new int[sorted.length + 1];
            int[] targets = new int[sorted.length];
            int groups = 0;
            for (int i = 0; i < sorted.length; i++) {
                order[i] = (int) sorted[i];
                int target = (int) (sorted[i] >> Integer.SIZE);
                if (groups == 0 || targets[groups - 1] != target) {
                    starts[groups] = i;
                    targets[groups++] = target;
                }
            }
            starts[groups] = sorted.length;
            return new Groups(order, Arrays.copyOf(starts, groups + 1), Arrays.copyOf(targets, groups));
        }
    }
}
