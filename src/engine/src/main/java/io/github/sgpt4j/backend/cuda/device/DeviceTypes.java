package io.github.sgpt4j.backend.cuda.device;

import io.github.sgpt4j.backend.cuda.ffi.CublasLt;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.WeightTensor;

/// What kernels and cuBLASLt call the types of values on a device: F32, F16, BF16, and F8_E4M3 in products.
public final class DeviceTypes {
    private DeviceTypes() {}

    /// The type that a weight is stored in.
    ///
    /// @throws BackendException if the backend does not compute with it
    public static ElementType of(WeightTensor weight) {
        if (!weight.dtype().isWeight()) {
            throw new BackendException("cuda: tensor %s in %s: expected weights of type F32, F16 or BF16, got %s"
                    .formatted(weight.name(), weight.file(), weight.dtype()));
        }
        return weight.dtype();
    }

    /// The name of a kernel for values of a type.
    public static String kernel(String name, ElementType type) {
        return name + "_" + suffix(type);
    }

    /// The name of a kernel from values of a type to values of another.
    public static String kernel(String name, ElementType from, ElementType to) {
        return name + "_" + suffix(from) + "_" + suffix(to);
    }

    private static String suffix(ElementType type) {
        return switch (type) {
            case F32 -> "f32";
            case F16 -> "f16";
            case BF16 -> "bf16";
            default -> throw new IllegalArgumentException("no type of kernels: " + type);
        };
    }

    /// `cudaDataType`
    public static int cublasType(ElementType type) {
        return switch (type) {
            case F32 -> CublasLt.R_32F;
            case F16 -> CublasLt.R_16F;
            case BF16 -> CublasLt.R_16BF;
            case F8_E4M3 -> CublasLt.R_8F_E4M3;
            default -> throw new IllegalArgumentException("no type of products: " + type);
        };
    }
}
