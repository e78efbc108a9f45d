package io.github.sgpt4j;

import io.github.sgpt4j.error.FormatException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Turns embeddings into vectors of bytes, as sentence-transformers' `quantize_embeddings` (6.0) does,
/// and compares them. Immutable, safe to share between threads.
///
/// - [VectorPrecision#UINT8]: `clip(floor((x - start) / step), 0, 255)` in 32-bit arithmetic, where a
///   component's range begins at `start` and `step` is its 255th part, or 1 if the range is a point.
///   [VectorPrecision#INT8]: the same minus 128.
/// - [VectorPrecision#UBINARY]: a bit per component, 1 if `x > 0`, the first in the highest bit of the
///   first byte, the last byte filled with zeros. [VectorPrecision#BINARY]: the same bytes minus 128.
///
/// Both forms of a kind hold the same information, but different bytes: do not mix them in one store.
public final class VectorQuantizer {
    private static final int LEVELS = 255;
    private static final int OFFSET = 128;

    private final VectorPrecision precision;
    private final @Nullable VectorRanges ranges;
    private final float[] steps;

    private VectorQuantizer(VectorPrecision precision, @Nullable VectorRanges ranges) {
        this.precision = precision;
        this.ranges = ranges;
        steps = ranges == null ? new float[0] : steps(ranges);
    }

    private static float[] steps(VectorRanges ranges) {
        float[] steps = new float[ranges.dimension()];
        for (int i = 0; i < steps.length; i++) {
            float step = (ranges.largest(i) - ranges.least(i)) / LEVELS;
            steps[i] = step == 0 ? 1 : step;
        }
        return steps;
    }

    /// A quantizer to bits, which needs no ranges.
    ///
    /// @throws IllegalArgumentException if the precision needs ranges or is [VectorPrecision#FLOAT32]
    public static VectorQuantizer of(VectorPrecision precision) {
        if (!precision.isBinary()) {
            throw new IllegalArgumentException(
                    precision.needsRanges()
                            ? "precision %s: expected ranges of components, got none".formatted(precision)
                            : "precision %s: nothing to quantise".formatted(precision));
        }
        return new VectorQuantizer(precision, null);
    }

    /// A quantizer to bytes.
    ///
    /// @param ranges for example those of a sample of the documents
    /// @throws IllegalArgumentException if the precision needs no ranges
    public static VectorQuantizer of(VectorPrecision precision, VectorRanges ranges) {
        if (!precision.needsRanges()) {
            throw new IllegalArgumentException("precision %s: ranges have no effect".formatted(precision));
        }
        return new VectorQuantizer(precision, ranges);
    }

    /// What vectors become.
    public VectorPrecision precision() {
        return precision;
    }

    /// The ranges in use, if the precision needs any.
    public Optional<VectorRanges> ranges() {
        return Optional.ofNullable(ranges);
    }

    /// One embedding in this precision.
    ///
    /// @param embedding `[dimension]`
    /// @return `[VectorPrecision.columns(dimension)]`; unsigned precisions need [Byte#toUnsignedInt]
    /// @throws IllegalArgumentException if ranges are of another dimension
    /// @throws FormatException if a component is not finite
    public byte[] quantize(float[] embedding) {
        for (int i = 0; i < embedding.length; i++) {
            if (!Float.isFinite(embedding[i])) {
                throw new FormatException("embedding: component %d: expected a finite number to quantise, got %s"
                        .formatted(i + 1, embedding[i]));
            }
        }
        return ranges == null ? bits(embedding) : levels(embedding, ranges);
    }

    /// Embeddings in this precision.
    ///
    /// @param embeddings `[rows][dimension]`
    /// @return `[rows][VectorPrecision.columns(dimension)]`
    public byte[][] quantize(float[][] embeddings) {
        byte[][] quantised = new byte[embeddings.length][];
        for (int i = 0; i < embeddings.length; i++) {
            quantised[i] = quantize(embeddings[i]);
        }
        return quantised;
    }

    private byte[] levels(float[] embedding, VectorRanges of) {
        if (embedding.length != of.dimension()) {
            throw new IllegalArgumentException("embedding: expected %d components, as the ranges have, got %d"
                    .formatted(of.dimension(), embedding.length));
        }
        int offset = precision.isUnsigned() ? 0 : OFFSET;
        byte[] levels = new byte[embedding.length];
        for (int i = 0; i < levels.length; i++) {
            double level = Math.floor((embedding[i] - of.least(i)) / steps[i]);
            levels[i] = (byte) ((int) Math.clamp(level, 0, LEVELS) - offset);
        }
        return levels;
    }

    private byte[] bits(float[] embedding) {
        int offset = precision.isUnsigned() ? 0 : OFFSET;
        byte[] bytes = new byte[precision.columns(embedding.length)];
        for (int at = 0; at < bytes.length; at++) {
            int value = 0;
            for (int bit = 0; bit < Byte.SIZE; bit++) {
                int component = at * Byte.SIZE + bit;
                boolean set = component < embedding.length && embedding[component] > 0;
                value = value << 1 | (set ? 1 : 0);
            }
            bytes[at] = (byte) (value - offset);
        }
        return bytes;
    }

    /// How similar two quantised vectors are; higher is more similar. Of bits: minus the number of
    /// those that differ (the Hamming distance). Of bytes: the dot product of the numbers.
    ///
    /// @param a from [#quantize]
    /// @param b from [#quantize], with the same ranges
    /// @throws IllegalArgumentException if their lengths differ
    public long score(byte[] a, byte[] b) {
        if (a.length != b.length) {
            throw new IllegalArgumentException(
                    "vectors: expected equal lengths, got %d and %d".formatted(a.length, b.length));
        }
        return precision.isBinary() ? -hamming(a, b) : precision.isUnsigned() ? unsignedDot(a, b) : dot(a, b);
    }

    private static long hamming(byte[] a, byte[] b) {
        long differing = 0;
        for (int i = 0; i < a.length; i++) {
            differing += Integer.bitCount((a[i] ^ b[i]) & 0xFF);
        }
        return differing;
    }

    private static long dot(byte[] a, byte[] b) {
        long sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (long) a[i] * b[i];
        }
        return sum;
    }

    private static long unsignedDot(byte[] a, byte[] b) {
        long sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (long) Byte.toUnsignedInt(a[i]) * Byte.toUnsignedInt(b[i]);
        }
        return sum;
    }
}
