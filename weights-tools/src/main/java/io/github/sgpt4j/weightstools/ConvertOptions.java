package io.github.sgpt4j.weightstools;

import io.github.sgpt4j.tensor.DType;
import java.util.Optional;

/// How to convert.
///
/// @param type element type of the converted weights
/// @param maxShardBytes most bytes of tensors in one file; a larger tensor gets a file of its own
/// @param force replace existing files
public record ConvertOptions(StoredType type, long maxShardBytes, boolean force) {
    /// The default of transformers for years.
    public static final long DEFAULT_MAX_SHARD_BYTES = 5_000_000_000L;

    /// As stored, in files of at most 5 GB, replacing nothing.
    public static final ConvertOptions DEFAULT = new ConvertOptions(StoredType.KEEP, DEFAULT_MAX_SHARD_BYTES, false);

    /// @throws IllegalArgumentException if `maxShardBytes` is not positive
    public ConvertOptions {
        if (maxShardBytes <= 0) {
            throw new IllegalArgumentException("expected a positive size of shards, got %d".formatted(maxShardBytes));
        }
    }

    /// Element types to choose from. Integers and booleans are never converted.
    public enum StoredType {
        /// As stored.
        KEEP(Optional.empty(), ""),
        /// 32-bit floats.
        F32(Optional.of(DType.F32), "float32"),
        /// 16-bit floats (half precision).
        F16(Optional.of(DType.F16), "float16"),
        /// 16-bit floats with the range of 32-bit ones (bfloat16).
        BF16(Optional.of(DType.BF16), "bfloat16");

        private final Optional<DType> type;
        private final String configName;

        StoredType(Optional<DType> type, String configName) {
            this.type = type;
            this.configName = configName;
        }

        /// The type that a tensor of the given type is written as.
        DType of(DType stored) {
            return Conversion.isFloating(stored) ? type.orElse(stored) : stored;
        }

        /// The type's name in `config.json`.
        String configName() {
            return configName;
        }
    }

    /// With another element type.
    public ConvertOptions withType(StoredType value) {
        return new ConvertOptions(value, maxShardBytes, force);
    }

    /// With at most this many bytes of tensors in one file.
    ///
    /// @throws IllegalArgumentException if not positive
    public ConvertOptions withMaxShardBytes(long value) {
        return new ConvertOptions(type, value, force);
    }

    /// With existing files replaced, or kept.
    public ConvertOptions withForce(boolean value) {
        return new ConvertOptions(type, maxShardBytes, value);
    }
}
