package io.github.sgpt4j.backend.cpu.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.backend.Activation;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The activation functions one value at a time, which a process uses before its vector loops are compiled.
class ColdActivationsTest {
    private static final List<Activation> SCALAR =
            List.of(Activation.RELU, Activation.GELU_TANH, Activation.GELU_QUICK, Activation.SILU, Activation.SIGMOID);

    @Test
    void valuesFromTheDefinitions() {
        assertEquals(0.8411919906f, Activations.scalar(Activation.GELU_TANH, 1), 1e-6f);
        assertEquals(-0.1588080094f, Activations.scalar(Activation.GELU_TANH, -1), 1e-6f);
        assertEquals(0.8457957660f, Activations.scalar(Activation.GELU_QUICK, 1), 1e-6f);
        assertEquals(0.7310585786f, Activations.scalar(Activation.SILU, 1), 1e-6f);
        assertEquals(0.8807970780f, Activations.scalar(Activation.SIGMOID, 2), 1e-6f);
        assertEquals(0f, Activations.scalar(Activation.RELU, -3));
        assertEquals(3f, Activations.scalar(Activation.RELU, 3));
        assertThrows(IllegalArgumentException.class, () -> Activations.scalar(Activation.GELU, 1));
    }

    /// The tests run with vectors from the start (`sgpt4j.cpu.warm`), so [Activations#apply] is the vector loop here.
    @Test
    void sameBitsAsTheVectorLoops() {
        assertTrue(Boolean.getBoolean("sgpt4j.cpu.warm"));
        for (Activation activation : SCALAR) {
            float[] x = new float[4001];
            float[] y = new float[x.length];
            for (int i = 0; i < x.length; i++) {
                x[i] = (i - 2000) / 19f;
                y[i] = Activations.scalar(activation, x[i]);
            }
            Activations.apply(activation, x, 0, x.length);
            assertArrayEquals(y, x, activation.toString());
        }
    }
}
