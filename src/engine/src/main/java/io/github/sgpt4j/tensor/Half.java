package io.github.sgpt4j.tensor;

/// Conversion between `float` and the two 16-bit floating-point types, one value at a time.
///
/// Widening is exact. Narrowing rounds to the nearest value, ties to even. Values that are too large
/// become infinity, values that are too small become a subnormal or a zero of the same sign. A NaN
/// becomes a quiet NaN of the same sign with the upper bits of its payload.
///
/// F16 is IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits. BF16 is the upper half of a `float`: 1 sign,
/// 8 exponent, 7 fraction bits.
public final class Half {
    private static final int BF16_SHIFT = 16;
    private static final int BF16_QUIET_BIT = 0x0040;
    private static final int BELOW_HALF = 0x7FFF;

    private Half() {}

    /// The value of the F16 with these bits.
    public static float f16ToFloat(short bits) {
        return Float.float16ToFloat(bits);
    }

    /// The bits of the F16 nearest to `value`.
    public static short floatToF16(float value) {
        return Float.floatToFloat16(value);
    }

    /// The value of the BF16 with these bits.
    public static float bf16ToFloat(short bits) {
        return Float.intBitsToFloat(bits << BF16_SHIFT);
    }

    /// The bits of the BF16 nearest to `value`.
    public static short floatToBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) ((bits >>> BF16_SHIFT) | BF16_QUIET_BIT);
        }
        // Adding just under a half carries into the kept bits if the rest is above a half; also adding
        // the lowest kept bit rounds ties to even. A carry into the exponent gives the correct overflow
        // to infinity.
        int lowestKept = (bits >>> BF16_SHIFT) & 1;
        return (short) ((bits + BELOW_HALF + lowestKept) >>> BF16_SHIFT);
    }
}
