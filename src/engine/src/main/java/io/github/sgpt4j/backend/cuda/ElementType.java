package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.cuda.ffi.CublasLt;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.weights.WeightTensor;

/// Types of values on the device, as kernels' names have them.
enum ElementType {
    F32("f32", Float.BYTES, CublasLt.R_32F),
    F16("f16", Short.BYTES, CublasLt.R_16F),
    BF16("bf16", Short.BYTES, CublasLt.R_16BF);

    private final String suffix;
    private final int bytes;
    private final int cublasType;

    ElementType(String suffix, int bytes, int cublasType) {
        this.suffix = suffix;
        this.bytes = bytes;
        this.cublasType = cublasType;
    }

    /// Bytes of an element.
    int bytes() {
        return bytes;
    }

    /// `cudaDataType`
    int cublasType() {
        return cublasType;
    }

    /// Bytes of `rows · columns` elements.
    long bytes(long rows, long columns) {
        return Math.multiplyExact(Math.multiplyExact(rows, columns), (long) bytes);
    }

    /// The type that a weight is stored in.
    static ElementType of(WeightTensor weight) {
        return switch (weight.dtype()) {
            case F32 -> F32;
            case F16 -> F16;
            case BF16 -> BF16;
            default ->
                throw new BackendException("cuda: tensor %s in %s: expected weights of type F32, F16 or BF16, got %s"
                        .formatted(weight.name(), weight.file(), weight.dtype()));
        };
    }

    @Override
    public String toString() {
        return suffix;
    }
}
