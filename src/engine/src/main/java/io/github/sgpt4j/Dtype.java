package io.github.sgpt4j;

import io.github.sgpt4j.text.Quoted;
import java.util.Locale;

/// How weights are kept in memory; on a GPU also the input type of matrix products. On the CPU, all
/// arithmetic has the precision of 32-bit floats, whatever the type; on a GPU, sums, norms, softmax and
/// the residual stream have it.
public enum Dtype {
    /// What suits the device. On a CPU with a matrix unit: as [#FP32]; on other CPUs: as the checkpoint
    /// stores them. On a GPU: bfloat16; below compute capability 8.0 half precision, or 32-bit floats for
    /// families that exceed it (GPT-Neo, Qwen2).
    AUTO,
    /// 32-bit floats. On a CPU with a matrix unit: 24-bit numbers relative to the largest one of their
    /// column, which are as precise in products.
    FP32,
    /// 32-bit floats whose mantissas are cut to 10 bits in matrix products, on tensor cores: GPUs of
    /// compute capability 8.0 or higher.
    TF32,
    /// bfloat16: 8 bits of mantissa.
    BF16,
    /// IEEE half precision: 11 bits of mantissa, magnitudes up to 65504.
    FP16,
    /// Products of 8-bit floats (e4m3: 4 bits of mantissa with the hidden one) with a scale for each row of weights and
    /// of activations, on tensor cores: GPUs of compute capability 8.9 on. Everything else as in [#BF16].
    FP8;

    /// Reads a name such as `bf16`.
    ///
    /// @throws IllegalArgumentException if no type has that name
    public static Dtype parse(String name) {
        for (Dtype dtype : values()) {
            if (dtype.toString().equals(name.toLowerCase(Locale.ROOT))) {
                return dtype;
            }
        }
        throw new IllegalArgumentException(
                "dtype: expected auto, fp32, tf32, bf16, fp16 or fp8, got " + Quoted.of(name));
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
