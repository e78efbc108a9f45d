package io.github.sgpt4j;

import io.github.sgpt4j.text.Quoted;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/// The number types in which vector stores keep embeddings. Names and values are those of `precision`
/// in sentence-transformers' `quantize_embeddings`.
public enum VectorPrecision {
    /// The embedding as it is.
    FLOAT32,
    /// One byte per component, -128 to 127, relative to the range of the component ([VectorRanges]).
    INT8,
    /// One byte per component, 0 to 255, relative to the range of the component ([VectorRanges]).
    UINT8,
    /// One bit per component, eight to a byte, from which 128 is subtracted.
    BINARY,
    /// One bit per component, eight to a byte.
    UBINARY;

    /// Reads a name such as `int8`.
    ///
    /// @throws IllegalArgumentException if no precision has that name
    public static VectorPrecision parse(String name) {
        for (VectorPrecision precision : values()) {
            if (precision.toString().equals(name)) {
                return precision;
            }
        }
        throw new IllegalArgumentException("precision: expected one of %s, got %s"
                .formatted(
                        Arrays.stream(values()).map(VectorPrecision::toString).collect(Collectors.joining(", ")),
                        Quoted.of(name)));
    }

    /// Whether values depend on the ranges of components.
    public boolean needsRanges() {
        return this == INT8 || this == UINT8;
    }

    /// Whether a component becomes one bit.
    public boolean isBinary() {
        return this == BINARY || this == UBINARY;
    }

    /// Whether values lie from 0 to 255; a Java `byte` holds them as -128 to 127
    /// ([Byte#toUnsignedInt]).
    public boolean isUnsigned() {
        return this == UINT8 || this == UBINARY;
    }

    /// Numbers in a vector of this precision: components, or bytes of eight bits, the last one filled
    /// up.
    ///
    /// @param dimension of the embedding
    public int columns(int dimension) {
        return isBinary() ? Math.ceilDiv(dimension, Byte.SIZE) : dimension;
    }

    /// The lower-case name, such as `int8`.
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
