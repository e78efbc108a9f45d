package io.github.sgpt4j.weights;

import io.github.sgpt4j.tensor.DType;
import io.github.sgpt4j.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumMap;
import java.util.Map;
import java.util.OptionalLong;

/// Looks through stored weights.
public final class WeightScan {
    private static final long F64_EXPONENT = 0x7FF0_0000_0000_0000L;
    private static final int F32_EXPONENT = 0x7F80_0000;
    private static final int F16_EXPONENT = 0x7C00;
    private static final int BF16_EXPONENT = 0x7F80;
    private static final int F8_E5M2_EXPONENT = 0x7C;

    /// This type has no infinities, and NaN only with all of exponent and fraction set.
    private static final int F8_E4M3_NAN = 0x7F;

    private WeightScan() {}

    /// How much of a checkpoint one data type takes.
    public record Totals(long tensors, long elements, long bytes) {
        private Totals plus(WeightTensor tensor) {
            return new Totals(
                    tensors + 1,
                    elements + tensor.shape().elements(),
                    bytes + tensor.data().byteSize());
        }
    }

    /// Row-major index of the first element that is a NaN or an infinity, if any; integers never are. Reads the whole
    /// tensor.
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
            case BOOL, U8, I8, I16, U16, I32, U32, I64, U64 -> -1;
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

    /// Tensors, elements and bytes by data type, for those types that occur, in the order of [DType].
    public static Map<DType, Totals> totals(Weights weights) {
        Map<DType, Totals> totals = new EnumMap<>(DType.class);
        for (String name : weights.names()) {
            WeightTensor tensor = weights.get(name);
            totals.put(
                    tensor.dtype(),
                    totals.getOrDefault(tensor.dtype(), new Totals(0, 0, 0)).plus(tensor));
        }
        return totals;
    }
}
