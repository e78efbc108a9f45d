package io.github.sgpt4j.weights;

import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Half;
import io.github.sgpt4j.tensor.LittleEndian;
import io.github.sgpt4j.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Objects;

/// A named tensor in mapped memory, row-major and little-endian.
///
/// The segment is borrowed: it is valid until its [Weights] is closed.
///
/// @param name full name as stored in the file
/// @param file the file that holds it, for error messages
/// @param dtype element type
/// @param shape dimensions, outermost first
/// @param data read-only bytes, `dtype.bytes(shape.elements())` long; not necessarily aligned to the element size
public record WeightTensor(String name, String file, ElementType dtype, Shape shape, MemorySegment data) {
    private static final int COMPARED_BYTES = 1 << 16;

    public WeightTensor {
        long expected = dtype.bytes(shape.elements());
        if (data.byteSize() != expected) {
            throw new IllegalArgumentException("tensor %s in %s: shape %s of %s needs %d bytes, got %d"
                    .formatted(name, file, shape, dtype, expected, data.byteSize()));
        }
    }

    /// The element at a row-major index, widened to `float`.
    ///
    /// @throws IndexOutOfBoundsException if there is no such element
    /// @throws IllegalStateException if the data type is not one of F32, F16, BF16, or the weights are closed
    public float element(long index) {
        Objects.checkIndex(index, shape.elements());
        return switch (dtype) {
            case F32 -> data.getAtIndex(LittleEndian.F32, index);
            case F16 -> Half.f16ToFloat(data.getAtIndex(LittleEndian.I16, index));
            case BF16 -> Half.bf16ToFloat(data.getAtIndex(LittleEndian.I16, index));
            default -> throw notWeight();
        };
    }

    /// Copies `count` elements from the row-major index `first`, widened to `float`, to `target[offset...]`.
    ///
    /// @throws IndexOutOfBoundsException if either range does not fit
    /// @throws IllegalStateException if the data type is not one of F32, F16, BF16, or the weights are closed
    public void copyTo(long first, float[] target, int offset, int count) {
        Objects.checkFromIndexSize(first, count, shape.elements());
        Objects.checkFromIndexSize(offset, count, target.length);
        switch (dtype) {
            case F32 -> MemorySegment.copy(data, LittleEndian.F32, first * Float.BYTES, target, offset, count);
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    target[offset + i] = Half.f16ToFloat(data.getAtIndex(LittleEndian.I16, first + i));
                }
            }
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    target[offset + i] = Half.bf16ToFloat(data.getAtIndex(LittleEndian.I16, first + i));
                }
            }
            default -> throw notWeight();
        }
        settle();
    }

    /// Whether another tensor has the same bytes.
    ///
    /// @throws IllegalStateException if the weights of one of them are closed
    public boolean hasBytesOf(WeightTensor other) {
        long size = data.byteSize();
        if (other.data.byteSize() != size) {
            return false;
        }
        // Through copies: comparing in place runs code in which a fault ends the process.
        byte[] own = new byte[(int) Math.min(size, COMPARED_BYTES)];
        byte[] others = new byte[own.length];
        for (long at = 0; at < size; at += own.length) {
            int count = (int) Math.min(own.length, size - at);
            MemorySegment.copy(data, ValueLayout.JAVA_BYTE, at, own, 0, count);
            MemorySegment.copy(other.data, ValueLayout.JAVA_BYTE, at, others, 0, count);
            settle();
            if (!Arrays.equals(own, 0, count, others, 0, count)) {
                return false;
            }
        }
        return true;
    }

    /// Ends a part of work that has read [#data] directly; called on the reading thread. Throws if the
    /// file was truncated, which is reported to a thread late. The work as a whole must be in
    /// [MappedFiles#reading].
    ///
    /// Only [MemorySegment#copy] and reads of single elements get this report. With loads of the Vector
    /// API from [#data], or machine code that reads it, the process would end.
    public static void settle() {
        MappedFile.settle();
    }

    /// All elements in row-major order, widened to `float`, in a new array.
    ///
    /// @throws IllegalStateException if the data type is not one of F32, F16, BF16, there are too many elements for
    ///     an array, or the weights are closed
    public float[] toFloats() {
        long elements = shape.elements();
        if (elements > Integer.MAX_VALUE - 8) {
            throw new IllegalStateException(
                    "tensor %s in %s: %d elements do not fit an array".formatted(name, file, elements));
        }
        float[] values = new float[(int) elements];
        copyTo(0, values, 0, values.length);
        return values;
    }

    private IllegalStateException notWeight() {
        return new IllegalStateException(
                "tensor %s in %s: expected F32, F16 or BF16, got %s".formatted(name, file, dtype));
    }
}
