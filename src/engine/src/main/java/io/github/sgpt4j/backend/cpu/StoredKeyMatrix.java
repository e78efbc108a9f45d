package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.backend.cpu.kernel.Simd;
import io.github.sgpt4j.backend.cpu.vector.VectorCode;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Keys or values read in place, multiplied by [VectorCode].
final class StoredKeyMatrix implements KeyMatrix {
    private static final long ROW_BYTES = (long) Simd.TILE_COLUMNS * Float.BYTES;
    private static final MemorySegment ZEROS = MemorySegment.ofArray(new float[Simd.TILE_COLUMNS]);

    private @Nullable VectorCode code;
    private MemorySegment matrix = ZEROS;
    private long at;
    private long stride;
    private int dim;

    @Override
    public void begin(AttentionGradient gradient, int segment, int column) {
        CpuTensor qkv = gradient.qkv();
        code = gradient.code();
        matrix = qkv.values().memory();
        at = (long) (qkv.offset(gradient.batch().start(segment)) + column) * Float.BYTES;
        stride = (long) qkv.columns() * Float.BYTES;
        dim = gradient.parameters().headDim();
    }

    @Override
    public void end() {
        matrix = ZEROS;
    }

    @Override
    public void multiply(int first, int count, Floats right, int rightAt, Floats out, int outAt) {
        long from = (long) rightAt * Float.BYTES;
        Objects.requireNonNull(code)
                .multiply(
                        count,
                        dim,
                        matrix,
                        at + first * stride,
                        stride,
                        right.memory(),
                        from,
                        from,
                        ZEROS,
                        0,
                        0,
                        out.memory(),
                        (long) outAt * Float.BYTES,
                        ROW_BYTES);
    }

    @Override
    public void addTransposed(int first, int count, Floats right, Floats out, int outAt) {
        Objects.requireNonNull(code)
                .multiplyTransposed(
                        dim,
                        count,
                        matrix,
                        at + first * stride,
                        stride,
                        right.memory(),
                        0,
                        out.memory(),
                        (long) outAt * Float.BYTES);
    }
}
