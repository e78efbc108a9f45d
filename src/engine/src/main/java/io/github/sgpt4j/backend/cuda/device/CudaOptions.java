package io.github.sgpt4j.backend.cuda.device;

import io.github.sgpt4j.backend.Precision;

/// How the CUDA backend is set up.
///
/// @param ordinal the device's number, from 0
/// @param precision types of weights and products
/// @param synchronizeEach whether to wait for each kernel, so that a failure names the one that failed; slow
/// @param fitsHalf whether the model's values between products stay within half precision, which [Precision#AUTO] then
///     is on devices without bfloat16
public record CudaOptions(int ordinal, Precision precision, boolean synchronizeEach, boolean fitsHalf) {
    /// System property that sets [#synchronizeEach].
    public static final String SYNCHRONIZE = "sgpt4j.cuda.synchronize";

    public CudaOptions {
        if (ordinal < 0) {
            throw new IllegalArgumentException("cuda device " + ordinal);
        }
    }

    /// Waits for each kernel if the system property says so.
    public CudaOptions(int ordinal, Precision precision) {
        this(ordinal, precision, Boolean.getBoolean(SYNCHRONIZE));
    }

    /// For a model that may exceed half precision.
    public CudaOptions(int ordinal, Precision precision, boolean synchronizeEach) {
        this(ordinal, precision, synchronizeEach, false);
    }

    public CudaOptions withFitsHalf(boolean value) {
        return new CudaOptions(ordinal, precision, synchronizeEach, value);
    }
}
