package io.github.sgpt4j.backend.cuda;

import io.github.sgpt4j.backend.cuda.ffi.CublasLt;

/// What weights and the values between matrix products are kept in, and how products are computed. Sums, norms,
/// softmax and the residual stream are 32-bit floats in all of them.
public enum Precision {
    /// 32-bit floats throughout
    FP32(ElementType.F32, CublasLt.COMPUTE_32F),
    /// 32-bit floats whose mantissas products cut to 10 bits, on tensor cores
    TF32(ElementType.F32, CublasLt.COMPUTE_32F_FAST_TF32),
    /// bfloat16
    BF16(ElementType.BF16, CublasLt.COMPUTE_32F),
    /// IEEE half precision; values beyond 65504 become infinite
    FP16(ElementType.F16, CublasLt.COMPUTE_32F);

    /// Compute capability from which devices multiply bfloat16 and tf32 on tensor cores.
    static final int AMPERE = 80;

    private final ElementType type;
    private final int computeType;

    Precision(ElementType type, int computeType) {
        this.type = type;
        this.computeType = computeType;
    }

    /// What suits a device best: bfloat16 from compute capability 8.0 on, otherwise 32-bit floats, since half
    /// precision overflows in some models (GPT-Neo).
    public static Precision best(DeviceInfo device) {
        return device.computeCapability() >= AMPERE ? BF16 : FP32;
    }

    /// Whether a device has it.
    public boolean isOn(DeviceInfo device) {
        return switch (this) {
            case FP32, FP16 -> true;
            case TF32, BF16 -> device.computeCapability() >= AMPERE;
        };
    }

    /// Bytes of a weight.
    public int bytes() {
        return type.bytes();
    }

    ElementType type() {
        return type;
    }

    /// `cublasComputeType_t`
    int computeType() {
        return computeType;
    }
}
