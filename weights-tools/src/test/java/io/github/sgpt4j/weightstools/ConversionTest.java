package io.github.sgpt4j.weightstools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.Dtype;
import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Half;
import io.github.sgpt4j.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.math.BigDecimal;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Every conversion rounds once, to the nearest, ties to even.
class ConversionTest {
    private static float convert(double value, ElementType to) {
        MemorySegment in = MemorySegment.ofArray(new byte[8]);
        MemorySegment out = MemorySegment.ofArray(new byte[4]);
        in.set(LittleEndian.F64, 0, value);
        Conversion.convert(ElementType.F64, in, to, out, new float[1], 1);
        return read(to, out);
    }

    private static float read(ElementType type, MemorySegment bytes) {
        return switch (type) {
            case F32 -> bytes.get(LittleEndian.F32, 0);
            case F16 -> Half.f16ToFloat(bytes.get(LittleEndian.I16, 0));
            case BF16 -> Half.bf16ToFloat(bytes.get(LittleEndian.I16, 0));
            default -> throw new IllegalArgumentException();
        };
    }

    @Test
    void aDoubleIsNotRoundedTwice() {
        // Just above the midpoint of two neighbours, by less than a float can represent: rounding to
        // float first makes a tie.
        double middleF16 = 1 + Math.scalb(1.0, -11);
        assertEquals(1 + Math.scalb(1f, -10), convert(Math.nextUp(middleF16), ElementType.F16));
        assertEquals(1f, convert(middleF16, ElementType.F16), "a tie goes to the even neighbour");
        double middleBf16 = 1 + Math.scalb(1.0, -8);
        assertEquals(1 + Math.scalb(1f, -7), convert(Math.nextUp(middleBf16), ElementType.BF16));
        assertEquals(1f, convert(middleBf16, ElementType.BF16));
        assertEquals(-1 - Math.scalb(1f, -7), convert(-Math.nextUp(middleBf16), ElementType.BF16));
        // Just below the midpoint above an odd neighbour: a tie would round up.
        double below = 1 + 3 * Math.scalb(1.0, -8);
        assertEquals(1 + Math.scalb(1f, -7), convert(Math.nextDown(below), ElementType.BF16));
    }

    @Test
    void theEndsOfTheRangeAreRight() {
        assertEquals(65504f, convert(65519.999999999, ElementType.F16));
        assertEquals(Float.POSITIVE_INFINITY, convert(65520, ElementType.F16));
        assertEquals(Float.NEGATIVE_INFINITY, convert(-1e300, ElementType.BF16));
        assertEquals(Float.POSITIVE_INFINITY, convert(1e39, ElementType.F32));
        assertEquals(Math.scalb(1f, -24), convert(Math.nextUp(Math.scalb(1.0, -25)), ElementType.F16));
        assertEquals(0f, convert(Math.scalb(1.0, -25), ElementType.F16));
        assertEquals(Math.scalb(1f, -133), convert(Math.nextUp(Math.scalb(1.0, -134)), ElementType.BF16));
        assertEquals(0f, convert(1e-300, ElementType.BF16));
        assertEquals(Float.floatToRawIntBits(-0f), Float.floatToRawIntBits(convert(-1e-300, ElementType.F16)));
        assertTrue(Float.isNaN(convert(Double.NaN, ElementType.F16)));
        assertEquals(Float.POSITIVE_INFINITY, convert(Double.POSITIVE_INFINITY, ElementType.F16));
    }

    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16"})
    void randomDoublesGoToTheNearestNeighbour(ElementType to) {
        Random random = new Random(1);
        for (int i = 0; i < 20_000; i++) {
            double value = random.nextGaussian() * Math.scalb(1.0, random.nextInt(24) - 12);
            float got = convert(value, to);
            double distance =
                    new BigDecimal(value).subtract(new BigDecimal(got)).abs().doubleValue();
            for (int step : new int[] {-1, 1}) {
                float other = neighbour(got, to, step);
                double otherDistance = new BigDecimal(value)
                        .subtract(new BigDecimal(other))
                        .abs()
                        .doubleValue();
                assertTrue(distance <= otherDistance, value + " became " + got + ", nearer is " + other);
            }
        }
    }

    private static float neighbour(float value, ElementType type, int step) {
        return type == ElementType.F16
                ? Half.f16ToFloat((short) (Half.floatToF16(value) + step))
                : Half.bf16ToFloat((short) (Half.floatToBf16(value) + step));
    }

    @Test
    void wideningIsExact() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            MemorySegment in = MemorySegment.ofArray(new byte[2]);
            MemorySegment out = MemorySegment.ofArray(new byte[4]);
            in.set(LittleEndian.I16, 0, (short) bits);
            Conversion.convert(ElementType.F16, in, ElementType.F32, out, new float[1], 1);
            assertEquals(Half.f16ToFloat((short) bits), read(ElementType.F32, out));
            Conversion.convert(ElementType.BF16, in, ElementType.F32, out, new float[1], 1);
            assertEquals(Half.bf16ToFloat((short) bits), read(ElementType.F32, out));
        }
    }

    @Test
    void otherTypesStayAsTheyAre() {
        assertEquals(ElementType.I64, ConvertOptions.storedAs(Dtype.FP16, ElementType.I64));
        assertEquals(ElementType.BOOL, ConvertOptions.storedAs(Dtype.BF16, ElementType.BOOL));
        assertEquals(ElementType.F64, ConvertOptions.storedAs(Dtype.AUTO, ElementType.F64));
        assertEquals(ElementType.BF16, ConvertOptions.storedAs(Dtype.BF16, ElementType.F64));
        MemorySegment bytes = MemorySegment.ofArray(new byte[8]);
        assertThrows(
                IllegalArgumentException.class,
                () -> Conversion.convert(ElementType.I32, bytes, ElementType.F16, bytes, new float[1], 1));
    }
}
