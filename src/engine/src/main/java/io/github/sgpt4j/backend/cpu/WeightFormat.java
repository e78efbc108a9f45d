package io.github.sgpt4j.backend.cpu;

import io.github.sgpt4j.tensor.DType;

/// How the CPU backend holds weight matrices. The 16-bit formats are widened in use: arithmetic is in 32-bit floats, or
/// at their precision on a matrix unit.
public enum WeightFormat {
    /// Tiles for the matrix unit, of 3 bytes a weight, where that is used; otherwise the type of the checkpoint.
    AS_STORED,
    /// Tiles for the matrix unit where that is used; otherwise 32-bit floats.
    F32,
    /// On the vector units, whatever else there is: the least memory.
    BF16,
    /// As [#BF16].
    F16;

    /// Whether matrices may be held as tiles for a matrix unit, which have the precision of 32-bit floats.
    boolean allowsTiles() {
        return switch (this) {
            case AS_STORED, F32 -> true;
            case BF16, F16 -> false;
        };
    }

    /// The type to hold a matrix in for the vector units whose parts are stored as `stored` (F32 stands for mixed
    /// ones).
    DType heldAs(DType stored) {
        return switch (this) {
            case AS_STORED -> stored;
            case F32 -> DType.F32;
            case BF16 -> DType.BF16;
            case F16 -> DType.F16;
        };
    }
}
