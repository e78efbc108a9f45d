package io.github.sgpt4j.training.loss;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import java.util.function.ToDoubleFunction;

/// Compares gradients with differences of the loss.
final class Differences {
    private static final double STEP = 1e-5;

    private Differences() {}

    static Matrix random(int rows, int columns, long seed) {
        Random random = new Random(seed);
        Matrix matrix = Matrix.zeros(rows, columns);
        for (int i = 0; i < matrix.values().length; i++) {
            matrix.values()[i] = random.nextGaussian();
        }
        return matrix;
    }

    static Matrix copy(Matrix matrix) {
        return matrix.slice(0, matrix.rows());
    }

    /// @param loss of a matrix that it may use up
    static void assertGradient(Matrix at, Matrix gradient, ToDoubleFunction<Matrix> loss) {
        assertEquals(at.rows(), gradient.rows());
        assertEquals(at.columns(), gradient.columns());
        for (int i = 0; i < at.values().length; i++) {
            Matrix above = copy(at);
            above.values()[i] += STEP;
            Matrix below = copy(at);
            below.values()[i] -= STEP;
            double slope = (loss.applyAsDouble(above) - loss.applyAsDouble(below)) / (2 * STEP);
            double expected = gradient.values()[i];
            assertEquals(expected, slope, 1e-8 + 1e-7 * Math.abs(expected), "number " + i);
        }
    }
}
