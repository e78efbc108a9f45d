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
    FP16(ElementType.F16, CublasLt.COMPUTE_32F),
    /// bfloat16, and e4m3 in products: with a scale for each row of activations and of weights
    FP8(ElementType.BF16, CublasLt.COMPUTE_32F);

    /// Compute capability from which devices multiply bfloat16 and tf32 on tensor cores.
    public static final int AMPERE = 80;

    /// Compute capability from which devices multiply e4m3.
    private static final int ADA = 89;

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
            case FP8 -> FP8;
        };
    }

    /// The compute capability from which devices have it.
    public int capability() {
        return switch (this) {
            case FP32, FP16 -> CudaDevices.MIN_CAPABILITY;
            case TF32, BF16 -> AMPERE;
            case FP8 -> ADA;
        };
    }

    /// Whether a device has it.
    public boolean isOn(DeviceInfo device) {
        return device.computeCapability() >= capability();
    }

    /// Type of weights, and of values between products; in [#FP8] of weights that are not multiplied in 8 bits.
    public ElementType type() {
        return type;
    }

    /// Bytes of most weights.
    public int weightBytes() {
        return this == FP8 ? Byte.BYTES : type.bytes();
    }

    /// `cublasComputeType_t`
    public int computeType() {
        return computeType;
    }
}
