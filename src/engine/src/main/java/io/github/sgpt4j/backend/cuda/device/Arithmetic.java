package io.github.sgpt4j.backend.cuda.device;

import io.github.sgpt4j.backend.Precision;
import io.github.sgpt4j.backend.cuda.ffi.CublasLt;
import io.github.sgpt4j.tensor.ElementType;

/// How a device keeps weights and the values between matrix products, and how it computes the products. Sums, norms,
/// softmax and the residual stream are 32-bit floats in all of them.
public enum Arithmetic {
    /// 32-bit floats throughout
    FP32(ElementType.F32, CublasLt.COMPUTE_32F),
    /// 32-bit floats whose mantissas products cut to 10 bits, on tensor cores
    TF32(ElementType.F32, CublasLt.COMPUTE_32F_FAST_TF32),
    /// bfloat16
    BF16(ElementType.BF16, CublasLt.COMPUTE_32F),
    /// IEEE half precision; values beyond 65504 become infinite
    FP16(ElementType.F16, CublasLt.COMPUTE_32F);

    /// Compute capability from which devices multiply bfloat16 and tf32 on tensor cores.
    public static final int AMPERE = 80;

    private final ElementType type;
    private final int computeType;

    Arithmetic(ElementType type, int computeType) {
        this.type = type;
        this.computeType = computeType;
    }

    /// The arithmetic of a precision. [Precision#AUTO] is bfloat16 from compute capability 8.0 on.
    /// Before, half precision is what tensor cores multiply; 32-bit floats for models that exceed it.
    ///
    /// @param fitsHalf as [CudaOptions#fitsHalf]
    public static Arithmetic of(Precision precision, DeviceInfo device, boolean fitsHalf) {
        return switch (precision) {
            case AUTO -> device.computeCapability() >= AMPERE ? BF16 : fitsHalf ? FP16 : FP32;
            case FP32 -> FP32;
            case TF32 -> TF32;
            case BF16 -> BF16;
            case FP16 -> FP16;
        };
    }

    /// Whether a device has it.
    public boolean isOn(DeviceInfo device) {
        return switch (this) {
            case FP32, FP16 -> true;
            case TF32, BF16 -> device.computeCapability() >= AMPERE;
        };
    }

    /// Type of weights, and of values between products.
    public ElementType type() {
        return type;
    }

    /// `cublasComputeType_t`
    public int computeType() {
        return computeType;
    }
}
