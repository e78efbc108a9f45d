package io.github.sgpt4j.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Half;
import io.github.sgpt4j.tensor.LittleEndian;
import io.github.sgpt4j.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class WeightTensorTest {
    /// A tensor that begins at an odd address.
    private static WeightTensor tensor(ElementType dtype, float... values) {
        MemorySegment data = MemorySegment.ofArray(new byte[1 + values.length * dtype.bytes()])
                .asSlice(1);
        for (int i = 0; i < values.length; i++) {
            switch (dtype) {
                case F64 -> data.setAtIndex(LittleEndian.F64, i, values[i]);
                case F32 -> data.setAtIndex(LittleEndian.F32, i, values[i]);
                case F16 -> data.setAtIndex(LittleEndian.I16, i, Half.floatToF16(values[i]));
                case BF16 -> data.setAtIndex(LittleEndian.I16, i, Half.floatToBf16(values[i]));
                default -> throw new IllegalArgumentException(dtype.name());
            }
        }
        return new WeightTensor("t", "f", dtype, Shape.of(values.length), data);
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    void elementsAreWidened(ElementType dtype) {
        WeightTensor tensor = tensor(dtype, 1, -2, 0.5f, 3);
        assertEquals(-2f, tensor.element(1));
        assertArrayEquals(new float[] {1, -2, 0.5f, 3}, tensor.toFloats());
        float[] target = {9, 9, 9, 9};
        tensor.copyTo(2, target, 1, 2);
        assertArrayEquals(new float[] {9, 0.5f, 3, 9}, target);
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    void rangesAreChecked(ElementType dtype) {
        WeightTensor tensor = tensor(dtype, 1, 2, 3);
        assertThrows(IndexOutOfBoundsException.class, () -> tensor.element(3));
        assertThrows(IndexOutOfBoundsException.class, () -> tensor.element(-1));
        assertThrows(IndexOutOfBoundsException.class, () -> tensor.copyTo(2, new float[2], 0, 2));
        assertThrows(IndexOutOfBoundsException.class, () -> tensor.copyTo(0, new float[2], 1, 2));
    }

    @Test
    void otherTypesAreNotWidened() {
        WeightTensor tensor = tensor(ElementType.F64, 1);
        assertThrows(IllegalStateException.class, () -> tensor.element(0));
        assertThrows(IllegalStateException.class, tensor::toFloats);
    }

    @Test
    void dataOfAnotherSizeAreRefused() {
        MemorySegment data = MemorySegment.ofArray(new byte[7]);
        assertThrows(
                IllegalArgumentException.class, () -> new WeightTensor("t", "f", ElementType.F32, Shape.of(2), data));
    }

    @ParameterizedTest
    @EnumSource(names = {"F64", "F32", "F16", "BF16"})
    void theFirstNanOrInfinityIsFoundWhereverItIs(ElementType dtype) {
        float[] finite = new float[67];
        finite[3] = 60_000;
        finite[4] = -1e-7f;
        assertEquals(OptionalLong.empty(), WeightScan.firstNonFinite(tensor(dtype, finite)));
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            for (int i = 0; i < finite.length; i++) {
                float[] values = finite.clone();
                values[i] = bad;
                values[finite.length - 1] = bad;
                assertEquals(OptionalLong.of(i), WeightScan.firstNonFinite(tensor(dtype, values)));
            }
        }
    }

    @Test
    void eightBitFloatsAreScannedByTheirOwnRules() {
        assertEquals(OptionalLong.of(1), scan(ElementType.F8_E4M3, 0x7E, 0x7F));
        assertEquals(OptionalLong.of(1), scan(ElementType.F8_E4M3, 0xFE, 0xFF));
        assertEquals(OptionalLong.of(1), scan(ElementType.F8_E5M2, 0x7B, 0xFC));
        assertEquals(OptionalLong.empty(), scan(ElementType.U8, 0xFF, 0x7F));
    }

    private static OptionalLong scan(ElementType dtype, int first, int second) {
        MemorySegment data = MemorySegment.ofArray(new byte[] {(byte) first, (byte) second});
        return WeightScan.firstNonFinite(new WeightTensor("t", "f", dtype, Shape.of(2), data));
    }
}
