package io.github.sgpt4j.backend.cpu.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/// Copies products from off-heap memory to the output.
public final class ProductCopies {
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private ProductCopies() {}

    /// `out[at + r · stride + c] = products[r][c] + bias[b + c]`, plus the old value if `add`.
    ///
    /// @param products floats `[rows][width]`
    /// @param columns at most `width`
    public static void put(
            MemorySegment products,
            int width,
            int rows,
            int columns,
            float[] bias,
            int b,
            boolean add,
            float[] out,
            int at,
            int stride) {
        for (int r = 0; r < rows; r++) {
            long p = (long) r * width * Float.BYTES;
            int o = at + r * stride;
            int c = 0;
            for (; c <= columns - Simd.LANES; c += Simd.LANES) {
                FloatVector sum = FloatVector.fromMemorySegment(Simd.F, products, p + (long) c * Float.BYTES, ORDER)
                        .add(FloatVector.fromArray(Simd.F, bias, b + c));
                if (add) {
                    sum = sum.add(FloatVector.fromArray(Simd.F, out, o + c));
                }
                sum.intoArray(out, o + c);
            }
            for (; c < columns; c++) {
                float sum = products.get(ValueLayout.JAVA_FLOAT, p + (long) c * Float.BYTES) + bias[b + c];
                out[o + c] = add ? sum + out[o + c] : sum;
            }
        }
    }
}
