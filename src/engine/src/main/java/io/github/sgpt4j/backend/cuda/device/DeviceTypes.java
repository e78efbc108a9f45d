package io.github.sgpt4j.backend.cuda.device;

import io.github.sgpt4j.backend.cuda.ffi.CublasLt;
import io.github.sgpt4j.error.BackendException;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.weights.WeightTensor;
import java.util.Locale;

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

    /// The type in kernels' names.
    public static String suffixOf(ElementType type) {
        return type.name().toLowerCase(Locale.ROOT);
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
