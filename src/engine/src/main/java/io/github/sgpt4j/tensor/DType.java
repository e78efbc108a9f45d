package io.github.sgpt4j.tensor;

/// Element types of stored tensors, named as in the safetensors format.
public enum DType {
    BOOL(1),
    U8(1),
    I8(1),
    F8_E4M3(1),
    F8_E5M2(1),
    I16(2),
    U16(2),
    F16(2),
    BF16(2),
    I32(4),
    U32(4),
    F32(4),
    I64(8),
    U64(8),
    F64(8);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /// Bytes per element.
    public int bytes() {
        return bytes;
    }

    /// Whether the engine computes with weights of this type: F32, F16, BF16.
    public boolean isWeight() {
        return this == F32 || this == F16 || this == BF16;
    }
}
