package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.cuda.device.DeviceTypes;
import io.github.sgpt4j.backend.cuda.ffi.Streams;
import io.github.sgpt4j.tensor.ElementType;
import java.util.function.Consumer;

/// Values from one type to another, on the device.
final class Conversions {
    private Conversions() {}

    /// Converts `count` values that lie next to one another.
    static void plain(CudaEngine engine, long from, ElementType source, long count, long to, ElementType target) {
        if (source == target) {
            Streams.copy(to, from, source.bytes(1, count), engine.pass().stream());
            return;
        }
        engine.launcher()
                .kernel(DeviceTypes.kernel("sgpt_convert", source, target))
                .pointer(from)
                .pointer(to)
                .int64(1)
                .int64(count)
                .int64(count)
                .int64(count)
                .int64(0)
                .int64(1)
                .int64(1)
                .run(engine.geometry().rows(1, count, source, target));
    }

    /// Lets `work` make or change 32-bit floats, and rounds them if `out` is narrower.
    ///
    /// @param changed whether `work` reads what is in `out`
    static void intoFull(CudaEngine engine, CudaTensor out, boolean changed, Consumer<CudaTensor> work) {
        if (out.type() == ElementType.F32) {
            work.accept(out);
            return;
        }
        try (CudaTensor full = changed ? as(engine, out, ElementType.F32) : full(engine, out.rows(), out.columns())) {
            work.accept(full);
            long count = (long) out.rows() * out.columns();
            plain(engine, full.address(), full.type(), count, out.address(), out.type());
        }
    }

    /// New memory for 32-bit floats.
    static CudaTensor full(CudaEngine engine, int rows, int columns) {
        long bytes = ElementType.F32.bytes(rows, columns);
        return new CudaTensor(engine.pass().take(bytes), rows, columns, ElementType.F32);
    }

    /// The tensor itself if it has this type, otherwise a copy in it. The caller closes the result either way.
    static CudaTensor as(CudaEngine engine, CudaTensor x, ElementType type) {
        if (x.type() == type) {
            return (CudaTensor) x.slice(0, x.rows());
        }
        CudaTensor copy =
                new CudaTensor(engine.pass().take(type.bytes(x.rows(), x.columns())), x.rows(), x.columns(), type);
        plain(engine, x.address(), x.type(), (long) x.rows() * x.columns(), copy.address(), type);
        return copy;
    }
}
