package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.cuda.device.Arithmetic;
import io.github.sgpt4j.backend.cuda.device.DeviceTypes;
import io.github.sgpt4j.backend.cuda.memory.DeviceBuffer;
import io.github.sgpt4j.tensor.ElementType;
import java.util.function.LongFunction;

/// Rows as e4m3 on the device, `[rows, columns]` without gaps, and a 32-bit scale for each row: what goes into
/// a product in 8 bits. Weights have a row for each output feature, activations one for each token.
///
/// @param values the rows
/// @param scales what each row's values are multiplied by to be what they stand for
record Quantised(DeviceBuffer values, DeviceBuffer scales) implements AutoCloseable {
    /// What sizes of matrices must be a multiple of: cuBLASLt multiplies 8 bits in steps of 16 bytes.
    private static final int STEP = 16;

    static boolean takes(int features) {
        return features % STEP == 0;
    }

    /// Whether a kernel that writes this tensor makes it ready for products in 8 bits at once.
    static boolean isWorthwhile(CudaEngine engine, CudaTensor out) {
        return engine.arithmetic() == Arithmetic.FP8
                && out.type() == ElementType.BF16
                && out.isWhole()
                && takes(out.columns());
    }

    /// Memory for what a kernel that writes a tensor writes beside it; kept with the tensor until that is written
    /// again.
    static Quantised beside(CudaEngine engine, CudaTensor out) {
        Quantised next = allocate(engine, out.rows(), out.columns());
        out.keep(next);
        return next;
    }

    private static Quantised allocate(CudaEngine engine, int rows, int columns) {
        return allocate(rows, columns, bytes -> engine.pass().take(bytes));
    }

    /// Memory for weights, which is kept for good.
    static Quantised allocateExactly(CudaEngine engine, long rows, int columns) {
        return allocate(rows, columns, bytes -> engine.memory().takeExactly(bytes, engine.compute()));
    }

    private static Quantised allocate(long rows, int columns, LongFunction<DeviceBuffer> memory) {
        DeviceBuffer values = memory.apply(ElementType.F8_E4M3.bytes(rows, columns));
        try {
            return new Quantised(values, memory.apply(rows * Float.BYTES));
        } catch (RuntimeException | Error e) {
            values.close();
            throw e;
        }
    }

    /// A tensor's rows, kept with it until it is written again; the caller closes the result.
    static Quantised of(CudaEngine engine, CudaTensor x) {
        Quantised known = x.quantised();
        if (known != null) {
            return known.retain();
        }
        Quantised made = allocate(engine, x.rows(), x.columns());
        try {
            run(engine, x.address(), x.type(), x.rows(), x.columns(), made.values.address(), made.scales.address());
        } catch (RuntimeException | Error e) {
            made.close();
            throw e;
        }
        if (x.isWhole()) {
            x.keep(made.retain());
        }
        return made;
    }

    /// Converts `[rows, columns]` that lie without gaps.
    static void run(CudaEngine engine, long from, ElementType type, int rows, int columns, long values, long scales) {
        engine.launcher()
                .kernel(DeviceTypes.kernel("sgpt_quantise", type))
                .pointer(from)
                .pointer(values)
                .pointer(scales)
                .int32(rows)
                .int32(columns)
                .int32(columns)
                .run(engine.geometry().norm(rows, columns));
    }

    /// One more owner that will close it.
    Quantised retain() {
        values.retain();
        scales.retain();
        return this;
    }

    @Override
    public void close() {
        values.close();
        scales.close();
    }
}
