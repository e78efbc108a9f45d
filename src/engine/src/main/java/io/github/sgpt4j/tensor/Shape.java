package io.github.sgpt4j.tensor;

import java.util.Arrays;

/// Dimensions of a tensor, outermost first; a scalar has none. Immutable.
public final class Shape {
    private final long[] dimensions;

    private Shape(long[] dimensions) {
        this.dimensions = dimensions;
    }

    /// @throws IllegalArgumentException if a dimension is negative
    /// @throws ArithmeticException if the element count does not fit a `long`
    public static Shape of(long... dimensions) {
        long elements = 1;
        for (long d : dimensions) {
            if (d < 0) {
                throw new IllegalArgumentException("negative dimension in shape " + Arrays.toString(dimensions));
            }
            elements = Math.multiplyExact(elements, d);
        }
        return new Shape(dimensions.clone());
    }

    public int rank() {
        return dimensions.length;
    }

    public long dimension(int index) {
        return dimensions[index];
    }

    /// A copy of the dimensions, outermost first.
    public long[] toArray() {
        return dimensions.clone();
    }

    /// Product of the dimensions; 1 for a scalar.
    public long elements() {
        long elements = 1;
        for (long d : dimensions) {
            elements *= d;
        }
        return elements;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape shape && Arrays.equals(dimensions, shape.dimensions);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(dimensions);
    }

    /// In the form `[2, 3]`.
    @Override
    public String toString() {
        return Arrays.toString(dimensions);
    }
}
