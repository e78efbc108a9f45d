package io.github.sgpt4j.weightstools.pickle;

import io.github.sgpt4j.tensor.ElementType;
import io.github.sgpt4j.tensor.Shape;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A tensor as a view of a storage: element (i, j, …) is `offset + i·strides[0] + j·strides[1] + …`
/// elements after the start. The constructor checks that every element is within the storage.
///
/// @param storage where the elements are
/// @param type element type
/// @param offset first element, counted from the start of `storage`
/// @param shape dimensions
/// @param strides one per dimension, not negative, in elements
public record TensorView(StorageView storage, ElementType type, long offset, Shape shape, long[] strides) {
    /// PyTorch's own limit.
    public static final int MAX_RANK = 64;

    /// @throws IllegalArgumentException if an element is outside the storage; the message says how
    public TensorView {
        strides = strides.clone();
        if (shape.rank() != strides.length || shape.rank() > MAX_RANK) {
            throw new IllegalArgumentException("expected as many strides as dimensions, at most %d, got %d and %d"
                    .formatted(MAX_RANK, strides.length, shape.rank()));
        }
        long last = offset;
        boolean negative = offset < 0;
        try {
            for (int i = 0; i < strides.length; i++) {
                negative |= strides[i] < 0;
                last = Math.addExact(last, Math.multiplyExact(Math.max(0, shape.dimension(i) - 1), strides[i]));
            }
            Math.multiplyExact(shape.elements(), (long) type.bytes());
        } catch (ArithmeticException e) {
            throw outside(shape, strides, offset, storage, e);
        }
        long held = storage.bytes() / type.bytes();
        if (negative || (shape.elements() > 0 && last >= held) || offset > held) {
            throw outside(shape, strides, offset, storage, null);
        }
    }

    private static IllegalArgumentException outside(
            Shape shape, long[] strides, long offset, StorageView storage, @Nullable ArithmeticException cause) {
        return new IllegalArgumentException(
                "expected elements within a storage of %d bytes, got shape %s with strides %s at element %d"
                        .formatted(storage.bytes(), shape, Arrays.toString(strides), offset),
                cause);
    }

    @Override
    public long[] strides() {
        return strides.clone();
    }

    /// Bytes of all elements, row-major without gaps.
    public long bytes() {
        return shape.elements() * type.bytes();
    }

    /// First byte, counted from the start of the whole storage in the file.
    public long start() {
        return storage.offset() + offset * type.bytes();
    }
}
