package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.tensor.ElementType;

/// How to convert.
///
/// @param dtype what the converted weights are stored as: [Dtype#FP32], [Dtype#FP16], [Dtype#BF16], or as they are
///     with [Dtype#AUTO]
/// @param maxShardBytes most bytes of tensors in one file; a larger tensor gets a file of its own
/// @param force whether to replace files that exist already
public record ConvertOptions(Dtype dtype, long maxShardBytes, boolean force) {
    /// The default of transformers for years.
    public static final long DEFAULT_MAX_SHARD_BYTES = 5_000_000_000L;

    /// As stored, in files of at most 5 GB, replacing nothing.
    public static final ConvertOptions DEFAULT = new ConvertOptions(Dtype.AUTO, DEFAULT_MAX_SHARD_BYTES, false);

    /// @throws IllegalArgumentException if `maxShardBytes` is not positive, or if no file stores the type (tf32, fp8)
    public ConvertOptions {
        if (maxShardBytes <= 0) {
            throw new IllegalArgumentException("expected a positive size of shards, got %d".formatted(maxShardBytes));
        }
        if (dtype == Dtype.TF32 || dtype == Dtype.FP8) {
            throw new IllegalArgumentException("dtype: expected auto, fp32, bf16 or fp16 for files, got " + dtype);
        }
    }

    /// What a tensor is stored as. Numbers that are not floating-point stay as they are.
    static ElementType storedAs(Dtype dtype, ElementType type) {
        if (!Conversion.isFloating(type)) {
            return type;
        }
        return switch (dtype) {
            case AUTO -> type;
            case FP32, TF32 -> ElementType.F32;
            case FP16 -> ElementType.F16;
            case BF16, FP8 -> ElementType.BF16;
        };
    }

    /// With another type of weights.
    ///
    /// @throws IllegalArgumentException if no file stores it (tf32, fp8)
    public ConvertOptions withDtype(Dtype value) {
        return new ConvertOptions(value, maxShardBytes, force);
    }

    /// With at most this many bytes of tensors in one file.
    ///
    /// @throws IllegalArgumentException if not positive
    public ConvertOptions withMaxShardBytes(long value) {
        return new ConvertOptions(dtype, value, force);
    }

    /// With existing files replaced, or kept.
    public ConvertOptions withForce(boolean value) {
        return new ConvertOptions(dtype, maxShardBytes, value);
    }
}
