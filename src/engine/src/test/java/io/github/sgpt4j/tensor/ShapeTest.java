package io.github.sgpt4j.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class ShapeTest {
    @Test
    void countsElements() {
        assertEquals(24, Shape.of(2, 3, 4).elements());
        assertEquals(1, Shape.of().elements());
        assertEquals(0, Shape.of(5, 0).elements());
    }

    @Test
    void refusesNegativeDimensionsAndCountsBeyondLong() {
        assertThrows(IllegalArgumentException.class, () -> Shape.of(2, -1));
        assertThrows(ArithmeticException.class, () -> Shape.of(1L << 40, 1L << 40));
    }

    @Test
    void keepsItsOwnCopyOfTheDimensions() {
        long[] dimensions = {2, 3};
        Shape shape = Shape.of(dimensions);
        dimensions[0] = 7;
        assertEquals(Shape.of(2, 3), shape);
        assertNotEquals(Shape.of(3, 2), shape);
    }
}
