package io.github.sgpt4j.weights;

import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.LongStream;

/// Computes statistics of stored weights.
public final class WeightScan {
    private static final long F64_EXPONENT = 0x7FF0_0000_0000_0000L;
    private static final int F32_EXPONENT = 0x7F80_0000;
    private static final int F16_EXPONENT = 0x7C00;
    private static final int BF16_EXPONENT = 0x7F80;
    private static final int F8_E5M2_EXPONENT = 0x7C;

    /// This type has no infinities, and NaN only with all of exponent and fraction set.
    private static final int F8_E4M3_NAN = 0x7F;

    /// This type is only an exponent: no sign, no infinities, one NaN.
    private static final int F8_E8M0_NAN = 0xFF;

    /// The only NaN of these types, in place of negative zero; they have no infinities.
    private static final byte F8_FNUZ_NAN = (byte) 0x80;

    /// Elements processed together: few enough for a cache.
    private static final int PIECE = 1 << 16;

    private WeightScan() {}

    /// Totals of one data type in a checkpoint.
    public record Totals(long tensors, long elements, long bytes) {
        private Totals plus(WeightTensor tensor) {
            return new Totals(
                    tensors + 1,
                    elements + tensor.shape().elements(),
                    bytes + tensor.data().byteSize());
        }
    }

    /// Statistics of elements; minimum and maximum are those of finite elements, NaN if there is none.
    public record Statistics(long nan, long infinite, float min, float max, float absMax) {
        private static final Statistics NONE = new Statistics(0, 0, Float.NaN, Float.NaN, Float.NaN);

        private Statistics plus(Statistics other) {
            return new Statistics(
                    nan + other.nan,
                    infinite + other.infinite,
                    Float.isNaN(min) ? other.min : Float.isNaN(other.min) ? min : Math.min(min, other.min),
                    Float.isNaN(max) ? other.max : Float.isNaN(other.max) ? max : Math.max(max, other.max),
                    Float.isNaN(absMax)
                            ? other.absMax
                            : Float.isNaN(other.absMax) ? absMax : Math.max(absMax, other.absMax));
        }
    }

    /// Reads all elements, on all processors, piece by piece: memory does not grow with the tensor.
    ///
    /// @param tensor of type F32, F16 or BF16
    /// @throws IllegalStateException if it has another type, or the weights are closed
    public static Statistics statistics(WeightTensor tensor) {
        long elements = tensor.shape().elements();
        long pieces = Math.ceilDiv(elements, PIECE);
        return LongStream.range(0, pieces)
                .parallel()
                .mapToObj(i -> piece(tensor, i * PIECE, (int) Math.min(PIECE, elements - i * PIECE)))
                .reduce(Statistics.NONE, Statistics::plus);
    }

    private static Statistics piece(WeightTensor tensor, long first, int count) {
        float[] values = new float[count];
        tensor.copyTo(first, values, 0, count);
        int nonFinite = 0;
        float min = Float.POSITIVE_INFINITY;
        float max = Float.NEGATIVE_INFINITY;
        for (float value : values) {
            nonFinite += Math.abs(value) <= Float.MAX_VALUE ? 0 : 1;
            min = Math.min(min, value);
            max = Math.max(max, value);
        }
        return nonFinite == 0
                ? new Statistics(0, 0, min, max, Math.max(Math.abs(min), Math.abs(max)))
                : damagedPiece(values);
    }

    private static Statistics damagedPiece(float[] values) {
        Statistics sum = Statistics.NONE;
        for (float value : values) {
            if (Float.isNaN(value)) {
                sum = sum.plus(new Statistics(1, 0, Float.NaN, Float.NaN, Float.NaN));
            } else if (Float.isInfinite(value)) {
                sum = sum.plus(new Statistics(0, 1, Float.NaN, Float.NaN, Float.NaN));
            } else {
                sum = sum.plus(new Statistics(0, 0, value, value, Math.abs(value)));
            }
        }
        return sum;
    }

    /// Row-major index of the first element that is NaN or infinite, if any; none for integers and for
    /// types smaller than a byte. Reads the whole tensor.
    ///
    /// @throws IllegalStateException if the weights are closed
    public static OptionalLong firstNonFinite(WeightTensor tensor) {
        long elements = tensor.shape().elements();
        long first = switch (tensor.dtype()) {
            case F64 -> firstOf64(tensor.data(), elements, F64_EXPONENT);
            case F32 -> firstOf32(tensor.data(), elements, F32_EXPONENT);
            case F16 -> firstOf16(tensor.data(), elements, F16_EXPONENT);
            case BF16 -> firstOf16(tensor.data(), elements, BF16_EXPONENT);
            case F8_E5M2 -> firstOf8(tensor.data(), elements, F8_E5M2_EXPONENT);
            case F8_E4M3 -> firstOf8(tensor.data(), elements, F8_E4M3_NAN);
            case F8_E8M0 -> firstOf8(tensor.data(), elements, F8_E8M0_NAN);
            case F8_E4M3FNUZ, F8_E5M2FNUZ -> firstEqual(tensor.data(), F8_FNUZ_NAN);
            case C64 -> half(firstOf32(tensor.data(), 2 * elements, F32_EXPONENT));
            case BOOL, F4, F6_E2M3, F6_E3M2, U8, I8, I16, U16, I32, U32, I64, U64 -> -1;
        };
        return first < 0 ? OptionalLong.empty() : OptionalLong.of(first);
    }

    private static long firstOf64(MemorySegment data, long elements, long exponent) {
        for (long i = 0; i < elements; i++) {
            if ((data.getAtIndex(LittleEndian.I64, i) & exponent) == exponent) {
                return i;
            }
        }
        return -1;
    }

    private static long firstOf32(MemorySegment data, long elements, int exponent) {
        for (long i = 0; i < elements; i++) {
            if ((data.getAtIndex(LittleEndian.I32, i) & exponent) == exponent) {
                return i;
            }
        }
        return -1;
    }

    private static long firstOf16(MemorySegment data, long elements, int exponent) {
        for (long i = 0; i < elements; i++) {
            if ((data.getAtIndex(LittleEndian.I16, i) & exponent) == exponent) {
                return i;
            }
        }
        return -1;
    }

    private static long firstOf8(MemorySegment data, long elements, int exponent) {
        for (long i = 0; i < elements; i++) {
            if ((data.get(ValueLayout.JAVA_BYTE, i) & exponent) == exponent) {
                return i;
            }
        }
        return -1;
    }

    private static long firstEqual(MemorySegment data, byte value) {
        for (long i = 0; i < data.byteSize(); i++) {
            if (data.get(ValueLayout.JAVA_BYTE, i) == value) {
                return i;
            }
        }
        return -1;
    }

    /// The index of the element that contains this real or imaginary part.
    private static long half(long part) {
        return part < 0 ? part : part / 2;
    }

    /// Tensors, elements and bytes by data type, for those types that occur, in the order of [ElementType].
    public static Map<ElementType, Totals> totals(Weights weights) {
        Map<ElementType, Totals> totals = new EnumMap<>(ElementType.class);
        for (String name : weights.names()) {
            WeightTensor tensor = weights.get(name);
            totals.put(
                    tensor.dtype(),
                    totals.getOrDefault(tensor.dtype(), new Totals(0, 0, 0)).plus(tensor));
        }
        return totals;
    }
}
