package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.tensor.DType;

/// How the CPU backend holds weight matrices. The 16-bit formats are widened in use: arithmetic is in 32-bit floats.
public enum WeightFormat {
    /// The type of the checkpoint.
    AS_STORED,
    F32,
    BF16,
    F16;

    /// The type to hold a matrix in whose parts are stored as `stored` (F32 stands for mixed ones).
    DType heldAs(DType stored) {
        return switch (this) {
            case AS_STORED -> stored;
            case F32 -> DType.F32;
            case BF16 -> DType.BF16;
            case F16 -> DType.F16;
        };
    }
}
