package io.github.sgpt4j.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Every 16-bit pattern, and narrowing around every representable value, against independent arithmetic
/// in `double`.
class HalfTest {
    enum Type {
        F16(5, 10),
        BF16(8, 7);

        private final int exponentBits;
        private final int fractionBits;

        Type(int exponentBits, int fractionBits) {
            this.exponentBits = exponentBits;
            this.fractionBits = fractionBits;
        }

        float widen(int bits) {
            return this == F16 ? Half.f16ToFloat((short) bits) : Half.bf16ToFloat((short) bits);
        }

        int narrow(float value) {
            return Short.toUnsignedInt(this == F16 ? Half.floatToF16(value) : Half.floatToBf16(value));
        }

        int exponent(int bits) {
            return (bits >> fractionBits) & ((1 << exponentBits) - 1);
        }

        int fraction(int bits) {
            return bits & ((1 << fractionBits) - 1);
        }

        int infinity() {
            return ((1 << exponentBits) - 1) << fractionBits;
        }

        boolean isNaN(int bits) {
            return (bits & 0x7FFF) > infinity();
        }

        /// The value by definition: (-1)^s · (1 + f / 2^n) · 2^(e - bias), without the 1 at the lowest
        /// exponent. The bits of infinity give the power of two at which it begins.
        double defined(int bits) {
            double sign = (bits & 0x8000) == 0 ? 1 : -1;
            double fraction = fraction(bits) / Math.pow(2, fractionBits);
            int bias = (1 << (exponentBits - 1)) - 1;
            int exponent = exponent(bits);
            return exponent == 0
                    ? sign * fraction * Math.pow(2, 1 - bias)
                    : sign * (1 + fraction) * Math.pow(2, exponent - bias);
        }

        /// All finite values from zero up.
        NavigableMap<Double, Integer> table() {
            NavigableMap<Double, Integer> table = new TreeMap<>();
            for (int bits = 0; bits <= infinity(); bits++) {
                table.put(defined(bits), bits);
            }
            return table;
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyPatternWidensToItsDefinedValue(Type type) {
        for (int bits = 0; bits <= 0xFFFF; bits++) {
            float value = type.widen(bits);
            String at = type + " " + Integer.toHexString(bits);
            if (type.isNaN(bits)) {
                assertTrue(Float.isNaN(value), at);
            } else if ((bits & 0x7FFF) == type.infinity()) {
                assertEquals(bits == type.infinity() ? Float.POSITIVE_INFINITY : Float.NEGATIVE_INFINITY, value, at);
            } else {
                assertEquals(type.defined(bits), (double) value, at);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyPatternSurvivesWideningAndNarrowing(Type type) {
        for (int bits = 0; bits <= 0xFFFF; bits++) {
            int back = type.narrow(type.widen(bits));
            if (type.isNaN(bits)) {
                assertTrue(type.isNaN(back), "NaN lost at " + Integer.toHexString(bits));
                assertEquals(bits & 0x8000, back & 0x8000, "sign of NaN");
            } else {
                assertEquals(bits, back);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyMidpointRoundsToEvenAndItsNeighboursToTheNearest(Type type) {
        for (int bits = 0; bits < type.infinity(); bits++) {
            float middle = (float) ((type.defined(bits) + type.defined(bits + 1)) / 2);
            int even = (bits & 1) == 0 ? bits : bits + 1;
            assertEquals(even, type.narrow(middle), "midpoint above " + Integer.toHexString(bits));
            assertEquals(even | 0x8000, type.narrow(-middle));
            assertEquals(bits, type.narrow(Math.nextDown(middle)));
            assertEquals(bits + 1, type.narrow(Math.nextUp(middle)));
        }
    }

    @ParameterizedTest
    @EnumSource
    void randomFloatsRoundToTheNearestValue(Type type) {
        long seed = Long.getLong("sgpt4j.test.seed", 20260101);
        Random random = new Random(seed);
        NavigableMap<Double, Integer> table = type.table();
        for (int i = 0; i < 200_000; i++) {
            float value = Float.intBitsToFloat(random.nextInt());
            if (Float.isNaN(value)) {
                continue;
            }
            int sign = Float.floatToRawIntBits(value) < 0 ? 0x8000 : 0;
            assertEquals(sign | nearest(table, Math.abs(value), type), type.narrow(value), value + ", seed " + seed);
        }
    }

    private static int nearest(NavigableMap<Double, Integer> table, double value, Type type) {
        Map.Entry<Double, Integer> below = table.floorEntry(value);
        Map.Entry<Double, Integer> above = table.ceilingEntry(value);
        if (above == null) {
            return type.infinity();
        }
        double down = value - below.getKey();
        double up = above.getKey() - value;
        if (down == up) {
            return below.getValue() % 2 == 0 ? below.getValue() : above.getValue();
        }
        return down < up ? below.getValue() : above.getValue();
    }

    @ParameterizedTest
    @EnumSource
    void everyKindOfNanStaysNan(Type type) {
        for (int payload : new int[] {1, 0x0001_0000, 0x003F_FFFF, 0x0040_0000, 0x007F_FFFF, 0x0000_8000, 0xFFFF}) {
            assertTrue(type.isNaN(type.narrow(Float.intBitsToFloat(0x7F80_0000 | payload))));
            assertTrue(type.isNaN(type.narrow(Float.intBitsToFloat(0xFF80_0000 | payload))));
        }
    }
}
